/** How fast files go to replicas. */

import { test } from 'tap'
import { SendPace } from '../../src/replication/send-pace.js'

const TICK_MS = 5
const WINDOW_TICKS = 40

/** A pace whose clock and clients the test moves. */
class Moved {
  commands = 0
  readonly pace = new SendPace(() => this.commands)
  /** The first tick is due at 0. */
  nowMs = -TICK_MS

  /** Windows in which the first `lateTicks` ticks are late and clients give `commands` commands. Returns the pace in MiB/s. */
  run(windows: number, lateTicks: number, commands: number): number {
    for (let window = 0; window < windows; window++) {
      this.commands += commands
      for (let tick = 0; tick < WINDOW_TICKS; tick++) {
        this.nowMs += TICK_MS + (tick < lateTicks ? 6 : 0)
        this.pace.tick(this.nowMs)
      }
    }
    return Math.round(this.pace.mebibytesPerSecond)
  }
}

test('the pace rises while clients are served in time, and holds where one tick of forty is late', (t) => {
  const moved = new Moved()
  t.equal(moved.run(0, 0, 0), 48)
  t.equal(moved.run(1, 0, 5), 53)
  t.equal(moved.run(9, 0, 5), 124)
  t.equal(moved.run(50, 1, 5), 124)
  t.equal(moved.run(1000, 0, 5), 4096)
  t.end()
})

test('it falls at once when clients have to wait, but not below what ends some day', (t) => {
  const moved = new Moved()
  moved.run(15, 0, 5)
  const before = moved.pace.mebibytesPerSecond
  moved.commands++
  for (const lateMs of [11, 22]) moved.pace.tick(moved.nowMs + lateMs)
  t.equal(moved.pace.mebibytesPerSecond, before * 0.6)
  t.equal(moved.run(100, 20, 5), 24)
  t.end()
})

test('where no client asks anything nobody waits, and it rises quickly', (t) => {
  const moved = new Moved()
  t.equal(moved.run(2, 20, 0), 192)
  t.equal(moved.run(5, 0, 0), 4096)
  t.end()
})

test('what is sent ahead of the pace is waited for, and times without sending are not made up for', (t) => {
  const { pace } = new Moved()
  const mebibyte = 1024 * 1024
  t.equal(Math.round(pace.note(48 * mebibyte, 10_000)), 1000)
  t.equal(Math.round(pace.note(24 * mebibyte, 10_500)), 1000)
  t.equal(pace.note(48 * 1024, 60_000), 0)
  t.equal(Math.round(pace.note(48 * mebibyte, 60_000)), 1001)
  t.end()
})
