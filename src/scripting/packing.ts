/**
 * Arguments between JavaScript and Lua: a block of
 *
 *   length(4, little-endian) bytes
 *
 * for each, in a buffer that both sides have bound, or in one of its own when it does not fit there. Source: native/call.cc.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Args } from '../protocol/args.js'

const HEADER_BYTES = 4
/** Below this a loop copies faster than a call of set(). */
const LOOP_BYTES_MAX = 24

/** The size of the block that holds `args`. */
export function packedSize(args: readonly Uint8Array[]): number {
  let bytes = 0
  for (const arg of args) bytes += HEADER_BYTES + arg.length
  return bytes
}

/** Appends `args` at `offset` of the block, which is large enough. Returns what follows them. */
export function packInto(block: Uint8Array, offset: number, args: readonly Uint8Array[]): number {
  let at = offset
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    const length = arg.length
    block[at] = length
    block[at + 1] = length >>> 8
    block[at + 2] = length >>> 16
    block[at + 3] = length >>> 24
    at += HEADER_BYTES
    if (length <= LOOP_BYTES_MAX) {
      for (let i = 0; i < length; i++) block[at + i] = arg[i]!
    } else {
      block.set(arg, at)
    }
    at += length
  }
  return at
}

/** Makes `args` the `count` words of the block: they lie in it, and live as long as its bytes stay. */
export function unpackInto(args: Args, block: Bytes, count: number): Args {
  args.reset(block)
  let at = 0
  for (let index = 0; index < count; index++) {
    const length = readUint32LE(block, at)
    at += HEADER_BYTES
    args.push(at, length)
    at += length
  }
  return args
}

function readUint32LE(block: Bytes, at: number): number {
  return block[at]! + block[at + 1]! * 0x100 + block[at + 2]! * 0x10000 + block[at + 3]! * 0x1000000
}
