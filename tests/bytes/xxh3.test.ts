import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import { xxh3 } from '../../src/bytes/xxh3.js'

/** Hashes of xxhsum 0.8.1 (-H3) by length, on both sides of each border between the algorithm's cases. */
const VECTORS: readonly (readonly [number, string])[] = [
  [0, '2d06800538d394c2'],
  [1, 'c44bdff4074eecdb'],
  [2, 'b0a5d4f167a89d5e'],
  [3, 'e14090f554a5ea90'],
  [4, '2e8d078a566e9749'],
  [8, 'cd1c7f88482fcaef'],
  [9, 'bfe43def699fa9e3'],
  [16, '81e9eb8634460bb9'],
  [17, '9998430fd0a655be'],
  [32, '938c25dd24c9cf3b'],
  [33, '0e399d30188e9c8e'],
  [64, '22a06b30c4c72936'],
  [65, '7faff6eee7812d5c'],
  [96, '324046d7ff9771f1'],
  [97, '00d61f9a16f8effd'],
  [128, '75eca5c5d5594884'],
  [129, 'a05da42e7a4e4667'],
  [240, '5eb2467c8c9e3969'],
  [241, '2d431e984c441f15'],
  [256, '1369aaf85f8b805a'],
  [1024, 'e99def1145f12936'],
  [1025, '83cba9b371e4e7f4'],
  [1088, '8e7e69b3a7124813'],
  [1089, 'a958a59c9718acc1'],
  [2048, '53275d58cfba68fd'],
  [2049, '3cd32460d504d215'],
  [100003, '507db29bd764a682'],
]

function sample(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = Math.imul(at, 2654435761) >>> 24
  return bytes
}

test('xxh3 is that of xxHash at every length where its method changes', async (t) => {
  for (const [length, expected] of VECTORS) {
    t.equal(xxh3(sample(length)).toString(16).padStart(16, '0'), expected, `${length} bytes`)
  }
})

test('xxh3 of a text is what Redis documents for DIGEST', async (t) => {
  t.equal(xxh3(latin1('Hello world')).toString(16), 'b6acb9d84a38ff74')
})
