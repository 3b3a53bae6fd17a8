#include "settings.h"

#include <string>

#include "collector.h"
#include "info_log.h"
#include "js.h"
#include "rocksdb/convenience.h"
#include "rocksdb/table.h"
#include "rocksdb/version.h"

using rocksdb::Status;

OptionPairs ReadOptionPairs(napi_env env, napi_value array) {
  OptionPairs pairs;
  uint32_t length = js::Length(env, array);
  for (uint32_t i = 0; i + 1 < length; i += 2) {
    pairs[js::Text(env, js::At(env, array, i))] = js::Text(env, js::At(env, array, i + 1));
  }
  return pairs;
}

namespace {

// Of dead rows in a file, from which on it is compacted.
constexpr float kCompactRatio = 0.3f;

double ReadNumber(napi_env env, napi_value object, const char* name) {
  double value = 0;
  napi_get_value_double(env, js::Get(env, object, name), &value);
  return value;
}

std::string ReadText(napi_env env, napi_value object, const char* name) {
  return js::Text(env, js::Get(env, object, name));
}

bool ReadBool(napi_env env, napi_value object, const char* name) {
  return js::Bool(env, js::Get(env, object, name));
}

std::shared_ptr<rocksdb::Cache> ReadBlockCache(napi_env env, napi_value object) {
  auto bytes = static_cast<size_t>(ReadNumber(env, object, "blockCacheBytes"));
  if (ReadText(env, object, "blockCacheType") == "hcc") {
#if ROCKSDB_MAJOR >= 8
    size_t entry_charge = 0;
#else
    auto entry_charge = static_cast<size_t>(ReadNumber(env, object, "blockBytes"));
    if (entry_charge == 0) entry_charge = 4096;
#endif
    return rocksdb::HyperClockCacheOptions(bytes, entry_charge).MakeSharedCache();
  }
  return rocksdb::NewLRUCache(bytes, -1, false, ReadNumber(env, object, "blockCacheHighPriRatio"));
}

Status ReadColumnFamily(napi_env env, napi_value object, const rocksdb::ConfigOptions& config,
                        DatabaseSettings* settings) {
  ColumnFamilySettings family;
  family.name = ReadText(env, object, "name");
  Status status = rocksdb::GetColumnFamilyOptionsFromMap(config, rocksdb::ColumnFamilyOptions(),
                                                         ReadOptionPairs(env, js::Get(env, object, "options")),
                                                         &family.options);
  if (!status.ok()) return status;
  rocksdb::BlockBasedTableOptions table;
  status = rocksdb::GetBlockBasedTableOptionsFromMap(config, rocksdb::BlockBasedTableOptions(),
                                                     ReadOptionPairs(env, js::Get(env, object, "table")), &table);
  if (!status.ok()) return status;
  family.filter = ReadText(env, object, "filter");
  family.options.compaction_filter_factory = NewFilterFactory(family.filter, settings->filter_context);
  std::string collector = ReadText(env, object, "collector");
  if (!collector.empty()) {
    family.options.table_properties_collector_factories.push_back(NewCompactOnExpired(collector, kCompactRatio, settings->filter_context));
  }
  if (ReadBool(env, object, "sharesBlockCache")) table.block_cache = settings->block_cache;
  family.options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
#if ROCKSDB_MAJOR > 7 || (ROCKSDB_MAJOR == 7 && ROCKSDB_MINOR >= 7)
  if (settings->caches_blobs) family.options.blob_cache = settings->block_cache;
#endif
  settings->column_families.push_back(std::move(family));
  return Status::OK();
}

/** What has no spelling as an option string: objects. */
void ReadSharedObjects(napi_env env, napi_value object, DatabaseSettings* settings) {
  auto& options = settings->options;
  if (ReadBool(env, object, "statistics")) options.statistics = rocksdb::CreateDBStatistics();
  auto row_cache_bytes = static_cast<size_t>(ReadNumber(env, object, "rowCacheBytes"));
  if (row_cache_bytes > 0) {
#if ROCKSDB_MAJOR >= 9
    rocksdb::LRUCacheOptions row_cache;
    row_cache.capacity = row_cache_bytes;
    row_cache.high_pri_pool_ratio = 0.5;
    options.row_cache = row_cache.MakeSharedRowCache();
#else
    options.row_cache = rocksdb::NewLRUCache(row_cache_bytes, -1, false, 0.5);
#endif
  }
  options.env = EnvWithPatientLog();
  auto delete_rate = static_cast<int64_t>(ReadNumber(env, object, "deleteRateBytesPerSecond"));
  options.sst_file_manager.reset(rocksdb::NewSstFileManager(rocksdb::Env::Default(), nullptr, "", delete_rate));
  auto rate = static_cast<int64_t>(ReadNumber(env, object, "rateBytesPerSecond"));
  if (rate > 0) {
    options.rate_limiter.reset(rocksdb::NewGenericRateLimiter(rate, 100 * 1000, 10,
                                                              rocksdb::RateLimiter::Mode::kWritesOnly,
                                                              ReadBool(env, object, "rateAutoTuned")));
  }
  settings->block_cache = ReadBlockCache(env, object);
  settings->caches_blobs = ReadBool(env, object, "cachesBlobs");
}

}  // namespace

Status ReadSettings(napi_env env, napi_value object, DatabaseSettings* settings) {
  rocksdb::ConfigOptions config;
  config.ignore_unknown_options = false;
  config.ignore_unsupported_options = false;
  Status status = rocksdb::GetDBOptionsFromMap(config, rocksdb::DBOptions(),
                                               ReadOptionPairs(env, js::Get(env, object, "db")), &settings->options);
  if (!status.ok()) return status;
  std::string mode = ReadText(env, object, "mode");
  settings->mode = mode == "readOnly"    ? OpenMode::kReadOnly
                   : mode == "secondary" ? OpenMode::kSecondary
                                         : OpenMode::kReadWrite;
  settings->secondary_path = ReadText(env, object, "secondaryPath");
  settings->filter_context = std::make_shared<FilterContext>();
  settings->filter_context->slot_encoded = ReadBool(env, object, "slotEncoded");
  settings->filter_context->reclaim_before_ms = static_cast<uint64_t>(ReadNumber(env, object, "reclaimBeforeMs"));
  settings->listener = std::make_shared<Listener>(settings->filter_context);
  settings->options.listeners.push_back(settings->listener);
  ReadSharedObjects(env, object, settings);
  napi_value families = js::Get(env, object, "columnFamilies");
  uint32_t count = js::Length(env, families);
  for (uint32_t i = 0; i < count && status.ok(); i++) {
    status = ReadColumnFamily(env, js::At(env, families, i), config, settings);
  }
  return status;
}
