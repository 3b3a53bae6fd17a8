import { type Bytes, EMPTY } from '../../bytes/bytes.js'
import { parseDouble } from '../../bytes/double.js'
import { type Int64, parseInt64 } from '../../bytes/int64.js'
import type { ByteSource } from './byte-source.js'
import { readModule } from './decode-module.js'
import { readStreamNode, readStreamState, type StreamBounds, ZERO_ID } from './decode-stream.js'
import {
  NODE_PACKED,
  NODE_PLAIN,
  SCORE_INFINITY,
  SCORE_MINUS_INFINITY,
  SCORE_NAN,
  TYPE_HASH,
  TYPE_HASH_LISTPACK,
  TYPE_HASH_LISTPACK_EX,
  TYPE_HASH_LISTPACK_EX_PRE_GA,
  TYPE_HASH_METADATA,
  TYPE_HASH_METADATA_PRE_GA,
  TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST,
  TYPE_MODULE_2,
  TYPE_MODULE_PRE_GA,
  TYPE_SET,
  TYPE_SET_INTSET,
  TYPE_SET_LISTPACK,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STREAM_LISTPACKS_4,
  TYPE_STREAM_LISTPACKS_5,
  TYPE_STRING,
  TYPE_ZSET,
  TYPE_ZSET_2,
  TYPE_ZSET_LISTPACK,
  TYPE_ZSET_ZIPLIST,
} from './format.js'
import { ListpackReader } from './listpack.js'
import { readIntset, readZiplist, readZipmap } from './old-blocks.js'
import { corrupt, RdbError } from './rdb-error.js'
import type { HashEntry, HashValue, ListValue, RdbValue, SetValue, StreamValue, ZsetEntry, ZsetValue } from './value.js'

/**
 * Reads a value piece by piece, so that a collection larger than memory passes through, and so that a read which finds
 * too few bytes can be repeated: a step changes nothing unless it succeeds.
 */
export type OpenValue = {
  /** What the steps since the last `take` have read. */
  value: RdbValue
  /** Steps to go. */
  left: number
  readonly step: (source: ByteSource) => void
}

type Opener = (source: ByteSource, type: number) => OpenValue

/** Starts to read the value of the given type: takes in what stands before its first element. */
export function openValue(source: ByteSource, type: number): OpenValue {
  const open = OPENERS.get(type)
  if (open === undefined) throw new RdbError('type', `unknown object type ${type}`, type)
  return open(source, type)
}

/** Whether `openValue` knows the type. */
export function isValueType(type: number): boolean {
  return OPENERS.has(type)
}

/** Makes the next step. */
export function stepValue(open: OpenValue, source: ByteSource): void {
  open.step(source)
  open.left--
}

/** Hands over what has been read so far and goes on with an empty part of the same type. */
export function takePart(open: OpenValue): RdbValue {
  const part = open.value
  open.value = emptyPart(part)
  return part
}

/** How many elements a part holds; a string and a module's value are one. */
export function partSize(value: RdbValue): number {
  switch (value.type) {
    case 'list':
      return value.elements.length
    case 'set':
      return value.members.length
    case 'string':
      return 1
    case 'module':
      return 1
    default:
      return value.entries.length
  }
}

function emptyPart(value: RdbValue): RdbValue {
  switch (value.type) {
    case 'list':
      return { type: 'list', elements: [] }
    case 'set':
      return { type: 'set', members: [] }
    case 'hash':
      return { type: 'hash', entries: [] }
    case 'zset':
      return { type: 'zset', entries: [] }
    case 'stream':
      return { type: 'stream', entries: [], state: undefined }
    default:
      return value
  }
}

const OPENERS = new Map<number, Opener>([
  [TYPE_STRING, openString],
  [TYPE_LIST, elementwiseList((source, list) => list.elements.push(source.string()))],
  [TYPE_LIST_ZIPLIST, blockList(readZiplist)],
  [TYPE_LIST_QUICKLIST, elementwiseList((source, list) => append(list.elements, readZiplist(source.string())))],
  [TYPE_LIST_QUICKLIST_2, elementwiseList((source, list) => append(list.elements, readNode(source)))],
  [TYPE_SET, openSet],
  [TYPE_SET_INTSET, blockSet(readIntset)],
  [TYPE_SET_LISTPACK, blockSet(readListpack)],
  [TYPE_ZSET, elementwiseZset((source) => [source.string(), readOldScore(source)])],
  [TYPE_ZSET_2, elementwiseZset((source) => [source.string(), checkScore(source.double())])],
  [TYPE_ZSET_ZIPLIST, blockZset(readZiplist)],
  [TYPE_ZSET_LISTPACK, blockZset(readListpack)],
  [TYPE_HASH, elementwiseHash((source) => [source.string(), source.string()])],
  [TYPE_HASH_ZIPMAP, blockHash(readZipmap)],
  [TYPE_HASH_ZIPLIST, blockHash(readZiplist)],
  [TYPE_HASH_LISTPACK, blockHash(readListpack)],
  [TYPE_HASH_METADATA, openHashWithExpiry],
  [TYPE_HASH_METADATA_PRE_GA, openHashWithExpiry],
  [TYPE_HASH_LISTPACK_EX, openPackedHashWithExpiry],
  [TYPE_HASH_LISTPACK_EX_PRE_GA, openPackedHashWithExpiry],
  [TYPE_STREAM_LISTPACKS, openStream],
  [TYPE_STREAM_LISTPACKS_2, openStream],
  [TYPE_STREAM_LISTPACKS_3, openStream],
  [TYPE_STREAM_LISTPACKS_4, openStream],
  [TYPE_STREAM_LISTPACKS_5, openStream],
  [TYPE_MODULE_2, openModule],
  [TYPE_MODULE_PRE_GA, refuseOldModule],
])

function openString(): OpenValue {
  const open: OpenValue = {
    value: { type: 'string', value: EMPTY },
    left: 1,
    step: (source) => {
      open.value = { type: 'string', value: source.string() }
    },
  }
  return open
}

function openModule(): OpenValue {
  const open: OpenValue = {
    value: { type: 'module', name: '', encodingVersion: 0, items: [] },
    left: 1,
    step: (source) => {
      open.value = readModule(source)
    },
  }
  return open
}

function refuseOldModule(): OpenValue {
  throw new RdbError('feature', 'the format of modules before their release', TYPE_MODULE_PRE_GA)
}

function elementwiseList(read: (source: ByteSource, list: ListValue) => unknown): Opener {
  return (source) => {
    const left = source.count()
    const open: OpenValue = {
      value: { type: 'list', elements: [] },
      left,
      step: (from) => void read(from, open.value as ListValue),
    }
    return open
  }
}

function blockList(read: (block: Bytes) => Bytes[]): Opener {
  return () => {
    const open: OpenValue = {
      value: { type: 'list', elements: [] },
      left: 1,
      step: (source) => append((open.value as ListValue).elements, read(source.string())),
    }
    return open
  }
}

function openSet(source: ByteSource): OpenValue {
  const open: OpenValue = {
    value: { type: 'set', members: [] },
    left: source.count(),
    step: (from) => void (open.value as SetValue).members.push(from.string()),
  }
  return open
}

function blockSet(read: (block: Bytes) => Bytes[]): Opener {
  return () => {
    const open: OpenValue = {
      value: { type: 'set', members: [] },
      left: 1,
      step: (source) => append((open.value as SetValue).members, read(source.string())),
    }
    return open
  }
}

function elementwiseZset(read: (source: ByteSource) => ZsetEntry): Opener {
  return (source) => {
    const open: OpenValue = {
      value: { type: 'zset', entries: [] },
      left: source.count(),
      step: (from) => void (open.value as ZsetValue).entries.push(read(from)),
    }
    return open
  }
}

function blockZset(read: (block: Bytes) => Bytes[]): Opener {
  return () => {
    const open: OpenValue = {
      value: { type: 'zset', entries: [] },
      left: 1,
      step: (source) => append((open.value as ZsetValue).entries, pairs(read(source.string()), textScore)),
    }
    return open
  }
}

function elementwiseHash(read: (source: ByteSource) => HashEntry): Opener {
  return (source) => {
    const open: OpenValue = {
      value: { type: 'hash', entries: [] },
      left: source.count(),
      step: (from) => void (open.value as HashValue).entries.push(read(from)),
    }
    return open
  }
}

function blockHash(read: (block: Bytes) => Bytes[]): Opener {
  return () => {
    const open: OpenValue = {
      value: { type: 'hash', entries: [] },
      left: 1,
      step: (source) =>
        append(
          (open.value as HashValue).entries,
          pairs(read(source.string()), (value) => value),
        ),
    }
    return open
  }
}

/** Each field has its expiry in front, relative to the earliest one of the hash, plus 1; 0 is none. */
function openHashWithExpiry(source: ByteSource, type: number): OpenValue {
  const earliestMs = type === TYPE_HASH_METADATA ? source.int64() : 1
  return elementwiseHash((from) => {
    const ttl = from.length()
    const field = from.string()
    const value = from.string()
    return ttl === 0 ? [field, value] : [field, value, checkTime(Number(ttl) + Number(earliestMs) - 1)]
  })(source, type)
}

/** Triples of field, value and absolute expiry, 0 for none. */
function openPackedHashWithExpiry(source: ByteSource, type: number): OpenValue {
  if (type === TYPE_HASH_LISTPACK_EX) source.int64()
  const open: OpenValue = {
    value: { type: 'hash', entries: [] },
    left: 1,
    step: (from) => {
      const pack = new ListpackReader(from.string())
      const entries: HashEntry[] = []
      while (!pack.done) {
        const field = pack.bytes()
        const value = pack.bytes()
        const expireMs = checkTime(Number(pack.integer()))
        entries.push(expireMs === 0 ? [field, value] : [field, value, expireMs])
      }
      append((open.value as HashValue).entries, entries)
    },
  }
  return open
}

function openStream(source: ByteSource, type: number): OpenValue {
  const seen: StreamBounds = { count: 0, firstId: ZERO_ID }
  const open: OpenValue = {
    value: { type: 'stream', entries: [], state: undefined },
    left: source.count() + 1,
    step: (from) => {
      const stream = open.value as StreamValue
      if (open.left === 1) {
        stream.state = readStreamState(from, type, seen)
        return
      }
      const entries = readStreamNode(from)
      if (seen.count === 0 && entries.length > 0) seen.firstId = entries[0]!.id
      seen.count += entries.length
      append(stream.entries, entries)
    },
  }
  return open
}

/** A node of a quicklist: one long element, or a listpack. */
function readNode(source: ByteSource): Bytes[] {
  const container = source.count()
  if (container !== NODE_PLAIN && container !== NODE_PACKED) throw corrupt('quicklist: unknown kind of node')
  const block = source.string()
  return container === NODE_PLAIN ? [block] : readListpack(block)
}

function readListpack(block: Bytes): Bytes[] {
  const pack = new ListpackReader(block)
  const entries: Bytes[] = []
  while (!pack.done) entries.push(pack.bytes())
  return entries
}

function pairs<T>(flat: Bytes[], convert: (value: Bytes) => T): [Bytes, T][] {
  if (flat.length % 2 !== 0) throw corrupt('odd number of entries where pairs are expected')
  const paired: [Bytes, T][] = []
  for (let index = 0; index < flat.length; index += 2) paired.push([flat[index]!, convert(flat[index + 1]!)])
  return paired
}

/** Not `push(...more)`: the stack bounds the number of arguments. */
function append<T>(target: T[], more: readonly T[]): void {
  for (const element of more) target.push(element)
}

function textScore(text: Bytes): number {
  const integer: Int64 | undefined = parseInt64(text)
  const score = integer === undefined ? parseDouble(text) : Number(integer)
  if (score === undefined) throw corrupt('zset: not a score')
  return score
}

function readOldScore(source: ByteSource): number {
  const length = source.byte()
  if (length === SCORE_NAN) throw corrupt('zset: score is not a number')
  if (length === SCORE_INFINITY) return Number.POSITIVE_INFINITY
  if (length === SCORE_MINUS_INFINITY) return Number.NEGATIVE_INFINITY
  return textScore(source.bytes(length))
}

function checkScore(score: number): number {
  if (Number.isNaN(score)) throw corrupt('zset: score is not a number')
  return score
}

// Redis keeps field expiries in 48 bits.
const FIELD_EXPIRE_MAX = 2 ** 48 - 1

function checkTime(expireMs: number): number {
  if (!(expireMs >= 0 && expireMs <= FIELD_EXPIRE_MAX)) throw corrupt('hash: impossible expiry of a field')
  return expireMs
}
