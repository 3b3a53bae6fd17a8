#include "collector.h"

#include <utility>

#include "metadata_row.h"

using rocksdb::Slice;
using rocksdb::Status;
using rocksdb::UserCollectedProperties;

namespace {

class CompactOnExpired : public rocksdb::TablePropertiesCollector {
 public:
  CompactOnExpired(bool counts_metadata, float trigger_ratio, std::shared_ptr<FilterContext> context)
      : counts_metadata_(counts_metadata), trigger_ratio_(trigger_ratio), context_(std::move(context)) {}

  const char* Name() const override { return "CompactOnExpiredCollector"; }

  Status AddUserKey(const Slice& key, const Slice& value, rocksdb::EntryType type, rocksdb::SequenceNumber,
                    uint64_t) override {
    if (start_key_.empty()) start_key_ = key.ToString();
    stop_key_ = key.ToString();
    total_keys_++;
    MetadataRow row;
    if (type == rocksdb::kEntryDelete) {
      deleted_keys_++;
    } else if (counts_metadata_ && type == rocksdb::kEntryPut && row.Decode(value)) {
      total_keys_ += row.size;
      if (row.ExpiredAt(context_->NowMs())) deleted_keys_ += row.size + 1;
    }
    return Status::OK();
  }

  Status Finish(UserCollectedProperties* properties) override {
    properties->emplace("total_keys", std::to_string(total_keys_));
    properties->emplace("deleted_keys", std::to_string(deleted_keys_));
    properties->emplace("start_key", start_key_);
    properties->emplace("stop_key", stop_key_);
    return Status::OK();
  }

  UserCollectedProperties GetReadableProperties() const override {
    return {{"total_keys", std::to_string(total_keys_)}, {"deleted_keys", std::to_string(deleted_keys_)}};
  }

  bool NeedCompact() const override {
    return total_keys_ > 0 && static_cast<float>(deleted_keys_) / static_cast<float>(total_keys_) > trigger_ratio_;
  }

 private:
  const bool counts_metadata_;
  const float trigger_ratio_;
  const std::shared_ptr<FilterContext> context_;
  uint64_t total_keys_ = 0;
  uint64_t deleted_keys_ = 0;
  std::string start_key_, stop_key_;
};

class Factory : public rocksdb::TablePropertiesCollectorFactory {
 public:
  Factory(bool counts_metadata, float trigger_ratio, std::shared_ptr<FilterContext> context)
      : counts_metadata_(counts_metadata), trigger_ratio_(trigger_ratio), context_(std::move(context)) {}

  const char* Name() const override { return "CompactOnExpiredCollector"; }

  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override {
    return new CompactOnExpired(counts_metadata_, trigger_ratio_, context_);
  }

 private:
  const bool counts_metadata_;
  const float trigger_ratio_;
  const std::shared_ptr<FilterContext> context_;
};

}  // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> NewCompactOnExpired(const std::string& family,
                                                                              float trigger_ratio,
                                                                              std::shared_ptr<FilterContext> context) {
  return std::make_shared<Factory>(family == "metadata", trigger_ratio, std::move(context));
}
