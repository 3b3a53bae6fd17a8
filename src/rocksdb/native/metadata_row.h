// The value of a row in the metadata column family, as far as compaction must understand it.
//
//   flags(1) expire(8 ms | 4 s) [version(8) size(8 | 4)] tail        all big-endian
//   flags    bit 7: wide fields; bits 0-3: data type
//   tail     of a hash: absent, or mode(1) persist(8) lower(8) upper(8); mode 1: fields carry an expiry
//
// Source: kvrocks src/storage/redis_metadata.cc, Metadata::Decode; data-structure-on-rocksdb.md, "Hash".
#pragma once

#include <cstdint>

#include "rocksdb/slice.h"

enum RedisType : uint8_t { kString = 1, kHash = 2, kBitmap = 6, kStream = 8, kJson = 10 };

struct MetadataRow {
  uint8_t type = 0;
  uint64_t expire_ms = 0;
  uint64_t version = 0;
  uint64_t size = 0;
  bool fields_expire = false;
  uint64_t persistent_fields = 0;
  uint64_t last_field_expire_ms = 0;

  /** False when the bytes are too short. */
  bool Decode(const rocksdb::Slice& value);

  /** The whole value stands in the metadata row: there are no sub-keys. */
  bool IsSingleRow() const { return type == kString || type == kJson; }

  /** An expiry that equals `now_ms` is still alive. */
  bool ExpiredAt(uint64_t now_ms) const;

  /** Every field of this hash has an expiry, and the last of them lies before `now_ms`. */
  bool AllFieldsExpiredAt(uint64_t now_ms) const;

 private:
  void DecodeFieldExpiry(rocksdb::Slice tail);
};

/** Reads of big-endian numbers that shorten the input; false, and nothing read, when it is too short. */
bool GetFixed8(rocksdb::Slice* input, uint8_t* value);
bool GetFixed32(rocksdb::Slice* input, uint32_t* value);
bool GetFixed64(rocksdb::Slice* input, uint64_t* value);

/** u32 length and bytes. */
bool GetSized(rocksdb::Slice* input, rocksdb::Slice* value);
