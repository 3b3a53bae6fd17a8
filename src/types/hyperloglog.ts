/**
 * HyperLogLogs: metadata with an encoding byte (0 = dense) after the size, which stays 0; and 16 rows of 1,024 six-bit
 * registers in the default column family: sub-key = number of the segment in decimal. A missing segment is zero.
 * Source: kvrocks src/types/redis_hyperloglog.cc.
 */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import {
  encodeMetadata,
  freshMetadata,
  type Metadata,
  MetadataFormatError,
  TYPE_HYPERLOGLOG,
} from '../storage/metadata.js'
import { readMetadata } from '../storage/rows.js'
import type { Subkeys } from '../storage/subkeys.js'
import {
  countSegment,
  emptyHistogram,
  estimateCount,
  getRegister,
  hitRegister,
  mergeSegment,
  registersForRedis,
  registersOfRedis,
  SEGMENT_BYTES,
  SEGMENT_COUNT,
  SEGMENT_REGISTERS,
  setRegister,
} from './hyperloglog-registers.js'

const DENSE = Buffer.of(0)
const SEGMENT_KEYS = Array.from({ length: SEGMENT_COUNT }, (_, index) => latin1(String(index)))

/** Adds elements. Returns true if a register changed, which is when something is written. Throws WRONG_TYPE. */
export function add(db: Database, key: Bytes, elements: readonly Bytes[]): boolean {
  const log = openHeader(db, key)
  // An element is in one of the segments, so they are read one by one.
  const read = new Map<number, Bytes | undefined>()
  const changed = new Map<number, Buffer>()
  for (const element of elements) {
    const { index, value } = hitRegister(element)
    const at = Math.floor(index / SEGMENT_REGISTERS)
    if (!log.isNew && !read.has(at)) read.set(at, checkSegment(log.rows.get(SEGMENT_KEYS[at] as Bytes)))
    const segment = changed.get(at) ?? read.get(at)
    if (segment !== undefined && getRegister(segment, index % SEGMENT_REGISTERS) >= value) continue
    const copy = changed.get(at) ?? (segment === undefined ? Buffer.alloc(SEGMENT_BYTES) : Buffer.from(segment))
    setRegister(copy, index % SEGMENT_REGISTERS, value)
    changed.set(at, copy)
  }
  save(db, key, log, changed)
  return changed.size > 0
}

/** The estimated number of different elements in all of `keys` together. Throws WRONG_TYPE. */
export function count(db: Database, keys: readonly Bytes[]): number {
  if (keys.length !== 1) return estimate(mergeAll(db, keys))
  const { isNew, rows } = openHeader(db, keys[0] as Bytes)
  if (isNew) return 0
  const { derived } = db.turn
  const known = derived.get(rows.prefix)
  if (known !== undefined) return known
  const counted = estimate(readSegments(rows))
  derived.note(rows.prefix, counted)
  return counted
}

function estimate(segments: readonly (Bytes | undefined)[]): number {
  const histogram = emptyHistogram()
  for (let index = 0; index < SEGMENT_COUNT; index++) countSegment(histogram, segments[index])
  return estimateCount(histogram)
}

/** Adds all that `sources` have seen to `destination`. Throws WRONG_TYPE. */
export function merge(db: Database, destination: Bytes, sources: readonly Bytes[]): void {
  const merged = mergeAll(db, sources)
  const log = openOrNew(db, destination)
  const changed = new Map<number, Buffer>()
  merged.forEach((segment, index) => {
    if (segment === undefined) return
    const present = log.segments[index]
    const copy = present === undefined ? Buffer.alloc(SEGMENT_BYTES) : Buffer.from(present)
    if (mergeSegment(copy, segment)) changed.set(index, copy)
  })
  save(db, destination, log, changed, true)
}

/** The HyperLogLog at `key` as the string that Redis would have. Throws WRONG_TYPE. */
export function toRedisString(db: Database, key: Bytes): Bytes {
  return registersForRedis(openOrNew(db, key).segments)
}

/** Makes a HyperLogLog at `key`, which must not exist, of a string that Redis made. False if `text` is none. */
export function fromRedisString(db: Database, key: Bytes, text: Bytes): boolean {
  const registers = registersOfRedis(text)
  if (registers === undefined) return false
  const changed = new Map<number, Buffer>()
  for (let index = 0; index < SEGMENT_COUNT; index++) {
    const segment = registers.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)
    if (segment.some((byte) => byte !== 0)) changed.set(index, segment)
  }
  save(db, key, openOrNew(db, key), changed, true)
  return true
}

interface LogHeader {
  readonly metadata: Metadata
  readonly isNew: boolean
  readonly rows: Subkeys
}

interface OpenLog extends LogHeader {
  readonly segments: readonly (Bytes | undefined)[]
}

function openHeader(db: Database, key: Bytes): LogHeader {
  const present = readMetadata(db, key, TYPE_HYPERLOGLOG)
  const metadata = present ?? freshMetadata(TYPE_HYPERLOGLOG, db.newVersion(), DENSE)
  return { metadata, isNew: present === undefined, rows: db.subkeys(CF_DEFAULT, key, metadata.version) }
}

function openOrNew(db: Database, key: Bytes): OpenLog {
  const log = openHeader(db, key)
  return { ...log, segments: log.isNew ? [] : readSegments(log.rows) }
}

function readSegments(rows: Subkeys): (Bytes | undefined)[] {
  const segments = rows.getMany(SEGMENT_KEYS)
  for (const segment of segments) checkSegment(segment)
  return segments
}

function checkSegment(segment: Bytes | undefined): Bytes | undefined {
  if (segment === undefined || segment.length === SEGMENT_BYTES) return segment
  throw new MetadataFormatError(`a HyperLogLog segment has ${segment.length} bytes`)
}

/** Writes changed segments; with `evenEmpty` a key that is new is made although it has none. */
function save(db: Database, key: Bytes, log: LogHeader, changed: ReadonlyMap<number, Buffer>, evenEmpty = false): void {
  if (changed.size === 0 && !(evenEmpty && log.isNew)) return
  db.logData(TYPE_HYPERLOGLOG)
  for (const [index, segment] of changed) log.rows.put(SEGMENT_KEYS[index] as Bytes, segment)
  db.putMetadata(key, encodeMetadata(log.metadata))
}

function mergeAll(db: Database, keys: readonly Bytes[]): (Buffer | undefined)[] {
  const merged: (Buffer | undefined)[] = new Array(SEGMENT_COUNT).fill(undefined)
  for (const key of keys) {
    const metadata = readMetadata(db, key, TYPE_HYPERLOGLOG)
    if (metadata === undefined) continue
    readSegments(db.subkeys(CF_DEFAULT, key, metadata.version)).forEach((segment, index) => {
      if (segment === undefined) return
      const target = merged[index]
      if (target === undefined) merged[index] = Buffer.from(segment)
      else mergeSegment(target, segment)
    })
  }
  return merged
}
