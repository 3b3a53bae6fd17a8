/**
 * How fast files are sent to replicas: as fast as the clients bear it. While something is sent a timer tells how late it
 * comes, which is how late a client's request would have come; the pace falls quickly when that happens often, and rises
 * slowly when it does not. Where no client asks anything nobody suffers, and it rises quickly. All senders share one pace.
 *
 * A loop is late for its own work, or because other threads and processes have the CPUs or the disk, and mostly it is the
 * latter: the share of time in which it is busy says little. Measured on two cores and one disk, which the replica and the
 * clients shared (2 GiB, 500 requests/s, 99th percentile of GET and SET as multiples of those without a sync):
 *
 *   386 MiB/s, no pace                                         8.6   11.8    running 32 % of the time, waiting for a CPU 39 %
 *   the same, the replica with the lowest priority             4.6    7.0
 *   600 MiB/s, and with one CPU and its directory in memory    1.2    1.0
 *    48 MiB/s                                                  1.6    1.5
 *    51 MiB/s by this pace                                     1.0    1.2    running 17 %, waiting 8 %
 *
 * That was where clients waited for 6 ms without a sync, too. Where it was 2.5 ms, by how late a tick has to be to count:
 *
 *   120 MiB/s   5 ms   2.1 and 2.8   2.4 and 2.6
 *    61 MiB/s   3 ms   2.0           2.5
 *    52 MiB/s   2 ms   1.2 to 1.6    1.4 to 2.0
 */

const TICK_MS = 5
const LATE_MS = 2
const WINDOW_TICKS = 40
/** So many late ticks of a window are too many: every twentieth. */
const LATE_TICKS_MAX = 1
const FASTER = 1.1
const FASTER_UNASKED = 2
const SLOWER = 0.6
const MIB_PER_MS = (1024 * 1024) / 1000
const START = 48 * MIB_PER_MS
const SLOWEST = 24 * MIB_PER_MS
const FASTEST = 4096 * MIB_PER_MS
/** What a sender may be ahead of the pace without waiting: no timer is finer. */
const AHEAD_MS = 1

export class SendPace {
  readonly #commands: () => number
  #senders = 0
  #timer: NodeJS.Timeout | undefined
  #bytesPerMs = START
  #expectedMs = 0
  #ticks = 0
  #lateTicks = 0
  #commandsBefore = 0
  /** When what was sent so far is due, in milliseconds of performance.now. */
  #dueMs = 0

  /** `commands`: how many commands clients have given so far. */
  constructor(commands: () => number) {
    this.#commands = commands
  }

  get mebibytesPerSecond(): number {
    return this.#bytesPerMs / MIB_PER_MS
  }

  /** Somebody sends, until the matching `leave`. */
  enter(): void {
    if (this.#senders++ > 0) return
    this.#beginWindow()
    this.#expectedMs = performance.now() + TICK_MS
    this.#timer = setInterval(() => this.tick(performance.now()), TICK_MS)
  }

  leave(): void {
    if (--this.#senders > 0) return
    clearInterval(this.#timer)
    this.#bytesPerMs = START
  }

  /** Notes that `bytes` are sent at `nowMs`. Returns for how long to send nothing, in milliseconds. */
  note(bytes: number, nowMs: number): number {
    this.#dueMs = Math.max(this.#dueMs, nowMs) + bytes / this.#bytesPerMs
    const aheadMs = this.#dueMs - nowMs
    return aheadMs > AHEAD_MS ? aheadMs : 0
  }

  /** The timer has come at `nowMs`. */
  tick(nowMs: number): void {
    if (nowMs - this.#expectedMs > LATE_MS) this.#lateTicks++
    this.#expectedMs = nowMs + TICK_MS
    this.#ticks++
    const isAsked = this.#commands() > this.#commandsBefore
    const isTooLate = isAsked && this.#lateTicks > LATE_TICKS_MAX
    if (!isTooLate && this.#ticks < WINDOW_TICKS) return
    if (isTooLate) this.#bytesPerMs = Math.max(SLOWEST, this.#bytesPerMs * SLOWER)
    else if (!isAsked) this.#bytesPerMs = Math.min(FASTEST, this.#bytesPerMs * FASTER_UNASKED)
    else if (this.#lateTicks === 0) this.#bytesPerMs = Math.min(FASTEST, this.#bytesPerMs * FASTER)
    this.#beginWindow()
  }

  #beginWindow(): void {
    this.#ticks = 0
    this.#lateTicks = 0
    this.#commandsBefore = this.#commands()
  }
}
