// Long work: promises, run on worker threads.
#include <string>

#include "job.h"
#include "js.h"
#include "methods.h"
#include "rocksdb/convenience.h"
#include "rocksdb/utilities/checkpoint.h"
#include "rocksdb/write_batch.h"
#include "session.h"
#include "status.h"
#include "write.h"

using rocksdb::Slice;
using rocksdb::Status;

namespace {

/** A range end that was copied, or none. */
struct Bound {
  bool is_set = false;
  std::string bytes;
  Slice slice;

  Bound(napi_env env, napi_value value) {
    Slice given = js::Bytes(env, value);
    if (!given.data()) return;
    is_set = true;
    bytes = given.ToString();
  }

  const Slice* get() {
    slice = Slice(bytes);
    return is_set ? &slice : nullptr;
  }
};

class WriteJob : public Job {
 public:
  WriteJob(const Slice& batch, uint32_t flags) : batch_(batch.ToString()), flags_(flags) {}

 protected:
  Status Run(Database* database) override { return database->db()->Write(WriteOptionsOf(flags_), &batch_); }

 private:
  rocksdb::WriteBatch batch_;
  const uint32_t flags_;
};

class FlushJob : public Job {
 public:
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::FlushOptions options;

 protected:
  Status Run(Database* database) override { return database->db()->Flush(options, families); }
};

class CompactJob : public Job {
 public:
  CompactJob(Bound begin, Bound end) : begin_(std::move(begin)), end_(std::move(end)) {}
  rocksdb::ColumnFamilyHandle* family = nullptr;
  rocksdb::CompactRangeOptions options;

 protected:
  Status Run(Database* database) override {
    return database->db()->CompactRange(options, family, begin_.get(), end_.get());
  }

 private:
  Bound begin_, end_;
};

class CheckpointJob : public Job {
 public:
  CheckpointJob(std::string path, uint64_t log_bytes_for_flush)
      : path_(std::move(path)), log_bytes_for_flush_(log_bytes_for_flush) {}

 protected:
  Status Run(Database* database) override {
    rocksdb::Checkpoint* made = nullptr;
    Status status = rocksdb::Checkpoint::Create(database->db(), &made);
    if (!status.ok()) return status;
    std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    return checkpoint->CreateCheckpoint(path_, log_bytes_for_flush_, &sequence_);
  }

  napi_value Result(napi_env env) override {
    napi_value result = js::Object(env);
    js::Set(env, result, "sequence", js::Number(env, static_cast<double>(sequence_)));
    return result;
  }

 private:
  const std::string path_;
  const uint64_t log_bytes_for_flush_;
  uint64_t sequence_ = 0;
};

/** One call without arguments. */
class CallJob : public Job {
 public:
  explicit CallJob(Status (*call)(rocksdb::DB*)) : call_(call) {}

 protected:
  Status Run(Database* database) override { return call_(database->db()); }

 private:
  Status (*const call_)(rocksdb::DB*);
};

napi_value StartCall(napi_env env, napi_callback_info info, Status (*call)(rocksdb::DB*)) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  return Job::Start(env, session, std::unique_ptr<Job>(new CallJob(call)));
}

}  // namespace

namespace methods {

/** writeAsync(batch, length, flags) */
napi_value WriteAsync(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  Slice batch;
  if (!session || !ReadBatch(env, args.at[0], args.at[1], &batch)) return nullptr;
  return Job::Start(env, session, std::unique_ptr<Job>(new WriteJob(batch, js::Uint32(env, args.at[2]))));
}

/** flush(family or -1 for all, wait, allowWriteStall) */
napi_value Flush(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  std::unique_ptr<FlushJob> job(new FlushJob);
  job->families = session->families;
  if (js::Int64(env, args.at[0]) >= 0) job->families = {session->FamilyOf(args.at[0])};
  if (!job->families[0]) return nullptr;
  job->options.wait = js::Bool(env, args.at[1]);
  job->options.allow_write_stall = js::Bool(env, args.at[2]);
  return Job::Start(env, session, std::move(job));
}

/** compactRange(family, begin?, end?, changeLevel, bottommost, exclusive); bottommost: rocksdb/options.h's numbers */
napi_value CompactRange(napi_env env, napi_callback_info info) {
  js::Arguments<6> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  std::unique_ptr<CompactJob> job(new CompactJob(Bound(env, args.at[1]), Bound(env, args.at[2])));
  job->family = session->FamilyOf(args.at[0]);
  if (!job->family) return nullptr;
  job->options.change_level = js::Bool(env, args.at[3]);
  job->options.bottommost_level_compaction =
      static_cast<rocksdb::BottommostLevelCompaction>(js::Uint32(env, args.at[4]));
  job->options.exclusive_manual_compaction = js::Bool(env, args.at[5]);
  return Job::Start(env, session, std::move(job));
}

/** checkpoint(path, logBytesForFlush): {sequence} */
napi_value MakeCheckpoint(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto log_bytes = static_cast<uint64_t>(js::Int64(env, args.at[1]));
  return Job::Start(env, session, std::unique_ptr<Job>(new CheckpointJob(js::Text(env, args.at[0]), log_bytes)));
}

/** resume(): after a background error that is not fatal */
napi_value Resume(napi_env env, napi_callback_info info) {
  return StartCall(env, info, [](rocksdb::DB* db) { return db->Resume(); });
}

/** syncWal() */
napi_value SyncWal(napi_env env, napi_callback_info info) {
  return StartCall(env, info, [](rocksdb::DB* db) { return db->SyncWAL(); });
}

/** verifyChecksum(): of every block of every live file */
napi_value VerifyChecksum(napi_env env, napi_callback_info info) {
  return StartCall(env, info, [](rocksdb::DB* db) { return db->VerifyChecksum(); });
}

/** tryCatchUpWithPrimary(): of a secondary */
napi_value TryCatchUpWithPrimary(napi_env env, napi_callback_info info) {
  return StartCall(env, info, [](rocksdb::DB* db) { return db->TryCatchUpWithPrimary(); });
}

/** setManualCompactionsAllowed(allowed): when forbidden, running ones end with Incomplete. Counted by RocksDB. */
napi_value SetManualCompactionsAllowed(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  if (js::Bool(env, args.at[0])) {
    session->db()->EnableManualCompaction();
  } else {
    session->db()->DisableManualCompaction();
  }
  return nullptr;
}

}  // namespace methods
