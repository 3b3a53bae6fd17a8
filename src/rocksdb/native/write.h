// Writes of serialized batches.
#pragma once

#include <cstdint>

#include "rocksdb/options.h"

/** The bits of native.ts, WRITE_*. */
rocksdb::WriteOptions WriteOptionsOf(uint32_t flags);
