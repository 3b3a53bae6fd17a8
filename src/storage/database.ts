/**
 * What a command sees of the storage: the keys of one namespace at one point of time, with all that the turn has written
 * before. Keys are user keys; namespace and slot are added here.
 */

import { type Bytes, copy, EMPTY } from '../bytes/bytes.js'
import { keySlot } from '../bytes/crc16.js'
import { CF_METADATA, type ColumnFamily } from './column-family.js'
import type { CursorTable } from './cursor-table.js'
import { deleteExpired, dropExpiredFields } from './expired-fields.js'
import { isSubkeyPrefix, namespacePrefix, parseNsKey, prefixEnd, subkeyPrefix, VERSION_BYTES } from './keys.js'
import { TYPE_LOG_DATA } from './log-data.js'
import {
  type DataType,
  decodeMetadata,
  type ExpiredPart,
  isExpired,
  isReadable,
  isSurelyAlive,
  newVersion,
  nextExpiryMs,
} from './metadata.js'
import type { RowCursor } from './row-cursor.js'
import { Subkeys } from './subkeys.js'
import type { Turn } from './turn.js'

/** So many fields are told of one by one when a write finds that all of a hash have expired. */
const NOTICED_FIELDS_MAX = 10_000

export interface KeyScan {
  /** Keys that begin with this. */
  readonly prefix?: Bytes
  /** Begins at this key, inclusive. */
  readonly from?: Bytes
}

/** Counters that INFO shows as keyspace_hits and keyspace_misses. */
export interface KeyspaceStats {
  hits: number
  misses: number
}

export class Database {
  readonly namespace: Bytes
  /** Keys carry their cluster slot. */
  readonly slotEncoded: boolean
  readonly turn: Turn
  readonly stats: KeyspaceStats
  /** Cursors that were given to clients. */
  readonly cursors: CursorTable
  readonly #prefix: Buffer
  /** Where the key stands in the prefix of its sub-keys. */
  readonly #keyAt: number
  /** Of the collection that was opened last: many commands work on one for a while. */
  #lastPrefix: Buffer = EMPTY

  constructor(turn: Turn, namespace: Bytes, slotEncoded: boolean, stats: KeyspaceStats, cursors: CursorTable) {
    this.turn = turn
    this.namespace = namespace
    this.slotEncoded = slotEncoded
    this.stats = stats
    this.cursors = cursors
    this.#prefix = namespacePrefix(namespace)
    this.#keyAt = subkeyPrefix(this.#prefix, slotEncoded, EMPTY, EMPTY).length - VERSION_BYTES
  }

  /** Unix milliseconds; the same during a turn, a transaction, a script. */
  get nowMs(): number {
    return this.turn.nowMs
  }

  /** The metadata row of `key`, expired or not. Valid until the command returns, and not to be changed. */
  getMetadata(key: Bytes): Buffer | undefined {
    return this.turn.read(CF_METADATA, this.#compose(key))
  }

  /** The metadata rows of `keys`, in one read. */
  getMetadataOf(keys: readonly Bytes[]): (Buffer | undefined)[] {
    return this.turn.readMany(
      CF_METADATA,
      keys.map((key) => this.nsKey(key)),
    )
  }

  /** Writes the metadata row `row` + `tail`. */
  putMetadata(key: Bytes, row: Bytes, tail?: Bytes): void {
    const { touched } = this.turn
    const isNew = touched.newKeyListener !== undefined && this.#isAbsent(key)
    this.turn.expiries.note(nextExpiryMs(row))
    const length = this.#compose(key)
    this.turn.put(CF_METADATA, length, row, tail)
    if (touched.isObserved) touched.note(this.turn.composedKey(length))
    if (isNew) touched.newKeyListener?.(this.namespace, key)
  }

  #isAbsent(key: Bytes): boolean {
    const row = this.getMetadata(key)
    return row === undefined || (isReadable(row) && isExpired(row, this.nowMs))
  }

  /** Deletes the metadata row; sub-keys become garbage that compaction removes. */
  deleteMetadata(key: Bytes): void {
    const length = this.#compose(key)
    this.turn.delete(CF_METADATA, length)
    if (this.turn.touched.isObserved) this.turn.touched.note(this.turn.composedKey(length))
  }

  /** True if memory knows that there is nothing at `key` whose time is over; false says nothing. Makes no buffer. */
  isSurelyAlive(key: Bytes): boolean {
    const { rowCache } = this.turn
    const length = this.#compose(key)
    if (rowCache === undefined || !rowCache.fits(length)) return false
    const handle = rowCache.find(CF_METADATA, length)
    if (handle === 0) return false
    const rowLength = rowCache.lengthOf(handle)
    return rowLength < 0 || isSurelyAlive(rowCache.ring, rowCache.offsetOf(handle), rowLength, this.nowMs)
  }

  /** The time of `key`, or of the last of its fields, is over, by its metadata row: deletes it where a command may write and has written nothing yet. */
  noticeExpired(key: Bytes, part: ExpiredPart, row: Bytes): void {
    if (!this.turn.noticesExpired) {
      const { touched } = this.turn
      if (touched.isObserved) touched.expiredListener?.(this.turn.composedKey(this.#compose(key)))
      return
    }
    if (part === 'fields') this.#dropFields(key, row)
    deleteExpired(this.turn, this.#compose(key))
    this.turn.expiryListener?.(this.namespace, key, part)
  }

  /** Of a hash whose fields have all expired, and whose row may be overwritten meanwhile. */
  #dropFields(key: Bytes, row: Bytes): void {
    this.turn.finish()
    const prefix = subkeyPrefix(this.#prefix, this.slotEncoded, key, copy(decodeMetadata(row).version))
    dropExpiredFields(this.turn, { prefix, from: EMPTY, rowsMax: NOTICED_FIELDS_MAX }, this.nowMs)
  }

  /** Says, before its first row, what the operation is: the blob of `type`, or one made by `logData`. */
  logData(blob: DataType | Bytes): void {
    this.turn.logData(typeof blob === 'number' ? (TYPE_LOG_DATA[blob] as Buffer) : blob)
  }

  /** The sub-keys, in `cf`, of the life of `key` that has `version`. */
  subkeys(cf: ColumnFamily, key: Bytes, version: Bytes): Subkeys {
    if (!isSubkeyPrefix(this.#lastPrefix, this.#keyAt, key, version)) {
      this.#lastPrefix = subkeyPrefix(this.#prefix, this.slotEncoded, key, version)
    }
    return new Subkeys(this, cf, key, this.#lastPrefix)
  }

  newVersion(): Buffer {
    return newVersion(this.nowMs)
  }

  /** For Subkeys: a sub-key of `key` was changed. */
  touch(key: Bytes): void {
    if (this.turn.touched.isObserved) this.turn.touched.note(this.turn.composedKey(this.#compose(key)))
  }

  /** The stored form of `key`. */
  nsKey(key: Bytes): Buffer {
    const length = this.#compose(key)
    return Buffer.from(this.turn.composedKey(length), 'latin1')
  }

  /** The user key of a stored form that belongs to this namespace. */
  userKey(nsKey: Bytes): Bytes {
    return parseNsKey(nsKey, this.slotEncoded)?.key ?? nsKey
  }

  /**
   * Walks the metadata rows of the namespace in order of their stored keys. The cursor shows keys without the namespace;
   * with slots, the slot's two bytes stand in front.
   */
  scanMetadata({ prefix, from }: KeyScan = {}, slot = -1): RowCursor {
    const base = slot < 0 ? this.#prefix : Buffer.concat([this.#prefix, Buffer.from([slot >> 8, slot & 0xff])])
    const shared = prefix === undefined ? base : Buffer.concat([base, prefix])
    const start = from === undefined ? shared : Buffer.concat([base, from])
    return this.turn.scan(CF_METADATA, {
      lower: Buffer.compare(start, shared) > 0 ? start : shared,
      upper: prefixEnd(shared),
      keySkip: base.length,
      fillCache: false,
    })
  }

  /** The same rows from the last to the first. */
  scanMetadataReverse(): RowCursor {
    return this.turn.scan(CF_METADATA, {
      lower: this.#prefix,
      upper: prefixEnd(this.#prefix),
      keySkip: this.#prefix.length,
      reverse: true,
      fillCache: false,
    })
  }

  /** Deletes all keys of the namespace, in a batch of its own. */
  flush(): void {
    const end = prefixEnd(this.#prefix)
    if (end === undefined) throw new RangeError('a namespace prefix has an end')
    this.turn.deleteRange(CF_METADATA, this.#prefix, end)
    this.turn.touched.notePrefix(this.#prefix.latin1Slice(0))
  }

  #compose(key: Bytes): number {
    return this.turn.compose(this.#prefix, key, this.slotEncoded ? keySlot(key) : -1)
  }
}
