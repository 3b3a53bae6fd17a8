// One open RocksDB of this process. Sessions of several threads and running jobs share it; the last one closes it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "filters.h"
#include "listener.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/rate_limiter.h"
#include "rocksdb/sst_file_manager.h"
#include "rocksdb/statistics.h"

struct ColumnFamilySettings {
  std::string name;
  /** See NewFilterFactory; empty for none. */
  std::string filter;
  rocksdb::ColumnFamilyOptions options;
};

enum class OpenMode { kReadWrite, kReadOnly, kSecondary };

struct DatabaseSettings {
  OpenMode mode = OpenMode::kReadWrite;
  std::string secondary_path;
  rocksdb::DBOptions options;
  std::vector<ColumnFamilySettings> column_families;
  std::shared_ptr<rocksdb::Cache> block_cache;
  /** Values of blob files enter it. */
  bool caches_blobs = false;
  std::shared_ptr<FilterContext> filter_context;
  std::shared_ptr<Listener> listener;
};

class Database {
 public:
  /** Opens, and refuses a directory whose column family ids do not follow the given order. */
  static rocksdb::Status Open(const std::string& path, DatabaseSettings settings, std::shared_ptr<Database>* database);

  ~Database();

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB* db() const { return db_; }
  const std::string& path() const { return path_; }
  size_t column_family_count() const { return column_families_.size(); }
  const std::vector<rocksdb::ColumnFamilyHandle*>& column_families() const { return column_families_; }
  const DatabaseSettings& settings() const { return settings_; }
  Listener* listener() const { return settings_.listener.get(); }

 private:
  Database(std::string path, DatabaseSettings settings) : path_(std::move(path)), settings_(std::move(settings)) {}

  rocksdb::Status OpenFiles();
  rocksdb::Status CheckColumnFamilyIds() const;
  void ConnectFilters();

  const std::string path_;
  DatabaseSettings settings_;
  rocksdb::DB* db_ = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> column_families_;
};
