#include "row_iterator.h"

#include <cstring>

#include "js.h"
#include "methods.h"
#include "session.h"
#include "status.h"
#include "table_files.h"

using rocksdb::Slice;
using rocksdb::Status;

RowIterator::RowIterator(const Settings& settings, const Slice* lower, const Slice* upper)
    : settings_(settings), has_lower_(lower != nullptr), has_upper_(upper != nullptr) {
  if (lower) lower_bytes_.assign(lower->data(), lower->size());
  if (upper) upper_bytes_.assign(upper->data(), upper->size());
  lower_ = Slice(lower_bytes_);
  upper_ = Slice(upper_bytes_);
}

void RowIterator::Open(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family, rocksdb::ReadOptions options) {
  if (has_lower_) options.iterate_lower_bound = &lower_;
  if (has_upper_) options.iterate_upper_bound = &upper_;
  iterator_.reset(db->NewIterator(options, family));
}

void RowIterator::SeekToStart() {
  if (settings_.reverse) {
    iterator_->SeekToLast();
  } else {
    iterator_->SeekToFirst();
  }
}

void RowIterator::Seek(const Slice& key) {
  NoWait no_wait(settings_.waits_not);
  started_ = true;
  if (!settings_.reverse) {
    iterator_->Seek(has_lower_ && key.compare(lower_) < 0 ? lower_ : key);
  } else if (has_upper_ && key.compare(upper_) >= 0) {
    iterator_->SeekToLast();
  } else {
    iterator_->SeekForPrev(key);
  }
}

int64_t RowIterator::Fill(char* chunk, size_t chunk_bytes, uint32_t rows_max) {
  NoWait no_wait(settings_.waits_not);
  if (!started_) {
    started_ = true;
    SeekToStart();
  }
  size_t used = 0;
  for (uint32_t rows = 0; rows < rows_max && iterator_->Valid(); rows++) {
    Slice key = iterator_->key();
    Slice value = settings_.keys_only ? Slice() : iterator_->value();
    size_t row_bytes = 8 + key.size() + value.size();
    if (used + row_bytes > chunk_bytes) {
      if (used == 0) return -static_cast<int64_t>(row_bytes);
      break;
    }
    auto key_length = static_cast<uint32_t>(key.size());
    auto value_length = static_cast<uint32_t>(value.size());
    char* at = chunk + used;
    memcpy(at, &key_length, 4);
    memcpy(at + 4, &value_length, 4);
    memcpy(at + 8, key.data(), key.size());
    memcpy(at + 8 + key.size(), value.data(), value.size());
    used += row_bytes;
    if (settings_.reverse) {
      iterator_->Prev();
    } else {
      iterator_->Next();
    }
  }
  return static_cast<int64_t>(used);
}

namespace {

/** The bits of native.ts, ITERATOR_*. */
enum IteratorFlag : uint32_t {
  kReverse = 1,
  kKeysOnly = 2,
  kFillCache = 4,
  kCacheOnly = 8,
  kAsyncIo = 16,
  kNoWait = 32,
};

RowIterator* FindIterator(napi_env env, Session* session, uint32_t slot) {
  if (slot < session->iterators.size() && session->iterators[slot]) return session->iterators[slot].get();
  Throw(env, Status::InvalidArgument("The iterator is closed"));
  return nullptr;
}

}  // namespace

namespace methods {

/** bindChunk(slot, buffer): the buffer that iterator `slot` fills. */
napi_value BindChunk(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  auto* session = static_cast<Session*>(args.data);
  // An iterator may be closed after its database.
  if (!session->database) return nullptr;
  uint32_t slot = js::Uint32(env, args.at[0]);
  if (slot >= session->chunks.size()) session->chunks.resize(slot + 1);
  if (!session->Bind(&session->chunks[slot], args.at[1])) return js::ThrowType(env, "a buffer expected");
  return nullptr;
}

/** iteratorOpen(slot, family, flags, snapshotId, lower?, upper?) */
napi_value IteratorOpen(napi_env env, napi_callback_info info) {
  js::Arguments<6> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  uint32_t slot = js::Uint32(env, args.at[0]);
  auto* family = session->FamilyOf(args.at[1]);
  if (!family) return nullptr;
  uint32_t flags = js::Uint32(env, args.at[2]);
  uint32_t snapshot_id = js::Uint32(env, args.at[3]);
  rocksdb::ReadOptions options;
  options.fill_cache = (flags & kFillCache) != 0;
  options.async_io = (flags & kAsyncIo) != 0;
  if (flags & kCacheOnly) options.read_tier = rocksdb::kBlockCacheTier;
  if (snapshot_id != 0 && !(options.snapshot = session->FindSnapshot(snapshot_id))) {
    return Throw(env, Status::InvalidArgument("The snapshot has been released"));
  }
  Slice lower = js::Bytes(env, args.at[4]);
  Slice upper = js::Bytes(env, args.at[5]);
  RowIterator::Settings settings;
  settings.reverse = (flags & kReverse) != 0;
  settings.keys_only = (flags & kKeysOnly) != 0;
  settings.waits_not = (flags & kNoWait) != 0;
  if (slot >= session->iterators.size()) session->iterators.resize(slot + 1);
  auto& place = session->iterators[slot];
  place.reset(new RowIterator(settings, lower.data() ? &lower : nullptr, upper.data() ? &upper : nullptr));
  place->Open(session->db(), family, options);
  return nullptr;
}

/** iteratorSeek(slot, key) */
napi_value IteratorSeek(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  RowIterator* iterator = FindIterator(env, session, js::Uint32(env, args.at[0]));
  if (!iterator) return nullptr;
  Slice key = js::Bytes(env, args.at[1]);
  if (!key.data()) return js::ThrowType(env, "the key must be a buffer");
  iterator->Seek(key);
  return nullptr;
}

/** iteratorFill(slot, rowsMax): the bytes written to the slot's chunk, 0 at the end, or the needed size negated. */
napi_value IteratorFill(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  uint32_t slot = js::Uint32(env, args.at[0]);
  RowIterator* iterator = FindIterator(env, session, slot);
  if (!iterator) return nullptr;
  if (slot >= session->chunks.size()) return js::ThrowType(env, "the iterator has no chunk");
  const auto& chunk = session->chunks[slot];
  int64_t filled = iterator->Fill(chunk.data, chunk.size, js::Uint32(env, args.at[1]));
  if (filled == 0) {
    Status status = iterator->status();
    if (!status.ok()) return Throw(env, status);
  }
  return js::Number(env, static_cast<double>(filled));
}

/** iteratorClose(slot): nothing happens when it or the database is closed already. */
napi_value IteratorClose(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  auto* session = static_cast<Session*>(args.data);
  uint32_t slot = js::Uint32(env, args.at[0]);
  if (slot < session->iterators.size()) session->iterators[slot].reset();
  return nullptr;
}

}  // namespace methods
