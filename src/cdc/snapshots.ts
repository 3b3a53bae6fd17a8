/**
 * Snapshots of all keys, read page by page as changes: what a reader of the feed begins with. A snapshot stands at one
 * sequence, and the feed that is read from there repeats nothing of it and leaves nothing out.
 *
 * A snapshot keeps RocksDB from forgetting what it shows, so one that is not read any more is closed, and their number is
 * bounded.
 */

import { randomBytes } from 'node:crypto'
import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { RowIterator } from '../rocksdb/row-iterator.js'
import type { Snapshot } from '../rocksdb/snapshot.js'
import { CF_DEFAULT, CF_METADATA, CF_STREAM, type ColumnFamily } from '../storage/column-family.js'
import { parseNsKey, prefixEnd, subkeyPrefix } from '../storage/keys.js'
import { EXPIRE_LOG_DATA, logData, TYPE_LOG_DATA } from '../storage/log-data.js'
import {
  checkRow,
  decodeMetadata,
  expireMsOf,
  isExpired,
  isSingleRow,
  MetadataFormatError,
  rowType,
  TYPE_NAMES,
  TYPE_STREAM,
} from '../storage/metadata.js'
import type { Store } from '../storage/store.js'
import { WriteBatch } from '../storage/write-batch.js'
import { type Change, commandsOf } from './change.js'
import { changesOf } from './changes.js'
import { type ChangeFilter, passes } from './filter.js'
import { changeJson } from './json-format.js'
import { keyPayload } from './key-payload.js'
import { OldValues } from './old-values.js'

export type SnapshotFormat = 'json' | 'resp' | 'rdb'

/** A key as a whole. */
export interface SnapshotKey {
  readonly namespace: Bytes
  readonly key: Bytes
  readonly type: string
  /** Unix milliseconds; 0 = never. */
  readonly expireMs: number
  /** What RESTORE takes; undefined for types that have no such form here. */
  readonly payload: Bytes | undefined
}

export interface SnapshotPage {
  /** Where the next page begins; empty at the end. */
  readonly cursor: string
  /** In JSON: a text for each change. */
  readonly changes: readonly string[]
  /** In RESP: the commands that make the keys. */
  readonly commands: readonly (readonly Bytes[])[]
  /** In RDB. */
  readonly keys: readonly SnapshotKey[]
}

interface OpenSnapshot {
  readonly id: string
  readonly snapshot: Snapshot
  readonly filter: ChangeFilter
  readonly openedAtMs: number
  usedAtMs: number
}

/** The cursor, or the id of a snapshot, is not one of this server. */
export class SnapshotError extends Error {
  constructor(readonly fault: 'no-snapshot' | 'bad-cursor' | 'too-many') {
    super(fault)
  }
}

const SNAPSHOTS_MAX = 16
const IDLE_MS_MAX = 10 * 60_000
const PAGE_CHARACTERS_MAX = 8 * 1024 * 1024
/** Rows that are turned into changes at a time. */
const ROWS_MAX = 256
const ROW_BYTES_MAX = 1024 * 1024
const SETID_LOG_DATA = logData(TYPE_STREAM, 'XSETID')

export class Snapshots {
  readonly #store: Store
  readonly #open = new Map<string, OpenSnapshot>()
  /** Kept for readers that ask for what changed values were before. */
  readonly oldValues: OldValues

  constructor(store: Store) {
    this.#store = store
    this.oldValues = new OldValues(store)
  }

  get count(): number {
    return this.#open.size
  }

  /** When the oldest was opened, in Unix milliseconds; undefined if none is open. */
  get oldestMs(): number | undefined {
    const [first] = this.#open.values()
    return first?.openedAtMs
  }

  /** What is committed now. Throws SnapshotError. */
  open(filter: ChangeFilter, nowMs: number): { id: string; sequence: number } {
    if (this.#open.size >= SNAPSHOTS_MAX) throw new SnapshotError('too-many')
    const id = randomBytes(8).toString('hex')
    const snapshot = this.#store.rocks.snapshot()
    this.#open.set(id, { id, snapshot, filter, openedAtMs: nowMs, usedAtMs: nowMs })
    return { id, sequence: snapshot.sequence }
  }

  /** A page of about `count` changes from `cursor` on, which is empty at first. Throws SnapshotError. */
  read(id: string, cursor: string, count: number, nowMs: number, format: SnapshotFormat = 'json'): SnapshotPage {
    const opened = this.#open.get(id)
    if (opened === undefined) throw new SnapshotError('no-snapshot')
    opened.usedAtMs = nowMs
    // What had expired then is not there, what has expired since is: the feed tells what came of it.
    return new PageReader(this.#store, opened, { count, format }, opened.openedAtMs).read(decodeCursor(cursor))
  }

  /** False if there is none. */
  close(id: string): boolean {
    const opened = this.#open.get(id)
    opened?.snapshot.release()
    return this.#open.delete(id)
  }

  closeIdle(nowMs: number): void {
    this.oldValues.closeIdle(nowMs)
    for (const { id, usedAtMs } of this.#open.values()) if (nowMs - usedAtMs >= IDLE_MS_MAX) this.close(id)
  }

  closeAll(): void {
    this.oldValues.closeAll()
    for (const id of [...this.#open.keys()]) this.close(id)
  }
}

/** The place of a row: of a key, or of an element of one. */
interface Place {
  /** The first key to be read. */
  readonly nsKey: Bytes
  /** The first element of that key to be read; empty for the key's beginning. */
  readonly rowKey: Bytes
}

class PageReader {
  readonly #store: Store
  readonly #opened: OpenSnapshot
  readonly #count: number
  readonly #format: SnapshotFormat
  readonly #nowMs: number
  readonly #texts: string[] = []
  readonly #commands: (readonly Bytes[])[] = []
  readonly #keys: SnapshotKey[] = []
  /** Of the key that is being read as a whole. */
  #told: Change[] = []
  #characters = 0

  constructor(
    store: Store,
    opened: OpenSnapshot,
    { count, format }: { count: number; format: SnapshotFormat },
    nowMs: number,
  ) {
    this.#format = format
    this.#store = store
    this.#opened = opened
    this.#count = count
    this.#nowMs = nowMs
  }

  read(from: Place): SnapshotPage {
    using keys = this.#rows(CF_METADATA, from.nsKey, undefined)
    let { rowKey } = from
    while (keys.next()) {
      const nsKey = Buffer.from(keys.key)
      if (this.#isFull) return this.#page(encodeCursor({ nsKey, rowKey: EMPTY }))
      const next = this.#key(nsKey, Buffer.from(keys.value), nsKey.equals(from.nsKey) ? rowKey : EMPTY)
      rowKey = EMPTY
      if (next !== undefined) return this.#page(encodeCursor({ nsKey, rowKey: next }))
    }
    return this.#page('')
  }

  #page(cursor: string): SnapshotPage {
    return { cursor, changes: this.#texts, commands: this.#commands, keys: this.#keys }
  }

  get #isFull(): boolean {
    const { length } = this.#format === 'json' ? this.#texts : this.#format === 'resp' ? this.#commands : this.#keys
    return length >= this.#count || this.#characters >= PAGE_CHARACTERS_MAX
  }

  /** Tells a key from `rowKey` on. Returns the element to go on with if the page is full before its end. */
  #key(nsKey: Bytes, metadataRow: Bytes, rowKey: Bytes): Bytes | undefined {
    const parsed = parseNsKey(nsKey, this.#store.slotEncoded)
    if (parsed === undefined || !this.#isWanted(metadataRow, parsed)) return undefined
    const type = rowType(metadataRow)
    if (isSingleRow(type)) {
      this.#tell(nsKey, metadataRow, [], { isFirst: true, isLast: true })
      return undefined
    }
    const { version } = decodeMetadata(metadataRow)
    const prefix = subkeyPrefix(
      nsKey.subarray(0, 1 + parsed.namespace.length),
      this.#store.slotEncoded,
      parsed.key,
      version,
    )
    const cf = type === TYPE_STREAM ? CF_STREAM : CF_DEFAULT
    using elements = this.#rows(cf, rowKey.length > 0 ? rowKey : prefix, prefixEnd(prefix))
    let isFirst = rowKey.length === 0
    for (;;) {
      const rows: [Buffer, Buffer][] = []
      let bytes = 0
      let isLast = false
      // A payload holds all of its key.
      while (this.#format === 'rdb' || (rows.length < ROWS_MAX && bytes < ROW_BYTES_MAX)) {
        if (!elements.next()) {
          isLast = true
          break
        }
        rows.push([Buffer.from(elements.key), Buffer.from(elements.value)])
        bytes += elements.value.length
      }
      this.#tell(nsKey, metadataRow, rows, { isFirst, isLast })
      if (isLast) return undefined
      isFirst = false
      const last = rows.at(-1)
      // The smallest key after the last one told.
      if (this.#isFull && last !== undefined) return Buffer.concat([last[0], Buffer.alloc(1)])
    }
  }

  #isWanted(metadataRow: Bytes, { namespace, key }: { namespace: Bytes; key: Bytes }): boolean {
    try {
      checkRow(metadataRow)
    } catch (error) {
      if (error instanceof MetadataFormatError) return false
      throw error
    }
    if (isExpired(metadataRow, this.#nowMs)) return false
    const type = TYPE_NAMES[rowType(metadataRow)] ?? 'none'
    return passes({ sequence: 0, batchSequence: 0, namespace, type, key, op: 'put' }, this.#opened.filter)
  }

  /** Rows of a key as the changes that would have written them at once. */
  #tell(
    nsKey: Bytes,
    metadataRow: Bytes,
    rows: readonly (readonly [Bytes, Bytes])[],
    part: { isFirst: boolean; isLast: boolean },
  ): void {
    const type = rowType(metadataRow)
    const cf = type === TYPE_STREAM ? CF_STREAM : CF_DEFAULT
    const told: Change[] = []
    const isWholeStream = type === TYPE_STREAM && part.isFirst && part.isLast
    if (rows.length > 0 || part.isFirst) {
      const batch = new WriteBatch()
      batch.logData(TYPE_LOG_DATA[type] ?? EMPTY)
      // As a copy writes it: what pends of entries that are gone is said by nothing but the whole.
      if (isWholeStream) batch.put(CF_METADATA, nsKey, nsKey.length, metadataRow)
      for (const [key, value] of rows) batch.put(cf, key, key.length, value)
      if (!isWholeStream) batch.put(CF_METADATA, nsKey, nsKey.length, metadataRow)
      for (const change of this.#changes(batch)) if (part.isLast || change.sequence < rows.length) told.push(change)
    } else if (!part.isFirst && expireMsOf(metadataRow) !== 0) {
      told.push(...this.#alone(EXPIRE_LOG_DATA, nsKey, metadataRow))
    }
    if (type === TYPE_STREAM && part.isLast && !part.isFirst) {
      told.push(...this.#alone(SETID_LOG_DATA, nsKey, metadataRow))
    }
    for (const [i, change] of told.entries()) {
      this.#add(change, part.isFirst && i === 0, part.isLast && i === told.length - 1, metadataRow)
    }
  }

  /** The changes of a metadata row after some log data. */
  #alone(log: Bytes, nsKey: Bytes, metadataRow: Bytes): Change[] {
    const batch = new WriteBatch()
    batch.logData(log)
    batch.put(CF_METADATA, nsKey, nsKey.length, metadataRow)
    return this.#changes(batch)
  }

  #changes(batch: WriteBatch): Change[] {
    return changesOf(batch.serialize(), this.#store.slotEncoded)
  }

  #add(change: Change, isFirst: boolean, isLast: boolean, metadataRow: Bytes): void {
    const { sequence } = this.#opened.snapshot
    const { isFresh: _, expireMs: __, ...rest } = change
    const told: Change = { ...rest, sequence, batchSequence: sequence }
    const expireMs = expireMsOf(metadataRow)
    if (isFirst && change.command !== undefined) told.isFresh = true
    if (isLast && expireMs !== 0) told.expireMs = expireMs
    if (this.#format === 'rdb') {
      this.#told.push(told)
      if (isLast) this.#addKey(told, expireMs)
    } else if (this.#format === 'resp') {
      const commands = commandsOf(told)
      this.#commands.push(...commands)
      for (const words of commands) for (const word of words) this.#characters += word.length
    } else {
      const text = changeJson(told)
      this.#texts.push(text)
      this.#characters += text.length
    }
  }

  #addKey({ namespace, key = EMPTY, type }: Change, expireMs: number): void {
    const payload = keyPayload(this.#told)
    this.#told = []
    this.#keys.push({ namespace, key, type, expireMs, payload })
    this.#characters += payload?.length ?? 0
  }

  #rows(cf: ColumnFamily, lower: Bytes, upper: Bytes | undefined): RowIterator {
    const { snapshot } = this.#opened
    return this.#store.rocks.iterator({ cf, lower, ...(upper === undefined ? {} : { upper }), snapshot: snapshot.id })
  }
}

function encodeCursor({ nsKey, rowKey }: Place): string {
  return `${nsKey.toString('base64url')}.${rowKey.toString('base64url')}`
}

/** `0` and the empty text are the beginning. */
function decodeCursor(cursor: string): Place {
  if (cursor === '' || cursor === '0') return { nsKey: EMPTY, rowKey: EMPTY }
  if (!/^[\w-]+\.[\w-]*$/.test(cursor)) throw new SnapshotError('bad-cursor')
  const [nsKey = '', rowKey = ''] = cursor.split('.')
  return { nsKey: Buffer.from(nsKey, 'base64url'), rowKey: Buffer.from(rowKey, 'base64url') }
}
