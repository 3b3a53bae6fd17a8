// Drops index data of keys that are gone: search entries, and the time series' label entries.
//
//   search: u8 length of namespace, namespace, u8 kind, sized index, sized field, data, sized key
//           data of a tag field: sized tag; of a numeric field: 8 bytes
//   label:  u8 length of namespace, namespace, u8 kind, sized label, sized value, key
//
// Source: kvrocks src/storage/compact_filter.cc, SearchFilter and IndexFilter.
#include "filters.h"
#include "metadata_row.h"

using rocksdb::CompactionFilter;
using rocksdb::Slice;
using rocksdb::Status;

namespace {

enum SearchKind : uint8_t { kFieldMeta = 2, kFieldData = 3 };
enum IndexKind : uint8_t { kLabel = 0 };
enum FieldType : uint8_t { kTag = 1, kNumeric = 2 };

/** Takes the namespace with its length byte off the front. */
bool GetNamespace(Slice* input, Slice* prefix) {
  if (input->empty()) return false;
  size_t bytes = 1 + static_cast<uint8_t>((*input)[0]);
  if (input->size() < bytes) return false;
  *prefix = Slice(input->data(), bytes);
  input->remove_prefix(bytes);
  return true;
}

std::string Joined(const Slice& first, const Slice& second) {
  std::string joined(first.data(), first.size());
  joined.append(second.data(), second.size());
  return joined;
}

class SearchFilter : public CompactionFilter {
 public:
  explicit SearchFilter(const FilterContext* context) : context_(context) {}

  const char* Name() const override { return "SearchFilter"; }

  bool Filter(int, const Slice& key, const Slice&, std::string*, bool*) const override {
    rocksdb::DB* db = context_->db.load(std::memory_order_acquire);
    // In a slot-encoded directory nothing is indexed; the slot of the key is not in these rows.
    if (!db || !context_->search || context_->slot_encoded) return false;
    Slice rest = key;
    Slice name_space, index, field, user_key;
    uint8_t kind = 0;
    if (!GetNamespace(&rest, &name_space) || !GetFixed8(&rest, &kind) || kind != kFieldData) return false;
    const char* names = rest.data();
    if (!GetSized(&rest, &index) || !GetSized(&rest, &field)) return false;
    std::string meta_key = name_space.ToString();
    meta_key.push_back(static_cast<char>(kFieldMeta));
    meta_key.append(names, static_cast<size_t>(rest.data() - names));
    std::string meta;
    Status status = db->Get(rocksdb::ReadOptions(), context_->search, meta_key, &meta);
    if (status.IsNotFound()) return true;
    if (!status.ok() || !GetKey(meta, rest, &user_key)) return false;
    return IsKeyGone(context_, Joined(name_space, user_key));
  }

 private:
  /** The key that an entry of a tag or numeric field is about; vector fields are not judged. */
  static bool GetKey(const std::string& meta, Slice data, Slice* user_key) {
    if (meta.empty()) return false;
    auto type = static_cast<uint8_t>(meta[0]) >> 1;
    Slice tag;
    uint64_t number = 0;
    if (type == kTag) return GetSized(&data, &tag) && GetSized(&data, user_key);
    if (type == kNumeric) return GetFixed64(&data, &number) && GetSized(&data, user_key);
    return false;
  }

  const FilterContext* const context_;
};

class IndexFilter : public CompactionFilter {
 public:
  explicit IndexFilter(const FilterContext* context) : context_(context) {}

  const char* Name() const override { return "IndexFilter"; }

  bool Filter(int, const Slice& key, const Slice&, std::string*, bool*) const override {
    if (context_->slot_encoded) return false;
    Slice rest = key;
    Slice name_space, label, value;
    uint8_t kind = 0;
    if (!GetNamespace(&rest, &name_space) || !GetFixed8(&rest, &kind) || kind != kLabel) return false;
    if (!GetSized(&rest, &label) || !GetSized(&rest, &value)) return false;
    return IsKeyGone(context_, Joined(name_space, rest));
  }

 private:
  const FilterContext* const context_;
};

}  // namespace

std::unique_ptr<CompactionFilter> NewSearchFilter(const FilterContext* context) {
  return std::unique_ptr<CompactionFilter>(new SearchFilter(context));
}

std::unique_ptr<CompactionFilter> NewIndexFilter(const FilterContext* context) {
  return std::unique_ptr<CompactionFilter>(new IndexFilter(context));
}
