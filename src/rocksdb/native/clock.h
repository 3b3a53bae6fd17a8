// The clock of compaction filters and collectors: the system's, or the one that a test set.
#pragma once

#include <atomic>
#include <cstdint>

/** Unix time in milliseconds; process-wide. */
uint64_t FilterClockMs();

/** 0 gives back the system's clock. */
void SetFilterClockMs(uint64_t now_ms);
