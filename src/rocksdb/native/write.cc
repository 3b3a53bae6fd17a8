#include "write.h"

#include "js.h"
#include "methods.h"
#include "rocksdb/write_batch.h"
#include "session.h"
#include "status.h"

using rocksdb::Slice;
using rocksdb::Status;

rocksdb::WriteOptions WriteOptionsOf(uint32_t flags) {
  rocksdb::WriteOptions options;
  options.sync = (flags & 1) != 0;
  options.disableWAL = (flags & 2) != 0;
  options.no_slowdown = (flags & 4) != 0;
  options.low_pri = (flags & 8) != 0;
  options.memtable_insert_hint_per_batch = (flags & 16) != 0;
  return options;
}

namespace {

// Sequence and count; RocksDB itself reads them unchecked.
constexpr size_t kBatchHeaderBytes = 12;

}  // namespace

namespace methods {

/** write(batch, length, flags) */
napi_value Write(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  Slice bytes = js::Bytes(env, args.at[0]);
  uint32_t length = js::Uint32(env, args.at[1]);
  if (!bytes.data() || length > bytes.size()) return js::ThrowType(env, "a buffer and a length within it expected");
  if (length < kBatchHeaderBytes) return Throw(env, Status::Corruption("malformed WriteBatch (too small)"));
  rocksdb::WriteBatch batch(std::string(bytes.data(), length));
  Status status = session->db()->Write(WriteOptionsOf(js::Uint32(env, args.at[2])), &batch);
  return status.ok() ? nullptr : Throw(env, status);
}

}  // namespace methods
