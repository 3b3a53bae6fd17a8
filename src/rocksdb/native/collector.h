// Counts the dead rows of each new SST file, and asks for its compaction when they are many.
//
// Source: kvrocks src/storage/table_properties_collector.cc.
#pragma once

#include <memory>
#include <string>

#include "filters.h"
#include "rocksdb/table_properties.h"

/** `family` metadata counts the sizes in rows, and as dead those that a filter drops; any other only deletions. */
std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> NewCompactOnExpired(const std::string& family,
                                                                              float trigger_ratio,
                                                                              std::shared_ptr<FilterContext> context);
