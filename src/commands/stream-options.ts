/** What the arguments of stream commands have in common. Source: redis src/t_stream.c. */

import type { Bytes } from '../bytes/bytes.js'
import { UINT64_MAX } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import {
  INVALID_RANGE_END,
  INVALID_RANGE_START,
  INVALID_STREAM_ID,
  LIMIT_WITHOUT_TILDE,
  LIMIT_WITHOUT_TRIM,
  MAXLEN_NEGATIVE,
  TRIM_LIMIT_NEGATIVE,
  TWO_TRIMS,
} from '../protocol/errors/stream.js'
import { SYNTAX } from '../protocol/errors.js'
import { ID_LAST, ID_ZERO, nextId, parseId, previousId, type StreamId } from '../types/stream/ids.js'
import type { References, Trim } from '../types/stream/removal.js'
import { int64At } from './options.js'

const MINUS = 0x2d
const PLUS = 0x2b
const OPEN = 0x28
/** What `~` removes at most without LIMIT: Redis's hundred nodes of a hundred entries. */
const APPROXIMATE_LIMIT = 10_000
/** What XADD with `MAXLEN ~` lets be: less than one of Redis's nodes. A trim an addition makes XADD four times as dear. */
const APPROXIMATE_SLACK = 99

/** The id in word `index`. Throws INVALID_STREAM_ID. */
export function idAt(args: Args, index: number): StreamId {
  return requireId(args.at(index))
}

/** The id that `word` spells. Throws INVALID_STREAM_ID. */
function requireId(word: Bytes): StreamId {
  const id = parseId(word)
  if (id === undefined) throw INVALID_STREAM_ID
  return id
}

/** The id in word `index`, or `-` or `+`. Throws INVALID_STREAM_ID. */
export function looseIdAt(args: Args, index: number): StreamId {
  return special(args.at(index)) ?? idAt(args, index)
}

function special(word: Bytes): StreamId | undefined {
  if (word.length !== 1) return undefined
  return word[0] === MINUS ? ID_ZERO : word[0] === PLUS ? ID_LAST : undefined
}

/** The first id of an interval, in word `index`; after `(` the next one. Throws INVALID_STREAM_ID, INVALID_RANGE_START. */
export function rangeStartAt(args: Args, index: number): StreamId {
  const word = args.at(index)
  if (word.length < 2 || word[0] !== OPEN) return looseIdAt(args, index)
  const id = nextId(requireId(word.subarray(1)))
  if (id === undefined) throw INVALID_RANGE_START
  return id
}

/** The last id of an interval, in word `index`; after `(` the one before. Throws INVALID_STREAM_ID, INVALID_RANGE_END. */
export function rangeEndAt(args: Args, index: number): StreamId {
  const word = args.at(index)
  const isOpen = word.length > 1 && word[0] === OPEN
  const given = isOpen ? word.subarray(1) : word
  const id = (isOpen ? undefined : special(word)) ?? parseId(given, UINT64_MAX)
  if (id === undefined) throw INVALID_STREAM_ID
  const end = isOpen ? previousId(id) : id
  if (end === undefined) throw INVALID_RANGE_END
  return end
}

/** A count in word `index`, where a negative one is none. Throws NOT_AN_INTEGER. */
export function countAt(args: Args, index: number): number {
  const count = int64At(args, index)
  return count < 0 ? 0 : Number(count)
}

/** The options of XADD and XTRIM that stand before the id or the end. */
export interface TrimOptions {
  readonly trim: Trim | undefined
  readonly onlyExisting: boolean
  /** The first word that is no option. */
  readonly end: number
}

/** Reads MAXLEN, MINID, LIMIT and, of XADD, NOMKSTREAM from word 2 on. */
export function parseTrim(args: Args, isAdd: boolean): TrimOptions {
  let trim: Threshold | undefined
  let references: References | undefined
  let isApproximate = false
  let limit: number | undefined
  let onlyExisting = false
  let at = 2
  for (; at < args.count; at++) {
    const hasMore = at + 1 < args.count
    const isMaxLength = hasMore && args.is(at, 'maxlen')
    if (isMaxLength || (hasMore && args.is(at, 'minid'))) {
      if (trim !== undefined) throw TWO_TRIMS
      isApproximate = at + 2 < args.count && args.is(at + 1, '~')
      if (isApproximate || (at + 2 < args.count && args.is(at + 1, '='))) at++
      trim = isMaxLength ? maxLengthAt(args, ++at) : { maxLength: undefined, minId: idAt(args, ++at) }
    } else if (hasMore && args.is(at, 'limit')) {
      const given = int64At(args, ++at)
      if (given < 0) throw TRIM_LIMIT_NEGATIVE
      limit = Number(given)
    } else if (isAdd && args.is(at, 'nomkstream')) {
      onlyExisting = true
    } else if (references === undefined && referencesAt(args, at) !== undefined) {
      references = referencesAt(args, at)
    } else if (isAdd) {
      break
    } else {
      throw SYNTAX
    }
  }
  if (limit !== undefined && limit > 0 && trim === undefined) throw LIMIT_WITHOUT_TRIM
  if (limit !== undefined && !isApproximate) throw LIMIT_WITHOUT_TILDE
  const limitOf = limit ?? (isApproximate ? APPROXIMATE_LIMIT : 0)
  const slack = isAdd && isApproximate ? APPROXIMATE_SLACK : 0
  const whole = trim === undefined ? undefined : { ...trim, limit: limitOf, slack, references: references ?? 'keep' }
  return { trim: whole, onlyExisting, end: at }
}

type Threshold = Pick<Trim, 'maxLength' | 'minId'>

/** What word `index` says of the pending entries of what is removed; undefined if it says nothing of them. */
export function referencesAt(args: Args, index: number): References | undefined {
  if (args.is(index, 'keepref')) return 'keep'
  if (args.is(index, 'delref')) return 'delete'
  return args.is(index, 'acked') ? 'acknowledged' : undefined
}

function maxLengthAt(args: Args, index: number): Threshold {
  const given = int64At(args, index)
  if (given < 0) throw MAXLEN_NEGATIVE
  return { maxLength: Number(given), minId: ID_ZERO }
}
