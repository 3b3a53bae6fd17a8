// RocksDB's counters, and the per-thread ones of perf context and I/O stats.
#include "rocksdb/statistics.h"

#include "js.h"
#include "methods.h"
#include "rocksdb/iostats_context.h"
#include "rocksdb/perf_context.h"
#include "rocksdb/perf_level.h"
#include "session.h"
#include "status.h"

namespace {

rocksdb::Statistics* StatisticsOf(napi_env env, void* data) {
  Session* session = Session::Of(env, data);
  return session ? session->database->settings().options.statistics.get() : nullptr;
}

napi_value HistogramObject(napi_env env, const rocksdb::HistogramData& data) {
  const std::pair<const char*, double> fields[] = {
      {"median", data.median}, {"p95", data.percentile95},
      {"p99", data.percentile99}, {"average", data.average},
      {"standardDeviation", data.standard_deviation}, {"max", data.max},
      {"min", data.min}, {"count", static_cast<double>(data.count)},
      {"sum", static_cast<double>(data.sum)}};
  napi_value result = js::Object(env);
  for (const auto& field : fields) js::Set(env, result, field.first, js::Number(env, field.second));
  return result;
}

}  // namespace

namespace methods {

/** ticker(name): undefined if there are no statistics, or none of this name */
napi_value Ticker(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  rocksdb::Statistics* statistics = StatisticsOf(env, args.data);
  if (!statistics) return nullptr;
  std::string name = js::Text(env, args.at[0]);
  for (const auto& ticker : rocksdb::TickersNameMap) {
    if (ticker.second == name) return js::Number(env, static_cast<double>(statistics->getTickerCount(ticker.first)));
  }
  return nullptr;
}

/** tickers(): name to count */
napi_value Tickers(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  rocksdb::Statistics* statistics = StatisticsOf(env, args.data);
  if (!statistics) return nullptr;
  napi_value result = js::Object(env);
  for (const auto& ticker : rocksdb::TickersNameMap) {
    auto count = static_cast<double>(statistics->getTickerCount(ticker.first));
    js::Set(env, result, ticker.second.c_str(), js::Number(env, count));
  }
  return result;
}

/** histograms(): name to its summary */
napi_value Histograms(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  rocksdb::Statistics* statistics = StatisticsOf(env, args.data);
  if (!statistics) return nullptr;
  napi_value result = js::Object(env);
  for (const auto& histogram : rocksdb::HistogramsNameMap) {
    rocksdb::HistogramData data;
    statistics->histogramData(histogram.first, &data);
    js::Set(env, result, histogram.second.c_str(), HistogramObject(env, data));
  }
  return result;
}

/** resetStatistics() */
napi_value ResetStatistics(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  rocksdb::Statistics* statistics = StatisticsOf(env, args.data);
  if (statistics) statistics->Reset().PermitUncheckedError();
  return nullptr;
}

/** setPerfLevel(level): perf-level.ts's numbers, as RocksDB renumbers its own; of this thread. Starts afresh. */
napi_value SetPerfLevel(napi_env env, napi_callback_info info) {
  static const rocksdb::PerfLevel levels[] = {rocksdb::kDisable, rocksdb::kEnableCount,
                                              rocksdb::kEnableTimeExceptForMutex,
                                              rocksdb::kEnableTimeAndCPUTimeExceptForMutex, rocksdb::kEnableTime};
  js::Arguments<1> args(env, info);
  uint32_t level = js::Uint32(env, args.at[0]);
  if (level >= sizeof(levels) / sizeof(levels[0])) return js::ThrowType(env, "no such perf level");
  rocksdb::SetPerfLevel(levels[level]);
  rocksdb::get_perf_context()->Reset();
  rocksdb::get_iostats_context()->Reset();
  return nullptr;
}

/** perfContext(): the text of what is not zero */
napi_value PerfContextText(napi_env env, napi_callback_info) {
  return js::String(env, rocksdb::get_perf_context()->ToString(true));
}

/** ioStats(): the text of what is not zero */
napi_value IoStatsText(napi_env env, napi_callback_info) {
  return js::String(env, rocksdb::get_iostats_context()->ToString(true));
}

}  // namespace methods
