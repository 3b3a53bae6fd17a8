import { type Bytes, latin1 } from '../../bytes/bytes.js'
import { Crc64 } from '../../bytes/crc64.js'
import type { Int64 } from '../../bytes/int64.js'
import { ByteSink } from './byte-sink.js'
import { partSize } from './decode.js'
import { encodingOf, hasExpiringFields, writeHashEntry, writeHashStart, writeValue, writeZsetEntry } from './encode.js'
import { writeStreamNode, writeStreamState } from './encode-stream.js'
import {
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRE_TIME_MS,
  OPCODE_FUNCTION_2,
  OPCODE_RESIZE_DB,
  OPCODE_SELECT_DB,
} from './format.js'
import type { HashValue, ListValue, RdbValue, SetValue, StreamEntry, StreamState, ZsetValue } from './value.js'

/** A collection whose parts can be written one after the other. */
export type Collection = ListValue | SetValue | HashValue | ZsetValue

/** Redis 7.0's version: what the writer assumes of its reader unless told otherwise. */
const VERSION_DEFAULT = 10

/**
 * Writes an RDB file piece by piece; the layout stands in file-reader.ts. Nothing is sent: the caller takes what has
 * gathered when `size` has grown enough, and waits for its own reader between two calls. Calls out of order, and a
 * collection that gets more or fewer elements than announced, are mistakes of the caller and throw TypeError.
 */
export class RdbWriter {
  readonly #sink = new ByteSink()
  readonly #crc = new Crc64()
  readonly #version: number
  #openType = 0
  #open: RdbValue['type'] | undefined
  #left = 0

  /** Writes the header for a reader of the given RDB version. Redis 7.2 reads 11, 7.4 and 8.0 read 12. */
  constructor(version = VERSION_DEFAULT) {
    this.#version = version
    this.#sink.bytes(latin1(`REDIS${String(version).padStart(4, '0')}`))
  }

  /** Bytes that wait to be taken. */
  get size(): number {
    return this.#sink.size
  }

  /** Hands over the bytes that were written since the last call. */
  take(): Bytes {
    const bytes = this.#sink.take()
    this.#crc.update(bytes)
    return bytes
  }

  /** A piece of information about the writer: redis-ver, redis-bits, ctime, used-mem, repl-id, repl-offset, … */
  aux(name: string, value: string): void {
    this.#between()
    this.#sink.byte(OPCODE_AUX)
    this.#sink.string(latin1(name))
    this.#sink.string(Buffer.from(value))
  }

  /** The source text of a function library. */
  functionLibrary(library: Bytes): void {
    this.#between()
    this.#sink.byte(OPCODE_FUNCTION_2)
    this.#sink.block(library)
  }

  /** The keys that follow are of this database. The counts are hints for the reader's tables. */
  database(index: number, keys: Int64 = 0, expiring: Int64 = 0): void {
    this.#between()
    this.#sink.byte(OPCODE_SELECT_DB)
    this.#sink.length(index)
    this.#sink.byte(OPCODE_RESIZE_DB)
    this.#sink.length(keys)
    this.#sink.length(expiring)
  }

  /** A key with its whole value. Throws RdbError 'feature' when the version has no encoding for it. */
  entry(key: Bytes, value: RdbValue, expireMs?: Int64): void {
    const type = this.#begin(key, value.type, expireMs, hasExpiringFields(value))
    writeValue(this.#sink, value, type)
  }

  /** Begins a collection of exactly `count` elements, which `elements` adds. `fieldsExpire` matters for a hash. */
  collection(key: Bytes, type: Collection['type'], count: number, expireMs?: Int64, fieldsExpire = false): void {
    this.#openType = this.#begin(key, type, expireMs, fieldsExpire)
    if (type === 'hash') writeHashStart(this.#sink, count, this.#openType)
    else this.#sink.length(count)
    this.#open = type
    this.#left = count
  }

  /** Adds elements to the collection that is open. */
  elements(part: Collection): void {
    const sink = this.#sink
    this.#count(part.type, partSize(part))
    switch (part.type) {
      case 'list':
        for (const element of part.elements) sink.string(element)
        break
      case 'set':
        for (const member of part.members) sink.string(member)
        break
      case 'hash':
        for (const entry of part.entries) writeHashEntry(sink, entry, this.#openType)
        break
      case 'zset':
        for (const entry of part.entries) writeZsetEntry(sink, entry)
        break
    }
  }

  /** Begins a stream of exactly `nodes` nodes, which `streamNode` adds and `streamEnd` follows. */
  stream(key: Bytes, nodes: number, expireMs?: Int64): void {
    this.#openType = this.#begin(key, 'stream', expireMs, false)
    this.#sink.length(nodes)
    this.#open = 'stream'
    this.#left = nodes
  }

  /** Adds a node: 1 to 100 entries or so, in order. */
  streamNode(entries: readonly StreamEntry[]): void {
    this.#count('stream', 1)
    writeStreamNode(this.#sink, entries)
  }

  /** Ends the stream that is open. `entryCount` is the sum over its nodes. */
  streamEnd(entryCount: Int64, state: StreamState): void {
    this.#count('stream', 0)
    this.#open = undefined
    this.#between()
    writeStreamState(this.#sink, this.#openType, entryCount, state)
  }

  /** Ends the file with its checksum, and hands over the last bytes. */
  end(): Bytes {
    this.#between()
    this.#sink.byte(OPCODE_EOF)
    const last = this.take()
    const bytes = Buffer.allocUnsafe(last.length + 8)
    bytes.set(last)
    this.#crc.write(bytes, last.length)
    return bytes
  }

  #begin(key: Bytes, type: RdbValue['type'], expireMs: Int64 | undefined, fieldsExpire: boolean): number {
    this.#between()
    const encoding = encodingOf(type, this.#version, fieldsExpire)
    if (expireMs !== undefined) {
      this.#sink.byte(OPCODE_EXPIRE_TIME_MS)
      this.#sink.int64(expireMs)
    }
    this.#sink.byte(encoding.type)
    this.#sink.string(key)
    return encoding.type
  }

  #count(type: RdbValue['type'], count: number): void {
    if (this.#open !== type) throw new TypeError(`no ${type} is open`)
    if (count > this.#left) throw new TypeError('more elements than announced')
    this.#left -= count
  }

  #between(): void {
    if (this.#left > 0 || this.#open === 'stream') throw new TypeError('fewer elements than announced')
    this.#open = undefined
  }
}
