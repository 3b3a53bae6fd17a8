#include "session.h"

#include "job.h"
#include "js.h"
#include "methods.h"
#include "status.h"

Session::Session(napi_env environment, std::shared_ptr<Database> shared)
    : env(environment), database(std::move(shared)), families(database->column_families()), mailbox(Mailbox::Create(environment)) {
  cache_only_options.read_tier = rocksdb::kBlockCacheTier;
  napi_add_env_cleanup_hook(env, OnEnvironmentExit, this);
}

Session::~Session() {
  napi_remove_env_cleanup_hook(env, OnEnvironmentExit, this);
  CloseNow();
}

void Session::OnEnvironmentExit(void* data) {
  auto* session = static_cast<Session*>(data);
  session->references_++;
  session->CloseNow();
  session->Release();
}

void Session::Release() {
  if (--references_ == 0) delete this;
}

void Session::JobBegins() {
  references_++;
  pending_jobs_++;
  mailbox->Hold(env);
}

void Session::JobEnds() {
  mailbox->Unhold(env);
  pending_jobs_--;
  Release();
}

void Session::OnFunctionCollected(napi_env, void* data, void*) {
  static_cast<Session*>(data)->Release();
}

void Session::Define(napi_value object, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, this, &function) != napi_ok) return;
  references_++;
  if (napi_add_finalizer(env, function, this, OnFunctionCollected, nullptr, nullptr) != napi_ok) references_--;
  js::Set(env, object, name, function);
}

napi_value Session::ToJs() {
  napi_value object = js::Object(env);
#define DEFINE(name, function) Define(object, #name, methods::function);
  SESSION_METHODS(DEFINE)
#undef DEFINE
  return object;
}

Session* Session::Of(napi_env env, void* data) {
  auto* session = static_cast<Session*>(data);
  if (session->database) return session;
  Throw(env, rocksdb::Status::InvalidArgument("The database is closed"));
  return nullptr;
}

const rocksdb::Snapshot* Session::FindSnapshot(uint32_t id) const {
  for (const auto& entry : snapshots) {
    if (entry.first == id) return entry.second;
  }
  return nullptr;
}

bool Session::Bind(BoundBuffer* bound, napi_value buffer) {
  rocksdb::Slice bytes = js::Bytes(env, buffer);
  if (!bytes.data()) return false;
  Unbind(bound);
  if (napi_create_reference(env, buffer, 1, &bound->ref) != napi_ok) return false;
  bound->data = const_cast<char*>(bytes.data());
  bound->size = bytes.size();
  return true;
}

void Session::Unbind(BoundBuffer* bound) {
  if (bound->ref) napi_delete_reference(env, bound->ref);
  *bound = BoundBuffer();
}

rocksdb::ColumnFamilyHandle* Session::FamilyOf(napi_value index) const {
  auto* found = family(js::Uint32(env, index));
  if (!found) Throw(env, rocksdb::Status::InvalidArgument("No such column family"));
  return found;
}

namespace {

/** Calls a session's callback. Delivered only while the session's mailbox is open, hence the session. */
class CallbackMessage : public Message {
 public:
  CallbackMessage(Session* session, napi_ref Session::* place) : session_(session), place_(place) {}

  void Deliver(napi_env env) override {
    napi_ref reference = session_->*place_;
    napi_value callback = nullptr;
    if (!reference || napi_get_reference_value(env, reference, &callback) != napi_ok) return;
    napi_call_function(env, js::Undefined(env), callback, 0, nullptr, nullptr);
  }

 private:
  Session* const session_;
  napi_ref Session::* const place_;
};

}  // namespace

void Session::SetCallback(napi_ref Session::* place, napi_value function) {
  if (this->*place) napi_delete_reference(env, std::exchange(this->*place, nullptr));
  napi_create_reference(env, function, 1, &(this->*place));
}

std::function<void()> Session::CallerOf(napi_ref Session::* place) {
  return [this, place, mailbox = mailbox] { mailbox->Post(std::make_unique<CallbackMessage>(this, place)); };
}

void Session::CloseNow() {
  if (!database) return;
  StopListening();
  committer.reset();
  fetcher.reset();
  if (on_fetched) napi_delete_reference(env, std::exchange(on_fetched, nullptr));
  if (on_written) napi_delete_reference(env, std::exchange(on_written, nullptr));
  bool has_jobs = pending_jobs_ > 0;
  if (has_jobs) db()->DisableManualCompaction();
  mailbox->Close();
  if (has_jobs) db()->EnableManualCompaction();
  found.Reset();
  iterators.clear();
  wal_readers.clear();
  for (const auto& entry : snapshots) db()->ReleaseSnapshot(entry.second);
  snapshots.clear();
  Unbind(&key);
  Unbind(&value);
  for (auto& chunk : chunks) Unbind(&chunk);
  chunks.clear();
  families.clear();
  database.reset();
}

namespace methods {

/** bind(keyBuffer, valueBuffer) */
napi_value Bind(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  if (!session->Bind(&session->key, args.at[0]) || !session->Bind(&session->value, args.at[1])) {
    return js::ThrowType(env, "two buffers expected");
  }
  return nullptr;
}

/** close(): whatever still lives is released, except running jobs, which have to end first. */
napi_value Close(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  auto* session = static_cast<Session*>(args.data);
  if (session->pending_jobs() > 0) return Throw(env, rocksdb::Status::Busy("The database has running jobs"));
  session->CloseNow();
  return nullptr;
}

/** liveHandles(): [iterators, WAL readers, snapshots, jobs] */
napi_value LiveHandles(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  auto* session = static_cast<Session*>(args.data);
  int32_t iterators = 0;
  for (const auto& iterator : session->iterators) iterators += iterator != nullptr;
  napi_value result = js::Array(env, 4);
  napi_set_element(env, result, 0, js::Int32(env, iterators));
  napi_set_element(env, result, 1, js::Int32(env, static_cast<int32_t>(session->wal_readers.size())));
  napi_set_element(env, result, 2, js::Int32(env, static_cast<int32_t>(session->snapshots.size())));
  napi_set_element(env, result, 3, js::Int32(env, session->pending_jobs()));
  return result;
}

}  // namespace methods
