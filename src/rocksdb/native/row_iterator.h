// A RocksDB iterator with bounds that hands over rows by the chunk.
//
//   row: u32 little-endian key length, u32 value length, key, value
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "rocksdb/db.h"
#include "rocksdb/iterator.h"

class RowIterator {
 public:
  struct Settings {
    bool reverse = false;
    bool keys_only = false;
    /** A row that is not in the page cache ends the iteration with the status Incomplete. */
    bool waits_not = false;
  };

  /** Bounds are set on read_options by Open; they are copied here, where RocksDB's pointers stay valid. */
  RowIterator(const Settings& settings, const rocksdb::Slice* lower, const rocksdb::Slice* upper);

  void Open(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family, rocksdb::ReadOptions options);

  /** The next row is the first one at or after `key` (at or before it in reverse), within the bounds. */
  void Seek(const rocksdb::Slice& key);

  /**
   * Copies the next rows, at most `rows_max`, and advances. Returns the bytes written; 0 at the end. A first row that
   * does not fit gives its size negated, and nothing moves.
   */
  int64_t Fill(char* chunk, size_t chunk_bytes, uint32_t rows_max);

  rocksdb::Status status() const { return iterator_->status(); }

 private:
  void SeekToStart();

  const Settings settings_;
  std::string lower_bytes_, upper_bytes_;
  rocksdb::Slice lower_, upper_;
  const bool has_lower_, has_upper_;
  bool started_ = false;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};
