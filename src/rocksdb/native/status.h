// A RocksDB status as the RocksDBError that JavaScript throws.
#pragma once

#include <node_api.h>

#include "rocksdb/status.h"

const char* StatusCodeName(const rocksdb::Status& status);
const char* StatusSubcodeName(const rocksdb::Status& status);
const char* StatusSeverityName(const rocksdb::Status& status);

/** Whether DB::Resume() can be expected to help: see ErrorHandler, which marks no-space errors below fatal. */
bool StatusIsRetryable(const rocksdb::Status& status);

napi_value ErrorOf(napi_env env, const rocksdb::Status& status);

/** Throws; returns null for `return Throw(…)`. */
napi_value Throw(napi_env env, const rocksdb::Status& status);
