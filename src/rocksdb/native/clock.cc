#include "clock.h"

#include <chrono>

static std::atomic<uint64_t> fixed_ms{0};

uint64_t FilterClockMs() {
  uint64_t fixed = fixed_ms.load(std::memory_order_relaxed);
  if (fixed) return fixed;
  using std::chrono::system_clock;
  auto since_epoch = system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
}

void SetFilterClockMs(uint64_t now_ms) { fixed_ms.store(now_ms, std::memory_order_relaxed); }
