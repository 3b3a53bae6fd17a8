// The open databases of this process by path, so that another thread can attach to one.
#pragma once

#include <memory>
#include <string>

#include "database.h"

/** `path` as one spelling: absolute, symbolic links resolved. */
std::string CanonicalPath(const std::string& path);

void RegisterDatabase(const std::shared_ptr<Database>& database);

/** Null when no open database has this canonical path. */
std::shared_ptr<Database> FindDatabase(const std::string& path);

/** Stops RocksDB's and our own threads for good: for a process that is about to end. */
void StopDatabases();
