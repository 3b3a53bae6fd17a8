#include "write.h"

#include <memory>
#include <utility>

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

// Sequence and count; RocksDB itself reads them unchecked.
static constexpr size_t kBatchHeaderBytes = 12;

bool ReadBatch(napi_env env, napi_value buffer, napi_value length_value, Slice* batch) {
  Slice bytes = js::Bytes(env, buffer);
  uint32_t length = js::Uint32(env, length_value);
  if (!bytes.data() || length > bytes.size()) {
    js::ThrowType(env, "a buffer and a length within it expected");
    return false;
  }
  if (length < kBatchHeaderBytes) {
    Throw(env, Status::Corruption("malformed WriteBatch (too small)"));
    return false;
  }
  *batch = Slice(bytes.data(), length);
  return true;
}

namespace methods {

/** write(batch, length, flags) */
napi_value Write(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  Slice bytes;
  if (!session || !ReadBatch(env, args.at[0], args.at[1], &bytes)) return nullptr;
  rocksdb::WriteBatch batch(bytes.ToString());
  Status status = session->db()->Write(WriteOptionsOf(js::Uint32(env, args.at[2])), &batch);
  return status.ok() ? nullptr : Throw(env, status);
}

/** onWritten(callback) */
napi_value OnWritten(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  session->SetCallback(&Session::on_written, args.at[0]);
  return nullptr;
}

/** beginWrite(batch, length, flags): the batch is copied. */
napi_value BeginWrite(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  Slice bytes;
  if (!session || !ReadBatch(env, args.at[0], args.at[1], &bytes)) return nullptr;
  if (!session->committer) session->committer = std::make_unique<Committer>(session->CallerOf(&Session::on_written));
  bool begins = session->committer->Begin(session->database, WriteOptionsOf(js::Uint32(env, args.at[2])), bytes.ToString());
  return begins ? nullptr : Throw(env, Status::Busy("The write before has not been ended"));
}

/** hasWritten(): false while endWrite() would wait. */
napi_value HasWritten(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  return js::Boolean(env, session && (!session->committer || session->committer->HasEnded()));
}

/** endWrite(): waits. Throws what the write failed with. */
napi_value EndWrite(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session || !session->committer) return nullptr;
  Status status = session->committer->End();
  return status.ok() ? nullptr : Throw(env, status);
}

}  // namespace methods
