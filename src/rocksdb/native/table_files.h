// Table files whose reads may be limited to what the system's page cache has.
#pragma once

#include <memory>

#include "rocksdb/file_system.h"

/** The system's file system, with table files that know NoWait. Where a system cannot tell what is cached, reads wait. */
std::shared_ptr<rocksdb::FileSystem> NewTableFileSystem();

/** While one lives, a read by this thread that would have to wait for the disk fails with the status Incomplete. */
class NoWait {
 public:
  explicit NoWait(bool applies);
  ~NoWait();

  NoWait(const NoWait&) = delete;
  NoWait& operator=(const NoWait&) = delete;

 private:
  const bool before_;
};
