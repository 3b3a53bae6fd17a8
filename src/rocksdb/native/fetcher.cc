#include "fetcher.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "js.h"
#include "methods.h"
#include "session.h"
#include "status.h"

using rocksdb::ColumnFamilyHandle;
using rocksdb::PinnableSlice;
using rocksdb::Slice;
using rocksdb::Status;

Fetcher::~Fetcher() {
  std::unique_lock<std::mutex> lock(mutex_);
  stops_ = true;
  wake_.notify_all();
  ended_.wait(lock, [this] { return threads_ == 0; });
}

void Fetcher::SetThreads(size_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  threads_max_ = std::max<size_t>(count, 1);
  wake_.notify_all();
}

void Fetcher::Fetch(uint32_t ticket, ColumnFamilyHandle* family, std::vector<std::string> keys) {
  rocksdb::DB* db = database_->db();
  std::lock_guard<std::mutex> lock(mutex_);
  // Several threads wait for the disk at the same time. No keys are a part, too: it ends at once.
  size_t parts = std::clamp<size_t>(keys.size(), 1, threads_max_);
  size_t per_part = (keys.size() + parts - 1) / parts;
  auto call = std::make_shared<Call>(Call{ticket, 0});
  size_t from = 0;
  do {
    auto begin = keys.begin() + static_cast<ptrdiff_t>(from);
    auto end = keys.begin() + static_cast<ptrdiff_t>(std::min(from + per_part, keys.size()));
    std::vector<std::string> part(std::make_move_iterator(begin), std::make_move_iterator(end));
    from += per_part;
    call->parts++;
    Queue({call, [db, family, part = std::move(part)] {
             if (part.size() == 1) {
               PinnableSlice value;
               db->Get(rocksdb::ReadOptions(), family, part.front(), &value).PermitUncheckedError();
               return;
             }
             std::vector<Slice> slices(part.begin(), part.end());
             std::vector<PinnableSlice> values(part.size());
             std::vector<Status> statuses(part.size());
             db->MultiGet(rocksdb::ReadOptions(), family, part.size(), slices.data(), values.data(), statuses.data());
           }});
  } while (from < keys.size());
}

void Fetcher::FetchRange(uint32_t ticket, ColumnFamilyHandle* family, Range range) {
  rocksdb::DB* db = database_->db();
  std::lock_guard<std::mutex> lock(mutex_);
  Queue({std::make_shared<Call>(Call{ticket, 1}), [this, db, family, range = std::move(range)] {
           rocksdb::ReadOptions options;
           Slice lower(range.lower), upper(range.upper);
           options.iterate_lower_bound = &lower;
           if (range.has_upper) options.iterate_upper_bound = &upper;
           std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(options, family));
           if (range.reverse) {
             rows->SeekToLast();
           } else {
             rows->SeekToFirst();
           }
           for (uint32_t i = 0; i < range.rows_max && rows->Valid() && !stops_; i++) {
             if (range.reverse) {
               rows->Prev();
             } else {
               rows->Next();
             }
           }
         }});
}

/** With the mutex held. */
void Fetcher::Queue(Part part) {
  queue_.push_back(std::move(part));
  if (queue_.size() > idle_ && threads_ < threads_max_) {
    threads_++;
    std::thread([this] { Loop(); }).detach();
  } else if (idle_ > 0) {
    wake_.notify_one();
  }
}

std::vector<uint32_t> Fetcher::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(fetched_, {});
}

void Fetcher::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    while (queue_.empty() && !stops_ && threads_ <= threads_max_) {
      idle_++;
      wake_.wait(lock);
      idle_--;
    }
    if (stops_ || threads_ > threads_max_) {
      threads_--;
      ended_.notify_all();
      return;
    }
    Part part = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    part.read();
    lock.lock();
    if (--part.call->parts > 0) continue;
    bool is_first = fetched_.empty();
    fetched_.push_back(part.call->ticket);
    // The mutex also keeps the fetcher from being destroyed meanwhile.
    if (is_first && !stops_) on_fetched_();
  }
}

namespace {

Fetcher* FetcherOf(Session* session) {
  if (!session->fetcher) {
    session->fetcher = std::make_unique<Fetcher>(session->database, session->CallerOf(&Session::on_fetched));
  }
  return session->fetcher.get();
}

}  // namespace

namespace methods {

/** onFetched(callback) */
napi_value OnFetched(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  session->SetCallback(&Session::on_fetched, args.at[0]);
  return nullptr;
}

/** setFetchThreads(count) */
napi_value SetFetchThreads(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (session) FetcherOf(session)->SetThreads(js::Uint32(env, args.at[0]));
  return nullptr;
}

/** fetch(ticket, family, keys, count): keys as multiGet takes them. */
napi_value Fetch(napi_env env, napi_callback_info info) {
  js::Arguments<4> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[1]);
  if (!family) return nullptr;
  std::vector<Slice> slices(js::Uint32(env, args.at[3]));
  if (!UnpackKeys(js::Bytes(env, args.at[2]), &slices)) return js::ThrowType(env, "the packed keys are cut off");
  std::vector<std::string> keys;
  keys.reserve(slices.size());
  for (const Slice& slice : slices) keys.push_back(slice.ToString());
  FetcherOf(session)->Fetch(js::Uint32(env, args.at[0]), family, std::move(keys));
  return nullptr;
}

/** fetchRange(ticket, family, reverse, rowsMax, lower, upper?) */
napi_value FetchRange(napi_env env, napi_callback_info info) {
  js::Arguments<6> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  auto* family = session->FamilyOf(args.at[1]);
  if (!family) return nullptr;
  Slice upper = js::Bytes(env, args.at[5]);
  Fetcher::Range range;
  range.lower = js::Bytes(env, args.at[4]).ToString();
  range.upper = upper.ToString();
  range.has_upper = upper.data() != nullptr;
  range.reverse = js::Bool(env, args.at[2]);
  range.rows_max = js::Uint32(env, args.at[3]);
  FetcherOf(session)->FetchRange(js::Uint32(env, args.at[0]), family, std::move(range));
  return nullptr;
}

/** takeFetched(): the tickets of what has ended since the last call. */
napi_value TakeFetched(napi_env env, napi_callback_info info) {
  js::Arguments<1> args(env, info);
  Session* session = Session::Of(env, args.data);
  if (!session) return nullptr;
  std::vector<uint32_t> tickets;
  if (session->fetcher) tickets = session->fetcher->Take();
  napi_value result = js::Array(env, tickets.size());
  for (uint32_t i = 0; i < tickets.size(); i++) {
    napi_set_element(env, result, i, js::Number(env, static_cast<double>(tickets[i])));
  }
  return result;
}

}  // namespace methods
