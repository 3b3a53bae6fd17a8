#include "worker_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace {

constexpr size_t kThreadsMax = 8;

class Pool {
 public:
  void Run(std::function<void()> work) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(work));
    busy_++;
    if (queue_.size() > idle_ && threads_ < kThreadsMax) {
      threads_++;
      std::thread([this] { Loop(); }).detach();
    }
    wake_.notify_one();
  }

  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void Loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      idle_++;
      wake_.wait(lock, [this] { return !queue_.empty(); });
      idle_--;
      std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
      busy_--;
      if (busy_ == 0) all_done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, all_done_;
  std::deque<std::function<void()>> queue_;
  size_t idle_ = 0;
  size_t threads_ = 0;
  // Queued or running.
  size_t busy_ = 0;
};

Pool& ThePool() {
  // Never destroyed: its threads are parked until the process ends.
  static Pool* pool = new Pool;
  return *pool;
}

}  // namespace

void RunOnWorker(std::function<void()> work) { ThePool().Run(std::move(work)); }

void WaitForWorkers() { ThePool().Wait(); }
