// Whether the linked RocksDB asserts. Its SyncPoint class exists only when it was compiled without NDEBUG.
#include "linkage.h"

namespace rocksdb {

class __attribute__((visibility("default"))) SyncPoint {
 public:
  __attribute__((weak, visibility("default"))) static SyncPoint* GetInstance();
};

}  // namespace rocksdb

bool RocksDBAsserts() { return &rocksdb::SyncPoint::GetInstance != nullptr; }
