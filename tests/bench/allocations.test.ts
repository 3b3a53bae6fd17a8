import { test } from 'tap'
import { measureAllocations } from '../../bench/allocations.js'

test('x', async (t) => {
  console.error(await measureAllocations())
  t.ok(true)
})
