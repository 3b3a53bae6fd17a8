// Writes of serialized batches.
#pragma once

#include <node_api.h>

#include <cstdint>

#include "rocksdb/options.h"
#include "rocksdb/slice.h"

/** The bits of native.ts, WRITE_*. */
rocksdb::WriteOptions WriteOptionsOf(uint32_t flags);

/** The batch in `buffer[0..length)`, borrowed until the call returns. Throws and returns false when it is none. */
bool ReadBatch(napi_env env, napi_value buffer, napi_value length, rocksdb::Slice* batch);
