#include "filters.h"

#include <algorithm>
#include <utility>

#include "clock.h"
#include "metadata_row.h"

using rocksdb::CompactionFilter;
using rocksdb::Slice;

namespace {

class MetadataFilter : public CompactionFilter {
 public:
  explicit MetadataFilter(const FilterContext* context) : context_(context) {}

  const char* Name() const override { return "MetadataFilter"; }

  bool Filter(int, const Slice&, const Slice& value, std::string*, bool*) const override {
    MetadataRow row;
    if (!row.Decode(value)) return false;
    uint64_t now_ms = context_->NowMs();
    return row.ExpiredAt(now_ms) || row.AllFieldsExpiredAt(now_ms);
  }

 private:
  const FilterContext* const context_;
};

/** A published message has done its work once it was written: replicas read it from the log. */
class PubSubFilter : public CompactionFilter {
 public:
  const char* Name() const override { return "PubSubFilter"; }

  bool Filter(int, const Slice&, const Slice&, std::string*, bool*) const override { return true; }
};

/** The propagated SCRIPT command has done its work too; scripts, functions and tokens beside it stay. */
class PropagateFilter : public CompactionFilter {
 public:
  const char* Name() const override { return "PropagateFilter"; }

  bool Filter(int, const Slice& key, const Slice&, std::string*, bool*) const override { return key == "script"; }
};

using MakeFilter = std::unique_ptr<CompactionFilter> (*)(const FilterContext*);

struct FilterKind {
  const char* name;
  const char* factory_name;
  MakeFilter make;
};

const FilterKind kKinds[] = {
    {"metadata", "MetadataFilterFactory", NewMetadataFilter},
    {"subkey", "SubKeyFilterFactory", NewSubkeyFilter},
    {"pubsub", "PubSubFilterFactory",
     [](const FilterContext*) { return std::unique_ptr<CompactionFilter>(new PubSubFilter); }},
    {"propagate", "PropagateFilterFactory",
     [](const FilterContext*) { return std::unique_ptr<CompactionFilter>(new PropagateFilter); }},
    {"search", "SearchFilterFactory", NewSearchFilter},
    {"index", "IndexFilterFactory", NewIndexFilter},
};

class Factory : public rocksdb::CompactionFilterFactory {
 public:
  Factory(const FilterKind& kind, std::shared_ptr<FilterContext> context) : kind_(kind), context_(std::move(context)) {}

  const char* Name() const override { return kind_.factory_name; }

  std::unique_ptr<CompactionFilter> CreateCompactionFilter(const CompactionFilter::Context&) override {
    return kind_.make(context_.get());
  }

 private:
  const FilterKind& kind_;
  const std::shared_ptr<FilterContext> context_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> NewFilterFactory(const std::string& name,
                                                                   std::shared_ptr<FilterContext> context) {
  for (const auto& kind : kKinds) {
    if (name == kind.name) return std::make_shared<Factory>(kind, std::move(context));
  }
  return nullptr;
}

uint64_t FilterContext::NowMs() const {
  return std::min(FilterClockMs(), reclaim_before_ms.load(std::memory_order_relaxed));
}

std::unique_ptr<CompactionFilter> NewMetadataFilter(const FilterContext* context) {
  return std::unique_ptr<CompactionFilter>(new MetadataFilter(context));
}

bool IsKeyGone(const FilterContext* context, const std::string& metadata_key) {
  rocksdb::DB* db = context->db.load(std::memory_order_acquire);
  if (!db || !context->metadata) return false;
  std::string value;
  rocksdb::Status status = db->Get(rocksdb::ReadOptions(), context->metadata, metadata_key, &value);
  if (status.IsNotFound()) return true;
  MetadataRow row;
  return status.ok() && row.Decode(value) && row.ExpiredAt(context->NowMs());
}
