// DatabaseSettings from the plain object that open-options.ts makes: RocksDB's own option names and strings.
#pragma once

#include <node_api.h>

#include <string>
#include <unordered_map>

#include "database.h"

using OptionPairs = std::unordered_map<std::string, std::string>;

/** A flat array: name, value, name, value. */
OptionPairs ReadOptionPairs(napi_env env, napi_value array);

rocksdb::Status ReadSettings(napi_env env, napi_value object, DatabaseSettings* settings);
