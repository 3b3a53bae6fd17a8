// Point reads.
#include <cstring>

#include "js.h"
#include "methods.h"
#include "session.h"
#include "status.h"
#include "table_files.h"

using rocksdb::PinnableSlice;
using rocksdb::Slice;
using rocksdb::Status;

namespace {

constexpr int32_t kAbsent = -1;
constexpr int32_t kNotInMemory = -2;

/** A read's packed first argument: bits 0-3 column family, bits 4-5 read tier, from bit 6 the key's length. */
struct ReadTarget {
  uint32_t family;
  /** Read tier 1: the block cache. */
  bool cache_only;
  /** Read tier 2: the page cache too. */
  bool waits_not;
  uint32_t key_length;

  explicit ReadTarget(uint32_t packed)
      : family(packed & 15), cache_only((packed & 16) != 0), waits_not((packed & 32) != 0), key_length(packed >> 6) {}
};

Status UnknownFamily() { return Status::InvalidArgument("No such column family"); }
Status UnknownSnapshot() { return Status::InvalidArgument("The snapshot has been released"); }

Status Find(Session* session, const ReadTarget& target, const Slice& key, uint32_t snapshot_id, PinnableSlice* value) {
  auto* family = session->family(target.family);
  if (!family) return UnknownFamily();
  auto& options = target.cache_only ? session->cache_only_options : session->read_options;
  NoWait no_wait(target.waits_not);
  if (snapshot_id == 0) return session->db()->Get(options, family, key, value);
  options.snapshot = session->FindSnapshot(snapshot_id);
  if (!options.snapshot) return UnknownSnapshot();
  Status status = session->db()->Get(options, family, key, value);
  options.snapshot = nullptr;
  return status;
}

}  // namespace

bool UnpackKeys(Slice packed, std::vector<Slice>* keys) {
  for (auto& key : *keys) {
    uint32_t length = 0;
    if (packed.size() < sizeof(length)) return false;
    memcpy(&length, packed.data(), sizeof(length));
    packed.remove_prefix(sizeof(length));
    if (packed.size() < length) return false;
    key = Slice(packed.data(), length);
    packed.remove_prefix(length);
  }
  return true;
}

namespace methods {

/** read(packedTarget, snapshotId?): -1 absent, -2 not in memory, or the value's length; key and value in the bound buffers. */
napi_value Read(napi_env env, napi_callback_info info) {
  js::Arguments<2> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  ReadTarget target(js::Uint32(env, args.at[0]));
  uint32_t snapshot_id = args.count > 1 ? js::Uint32(env, args.at[1]) : 0;
  if (target.key_length > session->key.size) return js::ThrowType(env, "the key is longer than the key buffer");
  PinnableSlice& value = session->found;
  value.Reset();
  Status status = Find(session, target, Slice(session->key.data, target.key_length), snapshot_id, &value);
  if (status.IsNotFound()) return js::Int32(env, kAbsent);
  if (status.IsIncomplete()) return js::Int32(env, kNotInMemory);
  if (!status.ok()) return Throw(env, status);
  size_t size = value.size();
  if (size <= session->value.size) {
    memcpy(session->value.data, value.data(), size);
    value.Reset();
  }
  return js::Number(env, static_cast<double>(size));
}

/** takeValue(): the value that read() found too long for the value buffer. */
napi_value TakeValue(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  napi_value result = js::CopiedBuffer(env, session->found.data(), session->found.size());
  session->found.Reset();
  return result;
}

/** get(target, snapshotId, key): a Buffer, undefined if absent, null if not in memory. */
napi_value Get(napi_env env, napi_callback_info info) {
  js::Arguments<3> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  Slice key = js::Bytes(env, args.at[2]);
  if (!key.data()) return js::ThrowType(env, "the key must be a buffer");
  PinnableSlice value;
  ReadTarget target(js::Uint32(env, args.at[0]));
  Status status = Find(session, target, key, js::Uint32(env, args.at[1]), &value);
  if (status.IsNotFound()) return js::Undefined(env);
  if (status.IsIncomplete()) {
    napi_value null = nullptr;
    napi_get_null(env, &null);
    return null;
  }
  if (!status.ok()) return Throw(env, status);
  return js::CopiedBuffer(env, value.data(), value.size());
}

/**
 * multiGet(target, snapshotId, keys, count, asyncIo): one Buffer of the values in the keys' order.
 * keys: u32 little-endian length, bytes; values: i32 little-endian length (-1 absent, -2 not in memory), bytes.
 */
napi_value MultiGet(napi_env env, napi_callback_info info) {
  js::Arguments<5> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  ReadTarget target(js::Uint32(env, args.at[0]));
  uint32_t snapshot_id = js::Uint32(env, args.at[1]);
  Slice packed = js::Bytes(env, args.at[2]);
  uint32_t count = js::Uint32(env, args.at[3]);
  auto* family = session->family(target.family);
  if (!family) return Throw(env, UnknownFamily());
  rocksdb::ReadOptions options = target.cache_only ? session->cache_only_options : session->read_options;
  options.async_io = js::Bool(env, args.at[4]);
  if (snapshot_id != 0 && !(options.snapshot = session->FindSnapshot(snapshot_id))) return Throw(env, UnknownSnapshot());
  std::vector<Slice> keys(count);
  if (!UnpackKeys(packed, &keys)) return js::ThrowType(env, "the packed keys are cut off");
  NoWait no_wait(target.waits_not);
  std::vector<PinnableSlice> values(count);
  std::vector<Status> statuses(count);
  if (target.cache_only) {
    // RocksDB's MultiGet goes to the disk for data blocks whatever the read tier.
    for (uint32_t i = 0; i < count; i++) statuses[i] = session->db()->Get(options, family, keys[i], &values[i]);
  } else {
    session->db()->MultiGet(options, family, count, keys.data(), values.data(), statuses.data());
  }
  size_t size = 0;
  for (uint32_t i = 0; i < count; i++) {
    const Status& status = statuses[i];
    if (!status.ok() && !status.IsNotFound() && !status.IsIncomplete()) return Throw(env, status);
    size += 4 + (status.ok() ? values[i].size() : 0);
  }
  napi_value result = nullptr;
  char* at = nullptr;
  if (napi_create_buffer(env, size, reinterpret_cast<void**>(&at), &result) != napi_ok) return nullptr;
  for (uint32_t i = 0; i < count; i++) {
    bool present = statuses[i].ok();
    int32_t length = present ? static_cast<int32_t>(values[i].size()) : statuses[i].IsNotFound() ? kAbsent : kNotInMemory;
    memcpy(at, &length, sizeof(length));
    at += sizeof(length);
    if (!present) continue;
    memcpy(at, values[i].data(), values[i].size());
    at += values[i].size();
  }
  return result;
}

}  // namespace methods
