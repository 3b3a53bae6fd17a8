#include "wal_reader.h"

#include <limits>

#include "js.h"
#include "methods.h"
#include "rocksdb/write_batch.h"
#include "session.h"
#include "status.h"

using rocksdb::Status;

/** Puts the iterator on the next batch. OK without a valid iterator: the end of the log. */
Status WalReader::Position(rocksdb::DB* db) {
  if (iterator_) {
    if (consumed_) iterator_->Next();
    consumed_ = false;
    if (iterator_->Valid()) return Status::OK();
    Status status = iterator_->status();
    if (status.ok()) {
      consumed_ = true;
      return status;
    }
    iterator_.reset();
    // The log has gone on in another file.
    if (!status.IsTryAgain()) return status;
  }
  if (next_sequence_ > db->GetLatestSequenceNumber()) return Status::OK();
  Status status = db->GetUpdatesSince(next_sequence_, &iterator_);
  if (!status.ok()) {
    iterator_.reset();
    return status;
  }
  if (!iterator_->Valid()) {
    status = iterator_->status();
    iterator_.reset();
    return status.IsTryAgain() ? Status::OK() : status;
  }
  return Status::OK();
}

Status WalReader::Read(rocksdb::DB* db, uint32_t batches_max, size_t bytes_max, std::string* out) {
  for (uint32_t batches = 0; batches < batches_max && (batches == 0 || out->size() < bytes_max); batches++) {
    Status status = Position(db);
    // What was read before the failure is delivered first; the failure comes back at the next call.
    if (!status.ok()) return batches == 0 ? status : Status::OK();
    if (!iterator_ || !iterator_->Valid()) return Status::OK();
    rocksdb::BatchResult batch = iterator_->GetBatch();
    const std::string& bytes = batch.writeBatchPtr->Data();
    uint64_t sequence = batch.sequence;
    auto length = static_cast<uint32_t>(bytes.size());
    out->append(reinterpret_cast<const char*>(&sequence), sizeof(sequence));
    out->append(reinterpret_cast<const char*>(&length), sizeof(length));
    out->append(bytes);
    next_sequence_ = sequence + static_cast<uint64_t>(batch.writeBatchPtr->Count());
    consumed_ = true;
  }
  return Status::OK();
}

namespace methods {

/** walOpen(sequence): the reader's id */
napi_value WalOpen(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  uint32_t id = session->next_wal_reader_id++;
  auto sequence = static_cast<rocksdb::SequenceNumber>(js::Int64(env, args.at[0]));
  session->wal_readers[id].reset(new WalReader(sequence));
  return js::Number(env, id);
}

/** walRead(id, batchesMax, bytesMax): the batches in one Buffer, or undefined at the end of the log */
napi_value WalRead(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto found = session->wal_readers.find(js::Uint32(env, args.at[0]));
  if (found == session->wal_readers.end()) return Throw(env, Status::InvalidArgument("The WAL iterator is closed"));
  std::string batches;
  auto bytes_max = static_cast<size_t>(js::Int64(env, args.at[2]));
  Status status = found->second->Read(session->db(), js::Uint32(env, args.at[1]), bytes_max, &batches);
  if (!status.ok()) return Throw(env, status);
  if (batches.empty()) return js::Undefined(env);
  return js::CopiedBuffer(env, batches.data(), batches.size());
}

/** walClose(id) */
napi_value WalClose(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  static_cast<Session*>(args.data)->wal_readers.erase(js::Uint32(env, args.at[0]));
  return nullptr;
}

}  // namespace methods
