// What compaction drops, by column family. They run on RocksDB's threads and never see JavaScript.
//
// Source: kvrocks src/storage/compact_filter.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "rocksdb/compaction_filter.h"
#include "rocksdb/db.h"

/** What filters look things up in. The database is unset until it is open: until then they keep what they cannot judge. */
struct FilterContext {
  std::atomic<rocksdb::DB*> db{nullptr};
  rocksdb::ColumnFamilyHandle* metadata = nullptr;
  rocksdb::ColumnFamilyHandle* search = nullptr;
  bool slot_encoded = false;
  /** What expires at this or later is kept although its time is over: its end has not been told. */
  std::atomic<uint64_t> reclaim_before_ms{UINT64_MAX};

  /** The time at which rows are judged. */
  uint64_t NowMs() const;
};

/** `name`: metadata, subkey, pubsub, propagate, search or index. Null for any other. */
std::shared_ptr<rocksdb::CompactionFilterFactory> NewFilterFactory(const std::string& name,
                                                                   std::shared_ptr<FilterContext> context);

std::unique_ptr<rocksdb::CompactionFilter> NewMetadataFilter(const FilterContext* context);
std::unique_ptr<rocksdb::CompactionFilter> NewSubkeyFilter(const FilterContext* context);
std::unique_ptr<rocksdb::CompactionFilter> NewSearchFilter(const FilterContext* context);
std::unique_ptr<rocksdb::CompactionFilter> NewIndexFilter(const FilterContext* context);

/** Whether a reverse entry's key is gone: its metadata row is missing or expired. False when that cannot be told. */
bool IsKeyGone(const FilterContext* context, const std::string& metadata_key);
