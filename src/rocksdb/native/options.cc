// Settings of a running database.
#include <cstdlib>

#if __has_include(<rocksdb/advanced_cache.h>)  // RocksDB 8 moved the definition of Cache there.
#include <rocksdb/advanced_cache.h>
#endif

#include "js.h"
#include "methods.h"
#include "session.h"
#include "settings.h"
#include "status.h"

using rocksdb::Status;

namespace {

int IntOption(const OptionPairs& pairs, const char* name, int current) {
  auto found = pairs.find(name);
  return found == pairs.end() ? current : static_cast<int>(strtol(found->second.c_str(), nullptr, 10));
}

/** RocksDB puts these in order when it opens, but not here: it then asserts, where it asserts, and aborts. */
Status CheckLevel0Triggers(const rocksdb::Options& current, const OptionPairs& pairs) {
  int compact = IntOption(pairs, "level0_file_num_compaction_trigger", current.level0_file_num_compaction_trigger);
  int slow_down = IntOption(pairs, "level0_slowdown_writes_trigger", current.level0_slowdown_writes_trigger);
  int stop = IntOption(pairs, "level0_stop_writes_trigger", current.level0_stop_writes_trigger);
  if (compact <= slow_down && slow_down <= stop) return Status::OK();
  return Status::InvalidArgument(
      "level0_file_num_compaction_trigger <= level0_slowdown_writes_trigger <= level0_stop_writes_trigger must hold");
}

}  // namespace

namespace methods {

/** setOptions(family, pairs) */
napi_value SetOptions(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[0]);
  if (!family) return nullptr;
  OptionPairs pairs = ReadOptionPairs(env, args.at[1]);
  Status status = CheckLevel0Triggers(session->db()->GetOptions(family), pairs);
  if (status.ok()) status = session->db()->SetOptions(family, pairs);
  return status.ok() ? nullptr : Throw(env, status);
}

/** setDbOptions(pairs) */
napi_value SetDbOptions(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  Status status = session->db()->SetDBOptions(ReadOptionPairs(env, args.at[0]));
  return status.ok() ? nullptr : Throw(env, status);
}

/** setRateBytesPerSecond(bytes) */
napi_value SetRateBytesPerSecond(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  const auto& limiter = session->database->settings().options.rate_limiter;
  if (!limiter) return Throw(env, Status::NotSupported("The database has no rate limiter"));
  limiter->SetBytesPerSecond(js::Int64(env, args.at[0]));
  return nullptr;
}

/** setDeleteRateBytesPerSecond(bytes): of table files; 0 = no limit */
napi_value SetDeleteRateBytesPerSecond(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  session->database->settings().options.sst_file_manager->SetDeleteRateBytesPerSecond(js::Int64(env, args.at[0]));
  return nullptr;
}

/** setReclaimBefore(ms): what expires later stays where compactions meet it */
napi_value SetReclaimBefore(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto ms = static_cast<uint64_t>(js::Int64(env, args.at[0]));
  session->database->settings().filter_context->reclaim_before_ms.store(ms, std::memory_order_relaxed);
  return nullptr;
}

/** setSpaceBytesMax(bytes): of all SST files; 0 = no limit */
napi_value SetSpaceBytesMax(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto bytes = static_cast<uint64_t>(js::Int64(env, args.at[0]));
  session->database->settings().options.sst_file_manager->SetMaxAllowedSpaceUsage(bytes);
  return nullptr;
}

/** setBlockCacheBytes(bytes) */
napi_value SetBlockCacheBytes(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  session->database->settings().block_cache->SetCapacity(static_cast<size_t>(js::Int64(env, args.at[0])));
  return nullptr;
}

/** clearBlockCache(): what nobody uses at the moment */
napi_value ClearBlockCache(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  session->database->settings().block_cache->EraseUnRefEntries();
  return nullptr;
}

/** blockCacheUsage(): [capacity, used, pinned], bytes */
napi_value BlockCacheUsage(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  const auto& cache = session->database->settings().block_cache;
  const size_t bytes[] = {cache->GetCapacity(), cache->GetUsage(), cache->GetPinnedUsage()};
  napi_value result = js::Array(env, 3);
  for (uint32_t i = 0; i < 3; i++) napi_set_element(env, result, i, js::Number(env, static_cast<double>(bytes[i])));
  return result;
}

}  // namespace methods
