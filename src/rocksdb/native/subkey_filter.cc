// Drops sub-keys whose key is gone: deleted, made anew under another version, or expired.
//
//   sub-key: u8 length of namespace, namespace, [u16 slot], u32 length of key, key, u64 version, rest
//
// Source: kvrocks src/storage/compact_filter.cc, SubKeyFilter.
#include <algorithm>

#include "filters.h"
#include "metadata_row.h"

using rocksdb::CompactionFilter;
using rocksdb::Slice;
using rocksdb::Status;

namespace {

// An expiry may be moved by a command while a compaction already works on what it read before.
constexpr uint64_t kExpiryGraceMs = 300 * 1000;

struct Subkey {
  Slice metadata_prefix;
  Slice key;
  uint64_t version = 0;

  bool Decode(const Slice& internal_key, bool slot_encoded) {
    Slice rest = internal_key;
    uint8_t namespace_length = 0;
    if (!GetFixed8(&rest, &namespace_length)) return false;
    size_t prefix_bytes = namespace_length + (slot_encoded ? 2 : 0);
    if (rest.size() < prefix_bytes) return false;
    metadata_prefix = Slice(internal_key.data(), 1 + prefix_bytes);
    rest.remove_prefix(prefix_bytes);
    return GetSized(&rest, &key) && GetFixed64(&rest, &version);
  }
};

enum class Fate { kKeep, kRemove, kDependsOnValue };

class SubkeyFilter : public CompactionFilter {
 public:
  explicit SubkeyFilter(const FilterContext* context) : context_(context) {}

  const char* Name() const override { return "SubkeyFilter"; }

  bool Filter(int, const Slice& key, const Slice& value, std::string*, bool*) const override {
    MetadataRow row;
    Fate fate = JudgeByKey(key, &row);
    if (fate != Fate::kDependsOnValue) return fate == Fate::kRemove;
    return row.type == kBitmap ? IsAllZero(value) : IsExpiredField(value);
  }

  Decision FilterBlobByKey(int, const Slice& key, std::string*, std::string*) const override {
    MetadataRow row;
    switch (JudgeByKey(key, &row)) {
      case Fate::kKeep: return Decision::kKeep;
      case Fate::kRemove: return Decision::kRemove;
      default: return Decision::kUndetermined;
    }
  }

 private:
  /** The metadata row's bytes, or null when there is none. Sub-keys of one key follow each other: one is remembered. */
  Status FindMetadata(const Subkey& subkey, const std::string** bytes) const {
    rocksdb::DB* db = context_->db.load(std::memory_order_acquire);
    if (!db || !context_->metadata) return Status::Incomplete();
    wanted_key_.assign(subkey.metadata_prefix.data(), subkey.metadata_prefix.size());
    wanted_key_.append(subkey.key.data(), subkey.key.size());
    if (!remembers_ || wanted_key_ != remembered_key_) {
      Status status = db->Get(rocksdb::ReadOptions(), context_->metadata, wanted_key_, &remembered_value_);
      remembers_ = status.ok() || status.IsNotFound();
      if (!remembers_) return status;
      remembered_exists_ = status.ok();
      remembered_key_.swap(wanted_key_);
    }
    *bytes = remembered_exists_ ? &remembered_value_ : nullptr;
    return Status::OK();
  }

  Fate JudgeByKey(const Slice& key, MetadataRow* row) const {
    Subkey subkey;
    const std::string* bytes = nullptr;
    if (!subkey.Decode(key, context_->slot_encoded) || !FindMetadata(subkey, &bytes).ok()) return Fate::kKeep;
    if (!bytes) return Fate::kRemove;
    if (!row->Decode(*bytes)) return Fate::kKeep;
    uint64_t now_ms = context_->NowMs();
    bool dead = row->IsSingleRow() || row->version != subkey.version ||
                row->ExpiredAt(now_ms > kExpiryGraceMs ? now_ms - kExpiryGraceMs : 0);
    if (dead) return Fate::kRemove;
    return row->type == kBitmap || row->fields_expire ? Fate::kDependsOnValue : Fate::kKeep;
  }

  static bool IsAllZero(const Slice& value) {
    return std::all_of(value.data(), value.data() + value.size(), [](char byte) { return byte == 0; });
  }

  /** Value of a hash whose fields expire: u64 expiry in ms (0 = never), bytes. */
  bool IsExpiredField(Slice value) const {
    uint64_t expire_ms = 0;
    return GetFixed64(&value, &expire_ms) && expire_ms != 0 && expire_ms < context_->NowMs();
  }

  const FilterContext* const context_;
  // Only the compaction's own thread uses a filter.
  mutable std::string wanted_key_, remembered_key_, remembered_value_;
  mutable bool remembers_ = false, remembered_exists_ = false;
};

}  // namespace

std::unique_ptr<CompactionFilter> NewSubkeyFilter(const FilterContext* context) {
  return std::unique_ptr<CompactionFilter>(new SubkeyFilter(context));
}
