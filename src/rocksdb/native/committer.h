// One write at a time on a thread of its own, so that JavaScript can run the next commands meanwhile.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "database.h"
#include "rocksdb/options.h"
#include "rocksdb/status.h"

class Committer {
 public:
  /** `on_written` is called on the committer's thread after each write. */
  explicit Committer(std::function<void()> on_written) : on_written_(std::move(on_written)) {}

  /** Lets a write that was begun end. */
  ~Committer();

  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /** False while the write before has not been ended by End. */
  bool Begin(std::shared_ptr<Database> database, const rocksdb::WriteOptions& options, std::string batch);

  /** True if End would not wait. */
  bool HasEnded() const { return has_ended_.load(std::memory_order_acquire); }

  /** Waits for the write that was begun and returns its outcome; OK if there is none. */
  rocksdb::Status End();

 private:
  enum class State { kIdle, kBegun, kWritten };

  void Loop();

  const std::function<void()> on_written_;
  std::mutex mutex_;
  std::condition_variable begun_, written_;
  std::thread thread_;
  State state_ = State::kIdle;
  std::atomic<bool> has_ended_{true};
  bool stops_ = false;
  std::shared_ptr<Database> database_;
  rocksdb::WriteOptions options_;
  std::string batch_;
  rocksdb::Status status_;
};
