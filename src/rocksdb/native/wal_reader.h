// The write-ahead log from a sequence on, resumable: it stays open at the end, and reopens itself across log files.
//
//   batch: u64 little-endian sequence, u32 byte length, the serialized WriteBatch
#pragma once

#include <memory>
#include <string>

#include "rocksdb/db.h"
#include "rocksdb/transaction_log.h"

class WalReader {
 public:
  explicit WalReader(rocksdb::SequenceNumber sequence) : next_sequence_(sequence) {}

  /** Appends at least one batch if there is one, and stops after `batches_max` batches or `bytes_max` bytes. */
  rocksdb::Status Read(rocksdb::DB* db, uint32_t batches_max, size_t bytes_max, std::string* out);

 private:
  rocksdb::Status Position(rocksdb::DB* db);

  rocksdb::SequenceNumber next_sequence_;
  bool consumed_ = false;
  std::unique_ptr<rocksdb::TransactionLogIterator> iterator_;
};
