/**
 * The keys of one namespace at a snapshot as an RDB file, piece by piece: what a Redis replica gets first. Large
 * collections are walked twice, for a file says how many elements come before they come, and never held in memory.
 */

import { type Bytes, EMPTY, latin1 } from '../bytes/bytes.js'
import { decimal } from '../bytes/int64.js'
import type { Database } from '../storage/database.js'
import {
  checkRow,
  type DataType,
  expireMsOf,
  headerSize,
  isExpired,
  MetadataFormatError,
  rowType,
  sizeOf,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_NAMES,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../storage/metadata.js'
import { type Collection, RdbWriter } from '../storage/rdb/file-writer.js'
import type { HashEntry, StreamEntry, ZsetEntry } from '../storage/rdb/value.js'
import type { RowWalk } from '../storage/row-cursor.js'
import * as hashes from '../types/hash.js'
import type { FieldRows } from '../types/hash-fields.js'
import * as lists from '../types/list/list.js'
import { readValue } from '../types/logical.js'
import * as sets from '../types/set.js'
import { openRange } from '../types/stream/entries.js'
import { ENTRY_ID_MAX, ID_ZERO } from '../types/stream/ids.js'
import { entryToValue, stateToValue } from '../types/stream/logical.js'
import { openStream } from '../types/stream/rows.js'
import * as zsets from '../types/zset.js'

export interface SnapshotRdbOptions {
  /** Of the reader; Redis 7.0 reads 10. */
  readonly version: number
  /** Pieces of information about the writer, at the file's beginning. */
  readonly aux: Readonly<Record<string, string>>
}

const PIECE_BYTES = 64 * 1024
/** So many rows that add nothing to the file are read at a time, about a millisecond: others have their turns between. */
const SILENT_ROWS_MAX = 4096
/** Collections of more elements are written in parts. */
const WHOLE_ELEMENTS_MAX = 1024
const PART_ELEMENTS = 256
const NODE_ENTRIES = 100
const SLOT_BYTES = 2
/** The version that has fields with an expiry. */
const FIELD_EXPIRY_VERSION = 12
/** Expiries of fields that are told after a file which cannot hold them. */
const LATE_COMMANDS_MAX = 100_000
const HPEXPIREAT = latin1('HPEXPIREAT')
const FIELDS = latin1('FIELDS')
const ONE = latin1('1')

export class SnapshotRdb {
  /** Keys that were left out, for Redis has nothing like them, by type. */
  readonly leftOut = new Map<string, number>()
  /** What the file could not hold and a reader of a newer Redis understands: commands to be sent after it. */
  readonly lateCommands: (readonly Bytes[])[] = []
  /** Keys that were written. */
  keys = 0
  readonly #db: Database
  readonly #writer: RdbWriter
  readonly #holdsFieldExpiry: boolean

  /** `db`: of Store.databaseAt. */
  constructor(db: Database, { version, aux }: SnapshotRdbOptions) {
    this.#db = db
    this.#writer = new RdbWriter(version)
    this.#holdsFieldExpiry = version >= FIELD_EXPIRY_VERSION
    for (const [name, value] of Object.entries(aux)) this.#writer.aux(name, value)
  }

  /**
   * The file, in pieces of some 64 KiB, or of none while rows are read that add nothing; the same bytes at each run over the
   * same snapshot. End it before the snapshot.
   */
  *pieces(): Generator<Bytes, void> {
    const writer = this.#writer
    const slotBytes = this.#db.slotEncoded ? SLOT_BYTES : 0
    using cursor = this.#db.scanMetadata()
    let hasDatabase = false
    let rows = 0
    while (cursor.next()) {
      if (++rows % SILENT_ROWS_MAX === 0) yield EMPTY
      const row = cursor.value
      const key = cursor.key.subarray(slotBytes)
      if (!this.#isWritable(row)) continue
      if (!hasDatabase) writer.database(0)
      hasDatabase = true
      this.keys++
      yield* this.#entry(Buffer.from(key), row)
      if (writer.size >= PIECE_BYTES) yield writer.take()
    }
    yield writer.end()
  }

  #isWritable(row: Bytes): boolean {
    try {
      checkRow(row)
    } catch (error) {
      if (!(error instanceof MetadataFormatError)) throw error
      this.#leaveOut('unreadable')
      return false
    }
    if (isExpired(row, this.#db.nowMs)) return false
    if (isKnownToRedis(rowType(row))) return true
    this.#leaveOut(TYPE_NAMES[rowType(row)] ?? 'unknown')
    return false
  }

  #leaveOut(type: string): void {
    this.leftOut.set(type, (this.leftOut.get(type) ?? 0) + 1)
  }

  *#entry(key: Bytes, row: Bytes): Generator<Bytes, void> {
    const expireMs = expireMsOf(row) || undefined
    const type = rowType(row)
    if (type === TYPE_STRING) {
      this.#writer.entry(key, { type: 'string', value: row.subarray(headerSize(row)) }, expireMs)
      return
    }
    if (sizeOf(row) > WHOLE_ELEMENTS_MAX && isPartable(type)) {
      yield* this.#large(key, type, expireMs)
      return
    }
    const value = readValue(this.#db, key, type)
    if (value === undefined) throw new RangeError(`${TYPE_NAMES[type]} has a form in RDB files`)
    if (value.type === 'hash' && !this.#holdsFieldExpiry) {
      this.#writer.entry(
        key,
        { type: 'hash', entries: value.entries.map((entry) => this.#withoutExpiry(key, entry)) },
        expireMs,
      )
    } else this.#writer.entry(key, value, expireMs)
  }

  #withoutExpiry(key: Bytes, [field, value, fieldExpireMs]: HashEntry): HashEntry {
    if (fieldExpireMs !== undefined) {
      if (this.lateCommands.length < LATE_COMMANDS_MAX) {
        this.lateCommands.push([HPEXPIREAT, key, decimal(fieldExpireMs), FIELDS, ONE, field])
      } else this.#leaveOut('expiry of a field')
    }
    return [field, value]
  }

  #large(key: Bytes, type: DataType, expireMs: number | undefined): Generator<Bytes, void> {
    const db = this.#db
    switch (type) {
      case TYPE_HASH:
        return this.#hash(key, expireMs)
      case TYPE_LIST:
        return this.#parts(key, expireMs, {
          type: 'list',
          open: () => lists.range(db, key, 0, -1)?.open(),
          copy: (row) => Buffer.from(row.value),
          part: (elements: Bytes[]) => ({ type: 'list', elements }),
        })
      case TYPE_SET:
        return this.#parts(key, expireMs, {
          type: 'set',
          open: () => sets.scan(db, key)?.open(),
          copy: (row) => Buffer.from(row.key),
          part: (members: Bytes[]) => ({ type: 'set', members }),
        })
      case TYPE_ZSET:
        return this.#parts(key, expireMs, {
          type: 'zset',
          open: () => zsets.open(db, key)?.scores.scan({ values: false }),
          copy: (row) => {
            const { member, score } = zsets.copyOfRow(row.key)
            return [member, score] as const
          },
          part: (entries: ZsetEntry[]) => ({ type: 'zset', entries }),
        })
      default:
        return this.#stream(key, expireMs)
    }
  }

  *#hash(key: Bytes, expireMs: number | undefined): Generator<Bytes, void> {
    const open = (): FieldRows | undefined => hashes.scan(this.#db, key)?.open()
    let fieldsExpire = false
    if (this.#holdsFieldExpiry) {
      fieldsExpire = yield* hasRow(open(), ({ expireMs: fieldExpireMs = 0 }) => fieldExpireMs !== 0)
    }
    yield* this.#parts<FieldRows, HashEntry>(
      key,
      expireMs,
      {
        type: 'hash',
        open,
        copy: ({ key: field, value, expireMs: fieldExpireMs = 0 }) => {
          const [name, content] = [Buffer.from(field), Buffer.from(value)]
          if (fieldExpireMs === 0) return [name, content]
          const entry: HashEntry = [name, content, fieldExpireMs]
          return this.#holdsFieldExpiry ? entry : this.#withoutExpiry(key, entry)
        },
        part: (entries) => ({ type: 'hash', entries }),
      },
      fieldsExpire,
    )
  }

  /** Counts the elements, then writes them in parts. */
  *#parts<Row extends RowWalk, Element>(
    key: Bytes,
    expireMs: number | undefined,
    shape: Shape<Row, Element>,
    fieldsExpire = false,
  ): Generator<Bytes, void> {
    const writer = this.#writer
    const count = yield* countRows(shape.open())
    if (count === 0) return
    writer.collection(key, shape.type, count, expireMs, fieldsExpire)
    using rows = shape.open()
    let elements: Element[] = []
    while (rows?.next()) {
      elements.push(shape.copy(rows))
      if (elements.length < PART_ELEMENTS) continue
      writer.elements(shape.part(elements))
      elements = []
      if (writer.size >= PIECE_BYTES) yield writer.take()
    }
    if (elements.length > 0) writer.elements(shape.part(elements))
  }

  *#stream(key: Bytes, expireMs: number | undefined): Generator<Bytes, void> {
    const writer = this.#writer
    const stream = openStream(this.#db, key)
    if (stream === undefined) throw new RangeError('the stream exists')
    const all = { start: ID_ZERO, end: ENTRY_ID_MAX, reverse: false, count: 0 }
    const count = yield* countRows(openRange(stream, all, false))
    writer.stream(key, Math.ceil(count / NODE_ENTRIES), expireMs)
    using rows = openRange(stream, all)
    let entries: StreamEntry[] = []
    while (rows.next()) {
      entries.push(entryToValue({ id: Buffer.from(rows.key), value: Buffer.from(rows.value) }))
      if (entries.length < NODE_ENTRIES) continue
      writer.streamNode(entries)
      entries = []
      if (writer.size >= PIECE_BYTES) yield writer.take()
    }
    if (entries.length > 0) writer.streamNode(entries)
    writer.streamEnd(count, stateToValue(stream))
  }
}

interface Shape<Row extends RowWalk, Element> {
  readonly type: Collection['type']
  open(): Row | undefined
  copy(row: Row): Element
  part(elements: Element[]): Collection
}

/** Yields now and then, as `pieces` does. */
function* countRows(walk: RowWalk | undefined): Generator<Bytes, number> {
  let count = 0
  yield* hasRow(walk, () => {
    count++
    return false
  })
  return count
}

/** Whether a row is as wanted; those after it are not looked at. Yields now and then, as `pieces` does. */
function* hasRow<Row extends RowWalk>(
  walk: Row | undefined,
  isWanted: (row: Row) => boolean,
): Generator<Bytes, boolean> {
  if (walk === undefined) return false
  using rows = walk
  for (let read = 1; rows.next(); read++) {
    if (isWanted(rows)) return true
    if (read % SILENT_ROWS_MAX === 0) yield EMPTY
  }
  return false
}

/** The types that RDB files of Redis have, by their names: bitmaps and HyperLogLogs are strings there, sorted integers a set. */
const REDIS_TYPES = new Set(['string', 'hash', 'list', 'set', 'zset', 'bitmap', 'stream', 'hyperloglog', 'sortedint'])
const PARTABLE = new Set<DataType>([TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_STREAM])

function isPartable(type: DataType): boolean {
  return PARTABLE.has(type)
}

/** Whether Redis has something like the type. */
function isKnownToRedis(type: DataType): boolean {
  return REDIS_TYPES.has(TYPE_NAMES[type] ?? '')
}
