// DatabaseSettings from the plain object that open-options.ts makes: RocksDB's own option names and strings.
#pragma once

#include <node_api.h>

#include "database.h"

rocksdb::Status ReadSettings(napi_env env, napi_value object, DatabaseSettings* settings);
