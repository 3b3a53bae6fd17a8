#include "metadata_row.h"

using rocksdb::Slice;

namespace {

constexpr uint8_t kTypeMask = 0x0f;
constexpr uint8_t kWideMask = 0x80;
constexpr uint8_t kFieldsExpireMode = 1;

bool GetBigEndian(Slice* input, size_t bytes, uint64_t* value) {
  if (input->size() < bytes) return false;
  uint64_t result = 0;
  for (size_t i = 0; i < bytes; i++) result = result << 8 | static_cast<uint8_t>((*input)[i]);
  input->remove_prefix(bytes);
  *value = result;
  return true;
}

}  // namespace

bool GetFixed8(Slice* input, uint8_t* value) {
  uint64_t wide = 0;
  if (!GetBigEndian(input, 1, &wide)) return false;
  *value = static_cast<uint8_t>(wide);
  return true;
}

bool GetFixed32(Slice* input, uint32_t* value) {
  uint64_t wide = 0;
  if (!GetBigEndian(input, 4, &wide)) return false;
  *value = static_cast<uint32_t>(wide);
  return true;
}

bool GetFixed64(Slice* input, uint64_t* value) { return GetBigEndian(input, 8, value); }

bool GetSized(Slice* input, Slice* value) {
  Slice rest = *input;
  uint32_t length = 0;
  if (!GetFixed32(&rest, &length) || rest.size() < length) return false;
  *value = Slice(rest.data(), length);
  rest.remove_prefix(length);
  *input = rest;
  return true;
}

bool MetadataRow::Decode(const Slice& value) {
  Slice rest = value;
  uint8_t flags = 0;
  if (!GetFixed8(&rest, &flags)) return false;
  type = flags & kTypeMask;
  bool wide = (flags & kWideMask) != 0;
  size_t field_bytes = wide ? 8 : 4;
  if (!GetBigEndian(&rest, field_bytes, &expire_ms)) return false;
  if (!wide) expire_ms *= 1000;
  if (IsSingleRow()) return true;
  if (!GetFixed64(&rest, &version) || !GetBigEndian(&rest, field_bytes, &size)) return false;
  if (type == kHash) DecodeFieldExpiry(rest);
  return true;
}

void MetadataRow::DecodeFieldExpiry(Slice tail) {
  uint8_t mode = 0;
  uint64_t lower = 0;
  if (!GetFixed8(&tail, &mode) || mode != kFieldsExpireMode) return;
  fields_expire = GetFixed64(&tail, &persistent_fields) && GetFixed64(&tail, &lower) &&
                  GetFixed64(&tail, &last_field_expire_ms);
}

bool MetadataRow::ExpiredAt(uint64_t now_ms) const {
  // From streams on, types may be empty.
  bool emptyable = IsSingleRow() || type >= kStream;
  if (!emptyable && size == 0) return true;
  return expire_ms != 0 && expire_ms < now_ms;
}

bool MetadataRow::AllFieldsExpiredAt(uint64_t now_ms) const {
  return fields_expire && persistent_fields == 0 && last_field_expire_ms != 0 && last_field_expire_ms < now_ms;
}
