import { test } from 'tap'
import { ALLOCATION_NAMES, allocationsTable, measureAllocations } from '../../bench/allocations.js'

/**
 * Bytes that an operation may allocate: a quarter more than it does, which is ten times what differs between runs, and
 * less than one more object with a buffer in each of the cheap ones. Whoever makes a command cheaper lowers its ceiling.
 */
const CEILINGS: Readonly<Record<string, number>> = {
  ping: 380,
  get: 770,
  set: 780,
  incr: 1350,
  hget: 1430,
  hset: 3300,
  lpush: 2700,
  sadd: 2200,
  zadd: 3750,
  xadd: 5300,
}

/** What the probe and the compilers keep, spread over all operations; less than a Buffer in each. */
const KEPT_MAX = 90

test('the hot commands allocate no more than they did, and nothing that stays', async (t) => {
  t.same(ALLOCATION_NAMES, Object.keys(CEILINGS))
  const allocations = await measureAllocations()
  t.comment(allocationsTable(allocations))
  for (const { name, allocatedBytes, keptBytes } of allocations) {
    const ceiling = CEILINGS[name] ?? 0
    t.ok(allocatedBytes > 0 && allocatedBytes < ceiling, `${name}: ${allocatedBytes} of ${ceiling} bytes allocated`)
    t.ok(keptBytes < KEPT_MAX, `${name}: ${keptBytes} bytes kept`)
  }
})
