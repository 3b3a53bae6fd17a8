// Snapshots by id; 0 is none.
#include "js.h"
#include "methods.h"
#include "rocksdb/snapshot.h"
#include "session.h"
#include "status.h"

namespace methods {

/** snapshot(): its id */
napi_value TakeSnapshot(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  const rocksdb::Snapshot* snapshot = session->db()->GetSnapshot();
  if (!snapshot) return Throw(env, rocksdb::Status::NotSupported("This database gives no snapshots"));
  uint32_t id = session->next_snapshot_id++;
  session->snapshots.emplace_back(id, snapshot);
  return js::Number(env, id);
}

/** snapshotSequence(id) */
napi_value SnapshotSequence(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  const rocksdb::Snapshot* snapshot = session->FindSnapshot(js::Uint32(env, args.at[0]));
  return snapshot ? js::Number(env, static_cast<double>(snapshot->GetSequenceNumber())) : js::Undefined(env);
}

/** releaseSnapshot(id): nothing happens when it is released already, or the database is closed. */
napi_value ReleaseSnapshot(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  auto* session = static_cast<Session*>(args.data);
  uint32_t id = js::Uint32(env, args.at[0]);
  for (auto it = session->snapshots.begin(); it != session->snapshots.end(); ++it) {
    if (it->first != id) continue;
    session->db()->ReleaseSnapshot(it->second);
    session->snapshots.erase(it);
    break;
  }
  return nullptr;
}

/** latestSequence() */
napi_value LatestSequence(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  return js::Number(env, static_cast<double>(session->db()->GetLatestSequenceNumber()));
}

}  // namespace methods
