#include "committer.h"

#include <utility>

#include "rocksdb/write_batch.h"

Committer::~Committer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stops_ = true;
    begun_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool Committer::Begin(std::shared_ptr<Database> database, const rocksdb::WriteOptions& options, std::string batch) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (state_ != State::kIdle) return false;
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  database_ = std::move(database);
  options_ = options;
  batch_ = std::move(batch);
  state_ = State::kBegun;
  has_ended_.store(false, std::memory_order_relaxed);
  begun_.notify_one();
  return true;
}

rocksdb::Status Committer::End() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (state_ == State::kIdle) return rocksdb::Status::OK();
  written_.wait(lock, [this] { return state_ == State::kWritten; });
  state_ = State::kIdle;
  return std::exchange(status_, rocksdb::Status::OK());
}

void Committer::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    begun_.wait(lock, [this] { return state_ == State::kBegun || stops_; });
    if (state_ != State::kBegun) return;
    std::shared_ptr<Database> database = std::move(database_);
    rocksdb::WriteBatch batch(std::move(batch_));
    rocksdb::WriteOptions options = options_;
    lock.unlock();
    rocksdb::Status status = database->db()->Write(options, &batch);
    database.reset();
    lock.lock();
    status_ = std::move(status);
    state_ = State::kWritten;
    has_ended_.store(true, std::memory_order_release);
    written_.notify_one();
    lock.unlock();
    on_written_();
    lock.lock();
  }
}
