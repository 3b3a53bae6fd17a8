/** Batches as hexadecimal text. */
import { test } from 'tap'
import { hexText } from '../../src/cdc/raw-format.js'

test('every byte is two upper-case digits, in texts of any length', (t) => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  for (const size of [0, 256, 32_768, 33_024, 700_000, 256, 1]) {
    const bytes = Buffer.alloc(size, all)
    t.ok(hexText(bytes).equals(Buffer.from(bytes.toString('hex').toUpperCase())), `${size} bytes`)
  }
  t.end()
})
