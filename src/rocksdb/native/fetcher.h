// Reads rows into the block cache on threads of its own, so that whoever needs them finds them in memory.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "database.h"

class Fetcher {
 public:
  /** [lower, upper) */
  struct Range {
    std::string lower;
    std::string upper;
    bool has_upper = false;
    bool reverse = false;
    /** So many rows are read at most, from that end of the range where the scan begins. */
    uint32_t rows_max = 0;
  };

  /** `on_fetched` is called on any thread when Take has something, after it had nothing. */
  Fetcher(std::shared_ptr<Database> database, std::function<void()> on_fetched)
      : database_(std::move(database)), on_fetched_(std::move(on_fetched)) {}

  /** Lets reads that have begun end, ranges at their next row, and drops the others. */
  ~Fetcher();

  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /** How many threads there may be; at least one. */
  void SetThreads(size_t count);

  /** `ticket` comes back from Take when all keys were looked up, whether that succeeded or not. */
  void Fetch(uint32_t ticket, rocksdb::ColumnFamilyHandle* family, std::vector<std::string> keys);
  void FetchRange(uint32_t ticket, rocksdb::ColumnFamilyHandle* family, Range range);

  /** The tickets of what has ended since the last call. */
  std::vector<uint32_t> Take();

 private:
  /** The parts of one call: it has ended when all of them have. */
  struct Call {
    uint32_t ticket;
    size_t parts;
  };
  struct Part {
    std::shared_ptr<Call> call;
    std::function<void()> read;
  };

  void Queue(Part part);
  void Loop();

  const std::shared_ptr<Database> database_;
  const std::function<void()> on_fetched_;
  std::mutex mutex_;
  std::condition_variable wake_, ended_;
  std::deque<Part> queue_;
  std::vector<uint32_t> fetched_;
  size_t threads_ = 0;
  size_t threads_max_ = 1;
  size_t idle_ = 0;
  std::atomic<bool> stops_{false};
};
