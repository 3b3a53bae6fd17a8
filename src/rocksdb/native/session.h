// One thread's use of a Database: its bound buffers, iterators, snapshots and WAL readers. Only that thread touches it.
//
// JavaScript holds a session as an object of functions; each function has the session bound to it, which spares hot
// calls the unwrapping of `this`. A session lives until close() and until the last of its functions is collected.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "committer.h"
#include "database.h"
#include "fetcher.h"
#include "listener.h"
#include "mailbox.h"
#include "row_iterator.h"
#include "wal_reader.h"

class Session {
 public:
  Session(napi_env env, std::shared_ptr<Database> database);
  ~Session();

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /** The object of bound functions. */
  napi_value ToJs();

  /** The session bound to the called function. Throws and returns null when it is closed. */
  static Session* Of(napi_env env, void* data);

  /** Waits for running jobs and releases everything, iterators and readers included. */
  void CloseNow();

  /** A job keeps the session and the event loop alive. */
  void JobBegins();
  void JobEnds();
  int pending_jobs() const { return pending_jobs_; }

  void StopListening();

  const rocksdb::Snapshot* FindSnapshot(uint32_t id) const;

  rocksdb::DB* db() const { return database->db(); }
  rocksdb::ColumnFamilyHandle* family(uint32_t index) const {
    return index < families.size() ? families[index] : nullptr;
  }
  /** The column family that an argument names by its index. Throws and returns null where there is none. */
  rocksdb::ColumnFamilyHandle* FamilyOf(napi_value index) const;

  /** A Buffer whose memory the session uses until it is closed. */
  struct BoundBuffer {
    napi_ref ref = nullptr;
    char* data = nullptr;
    size_t size = 0;
  };
  bool Bind(BoundBuffer* bound, napi_value buffer);
  void Unbind(BoundBuffer* bound);

  /** Makes `function` the callback that `place` holds. */
  void SetCallback(napi_ref Session::* place, napi_value function);
  /** A function that has that callback called, on the session's thread: from any thread, until the session is closed. */
  std::function<void()> CallerOf(napi_ref Session::* place);

  napi_env env;
  napi_ref listener = nullptr;
  std::shared_ptr<EventSink> sink;
  std::shared_ptr<Database> database;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::shared_ptr<Mailbox> mailbox;

  /** What beginWrite uses; made by its first call. */
  std::unique_ptr<Committer> committer;
  /** Called after each write that beginWrite began. */
  napi_ref on_written = nullptr;

  /** What fetch uses; made by its first call. */
  std::unique_ptr<Fetcher> fetcher;
  /** Called when takeFetched has something. */
  napi_ref on_fetched = nullptr;

  BoundBuffer key;
  BoundBuffer value;
  rocksdb::ReadOptions read_options;
  rocksdb::ReadOptions cache_only_options;
  rocksdb::PinnableSlice found;

  std::vector<std::pair<uint32_t, const rocksdb::Snapshot*>> snapshots;
  uint32_t next_snapshot_id = 1;
  std::vector<std::unique_ptr<RowIterator>> iterators;
  std::vector<BoundBuffer> chunks;
  std::unordered_map<uint32_t, std::unique_ptr<WalReader>> wal_readers;
  uint32_t next_wal_reader_id = 1;

 private:
  static void OnEnvironmentExit(void* session);
  static void OnFunctionCollected(napi_env env, void* session, void* hint);
  void Release();
  void Define(napi_value object, const char* name, napi_callback callback);

  // Functions that JavaScript may still call, and jobs that will still end.
  int references_ = 0;
  int pending_jobs_ = 0;
};

/** As many keys as there is room for, of u32 little-endian length and bytes each. False if they are cut off. */
bool UnpackKeys(rocksdb::Slice packed, std::vector<rocksdb::Slice>* keys);
