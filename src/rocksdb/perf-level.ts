/** What the perf context counts. Source: rocksdb/perf_level.h, whose own numbers differ between versions. */
export type PerfLevel = 0 | 1 | 2
export const PERF_DISABLE = 0
export const PERF_ENABLE_COUNT = 1
export const PERF_ENABLE_TIME_EXCEPT_FOR_MUTEX = 2
