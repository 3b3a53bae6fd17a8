/**
 * Rows of bitmaps: segments of 1,024 bytes by the decimal offset of their first byte. Bits lie from the lowest to the
 * highest in each byte, other than Redis shows them. BITOP and copies are said by their result, which depends neither on
 * other keys nor on how their names were split.
 *
 * Source: kvrocks src/types/redis_bitmap.cc.
 */

import { type Bytes, concat, latin1 } from '../bytes/bytes.js'
import { decimal } from '../bytes/int64.js'
import type { InternalKey } from '../storage/keys.js'
import { LOG_BITFIELD, LOG_BITOP, LOG_SETBIT, type LogData } from '../storage/log-data.js'
import { TYPE_BITMAP } from '../storage/metadata.js'
import type { KeyFacts, Operation, Row } from './operations.js'
import { type RowChange, unknownRow } from './row-change.js'

const SETBIT = latin1('SETBIT')
const SETRANGE = latin1('SETRANGE')
const BITFIELD = latin1('BITFIELD')
const ZERO = latin1('0')
const ONE = latin1('1')
const NUL = Buffer.alloc(1)
const SEGMENT_BYTES = 1024
/** Of 2^63, which is the least number that has to be changed. */
const INT64_DIGITS = 19

/** The change of a segment; undefined where it belongs to that of another one. */
export function bitmapChange(
  row: Row,
  parsed: InternalKey,
  { log }: Operation,
  facts: KeyFacts,
): RowChange | undefined {
  const { namespace, key, subKey } = parsed
  const base = { namespace, type: 'bitmap', key, subKey }
  const segmentAt = segmentOffset(subKey)
  if (segmentAt === undefined) return unknownRow(row)
  // Where the bitmap is copied over, its first segment says that it begins anew.
  if (row.kind !== 'put') return facts.puts.length > 0 ? undefined : { ...base, op: 'opaque' }
  const command = commandOf(log)
  const isFirst = facts.puts[0] === row
  if (log !== undefined && command === LOG_SETBIT && log.words[1] !== undefined) {
    const offset = Number(log.words[1].latin1Slice(0))
    const byte = row.value[Math.floor(offset / 8) % SEGMENT_BYTES] ?? 0
    return { ...base, op: 'put', command: [SETBIT, key, log.words[1], ((byte >> (offset % 8)) & 1) === 1 ? ONE : ZERO] }
  }
  if (log !== undefined && command === LOG_BITFIELD) {
    if (!isFirst) return undefined
    return { namespace, type: 'bitmap', key, op: 'put', command: [BITFIELD, key, ...log.words.slice(1).map(asInt64)] }
  }
  const size = facts.metadata?.size ?? segmentAt + row.value.length
  const shown = reversedBits(row.value.subarray(0, Math.max(0, size - segmentAt)))
  const change: RowChange = { ...base, op: 'put', command: [SETRANGE, key, decimal(segmentAt), shown] }
  // endsInZeros reads all segments: it is asked of the first one alone.
  if (!isFirst || !isRewriting(log)) return change
  const beginsWithLength = facts.metadataSequence < row.sequence && endsInZeros(facts)
  if (!beginsWithLength) change.isFresh = true
  return change
}

/** The change of a bitmap's metadata row: of one that was written anew, and whose end is zeros without a segment. */
export function bitmapLengthChange(
  base: { namespace: Bytes; type: string; key: Bytes },
  { log }: Operation,
  facts: KeyFacts,
): RowChange | undefined {
  const { metadata, metadataSequence, puts } = facts
  if (metadata === undefined || !isRewriting(log) || !endsInZeros(facts)) return undefined
  const change: RowChange = { ...base, op: 'put', command: [SETRANGE, base.key, decimal(metadata.size - 1), NUL] }
  if (puts[0] === undefined || metadataSequence < puts[0].sequence) change.isFresh = true
  return change
}

/** What an unsigned field is set to stands in the log without a sign; a client has to write it as a signed number. */
function asInt64(word: Bytes): Bytes {
  return word.length >= INT64_DIGITS ? latin1(String(BigInt.asIntN(64, BigInt(word.latin1Slice(0))))) : word
}

/** The word that says which command it was. */
function commandOf(log: LogData | undefined): number | undefined {
  const word = log?.type === TYPE_BITMAP ? log.words[0] : undefined
  return word === undefined ? undefined : Number(word.latin1Slice(0))
}

function isRewriting(log: LogData | undefined): boolean {
  const command = commandOf(log)
  return command === undefined || command === LOG_BITOP
}

/** True if the last byte of the bitmap lies in none of the segments. */
function endsInZeros({ metadata, puts }: KeyFacts): boolean {
  if (metadata === undefined || metadata.size === 0) return false
  const last = metadata.size - 1
  return !puts.some(({ key, value }) => {
    const segmentAt = Math.floor(last / SEGMENT_BYTES) * SEGMENT_BYTES
    return (
      key.subarray(-String(segmentAt).length).latin1Slice(0) === String(segmentAt) && segmentAt + value.length > last
    )
  })
}

function segmentOffset(subKey: Bytes): number | undefined {
  const at = Number(subKey.latin1Slice(0))
  return Number.isInteger(at) && at >= 0 && at % SEGMENT_BYTES === 0 ? at : undefined
}

function reversedBits(bytes: Bytes): Bytes {
  const reversed = concat(bytes, Buffer.alloc(0))
  for (let i = 0; i < reversed.length; i++) {
    let byte = reversed[i] as number
    byte = ((byte & 0xf0) >> 4) | ((byte & 0x0f) << 4)
    byte = ((byte & 0xcc) >> 2) | ((byte & 0x33) << 2)
    reversed[i] = ((byte & 0xaa) >> 1) | ((byte & 0x55) << 1)
  }
  return reversed
}
