// Threads for long work. Node's own pool has four threads that file and name look-ups need: a compaction of minutes
// must not occupy one.
#pragma once

#include <functional>

/** Runs `work` on a thread of the process-wide pool, which grows to a fixed limit; beyond it work waits its turn. */
void RunOnWorker(std::function<void()> work);

/** Until nothing runs and nothing waits. */
void WaitForWorkers();
