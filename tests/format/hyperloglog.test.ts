import { test } from 'tap'
import { batchOf, hex, NEVER, u64, type Words } from '../support/written.js'

const SEGMENT_BYTES = 768

/**
 * A segment of 1024 registers of six bits, whose bytes are 0 but for some. By MurmurHash64A with the seed 0xadc83b19:
 * `a` hashes to 0x53d2470a9b43b1a7, register 12711 = 12 * 1024 + 423 with the count 2, in byte 317 from bit 2 on;
 * `hello` to 0x0f656f01eecfe400, register 9216 = 9 * 1024 with the count 1, in byte 0 from bit 0 on.
 */
function put(segment: number, bytes: Readonly<Record<number, number>>, key = 'p'): string {
  const row = Buffer.alloc(SEGMENT_BYTES)
  for (const [at, byte] of Object.entries(bytes)) row[Number(at)] = byte
  return `put default ${key} V ${hex(String(segment))} = ${row.toString('hex')}`
}

const A = put(12, { 317: 2 << 2 })
const HELLO = put(9, { 0: 1 })

/** The size stays 0; registers are dense. */
function metadata(key = 'p'): string {
  return `put metadata ${key} = 8b ${NEVER} V ${u64(0)}00`
}

test('PFADD writes the segments whose registers grew, then the metadata', async (t) => {
  t.same(await batchOf([], ['pfadd', 'p', 'a']), ['log 11', A, metadata()])
  const a: Words[] = [['pfadd', 'p', 'a']]
  t.same(await batchOf(a, ['pfadd', 'p', 'hello', 'a']), ['log 11', HELLO, metadata()])
  t.same(await batchOf(a, ['pfadd', 'p', 'a']), [])
})

test('PFMERGE writes all segments that are not empty', async (t) => {
  const two: Words[] = [
    ['pfadd', 'p', 'a'],
    ['pfadd', 'q', 'hello'],
  ]
  t.same(await batchOf(two, ['pfmerge', 'd', 'p', 'q']), [
    'log 11',
    put(9, { 0: 1 }, 'd'),
    put(12, { 317: 2 << 2 }, 'd'),
    metadata('d'),
  ])
})
