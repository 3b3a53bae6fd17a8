// RocksDB's own log, the file LOG beside the database.
#pragma once

#include "rocksdb/env.h"

/**
 * The system's files, with tables that know NoWait (table_files.h) and a LOG that outlives a full disk: RocksDB's own writer of it must not be called again once a
 * write has failed, and where RocksDB asserts that ends the process. Lives as long as the process.
 */
rocksdb::Env* EnvWithPatientLog();
