import { type Bytes, EMPTY } from '../../bytes/bytes.js'
import { Crc64 } from '../../bytes/crc64.js'
import type { Int64 } from '../../bytes/int64.js'
import { ByteSource } from './byte-source.js'
import { isValueType, type OpenValue, openValue, partSize, stepValue, takePart } from './decode.js'
import { moduleName, readModuleItems } from './decode-module.js'
import {
  MODULE_UNSIGNED,
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRE_TIME,
  OPCODE_EXPIRE_TIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION_2,
  OPCODE_FUNCTION_PRE_GA,
  OPCODE_IDLE,
  OPCODE_KEY_META,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZE_DB,
  OPCODE_SELECT_DB,
  OPCODE_SLOT_INFO,
  RDB_VERSION_MAX,
} from './format.js'
import { corrupt, RdbError } from './rdb-error.js'
import type { RdbValue } from './value.js'

/**
 * RDB files and the payload of a full synchronisation.
 *
 *   "REDIS" version(4 digits) (opcode … | [expiry] [idle] [freq] type key value)… EOF crc64(8, since version 5)
 *
 * Source: Redis rdb.c, rdbLoadRioWithLoadingCtx.
 */

const MAGIC = 'REDIS'
const HEADER_SIZE = 9
const CHECKSUM_VERSION = 5
const CHECKSUM_SIZE = 8
const SECOND_MS = 1000

/** What a file contains, in its order. */
export type RdbEvent =
  | { readonly kind: 'start'; readonly version: number }
  /** Information about the writer, such as redis-ver, repl-id and repl-offset. */
  | { readonly kind: 'aux'; readonly name: Bytes; readonly value: Bytes }
  | { readonly kind: 'database'; readonly index: number }
  /** How many keys the database has, and how many of them expire: a hint. */
  | { readonly kind: 'size'; readonly keys: Int64; readonly expiring: Int64 }
  | { readonly kind: 'function'; readonly library: Bytes }
  /** Data of a module outside the key space, which is skipped. */
  | { readonly kind: 'module'; readonly name: string }
  | RdbPart

/** A value, or a part of a large one: all parts of a key follow each other, and the last says so. */
export type RdbPart = {
  readonly kind: 'part'
  readonly database: number
  readonly key: Bytes
  readonly value: RdbValue
  readonly first: boolean
  readonly last: boolean
  /** Unix milliseconds. It may have passed: the reader does not look at the clock. */
  readonly expireMs: Int64 | undefined
  readonly idleSeconds: Int64 | undefined
  readonly frequency: number | undefined
}

export type RdbFileOptions = {
  /** A part ends when it has this many elements (default 1,000) … */
  readonly partElementsMax?: number
  /** … or this many bytes of the file (default 256 KiB); one element or node is never cut. */
  readonly partBytesMax?: number
  readonly versionMax?: number
}

type Attributes = Pick<RdbPart, 'expireMs' | 'idleSeconds' | 'frequency'>
type Entry = RdbEvent | 'end' | 'attribute' | { readonly kind: 'key'; readonly key: Bytes; readonly open: OpenValue }

const NO_ATTRIBUTES: Attributes = { expireMs: undefined, idleSeconds: undefined, frequency: undefined }

/**
 * Reads a file from chunks of any size. Memory is bounded by a part plus the largest element, or the largest block in
 * which Redis stored a small collection. Byte strings are views of the chunks, which must not be overwritten. Waits for
 * more chunks than it needs at once, so they have to end when the file does.
 *
 * Members that a damaged file gives twice are not noticed: the checksum at the end is what protects a file.
 */
export class RdbFileReader {
  readonly #chunks: AsyncIterator<Bytes>
  readonly #source = new ByteSource(EMPTY)
  readonly #crc = new Crc64()
  readonly #elementsMax: number
  readonly #bytesMax: number
  readonly #versionMax: number
  #version = 0
  #database = 0
  #attributes = NO_ATTRIBUTES
  #exhausted = false
  /** Where the window starts in the file, and up to where in the window the checksum is taken. */
  #base = 0
  #digested = 0

  constructor(chunks: AsyncIterable<Bytes>, options: RdbFileOptions = {}) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#elementsMax = options.partElementsMax ?? 1000
    this.#bytesMax = options.partBytesMax ?? 256 * 1024
    this.#versionMax = options.versionMax ?? RDB_VERSION_MAX
  }

  /** Bytes of the file that are read so far. */
  get position(): number {
    return this.#base + this.#source.at
  }

  /** After the end: what was read behind the file. The chunks' iterator is left where it is. */
  get rest(): Bytes {
    return this.#source.window.subarray(this.#source.at)
  }

  /** Everything in the file. Throws RdbError; 'checksum' at the very end, when all parts are handed over. */
  async *events(): AsyncGenerator<RdbEvent, void, undefined> {
    yield await this.#read((source) => this.#readHeader(source))
    for (;;) {
      const entry = await this.#read((source) => this.#readEntry(source))
      if (entry === 'attribute') continue
      if (entry === 'end') return await this.#readEnd()
      if (entry.kind !== 'key') {
        yield entry
        continue
      }
      yield* this.#readParts(entry.key, entry.open)
      this.#attributes = NO_ATTRIBUTES
    }
  }

  /** Runs a read that changes nothing when it fails, again and again until it finds enough bytes. */
  async #read<T>(read: (source: ByteSource) => T): Promise<T> {
    for (;;) {
      const from = this.#source.at
      try {
        return read(this.#source)
      } catch (error) {
        if (!this.#wantsMore(error)) throw error
        this.#source.at = from
      }
      await this.#refill()
    }
  }

  async *#readParts(key: Bytes, open: OpenValue): AsyncGenerator<RdbPart, void, undefined> {
    for (let first = true; ; first = false) {
      await this.#fillPart(open)
      const last = open.left === 0
      const value = takePart(open)
      // Old versions of Redis could write collections that they had emptied; they are not keys.
      if (first && last && value.type !== 'stream' && partSize(value) === 0) return
      yield { kind: 'part', database: this.#database, key, value, first, last, ...this.#attributes }
      if (last) return
    }
  }

  /** Reads elements until the part is full or the value ends. */
  async #fillPart(open: OpenValue): Promise<void> {
    const source = this.#source
    const start = this.position
    while (open.left > 0) {
      const from = source.at
      try {
        stepValue(open, source)
      } catch (error) {
        if (!this.#wantsMore(error)) throw error
        source.at = from
        await this.#refill()
        continue
      }
      if (this.position - start >= this.#bytesMax || partSize(open.value) >= this.#elementsMax) return
    }
  }

  #wantsMore(error: unknown): boolean {
    return error instanceof RdbError && error.fault === 'truncated' && !this.#exhausted
  }

  /** Replaces the window by what is left of it and new chunks, at least twice as long: retries stay linear in sum. */
  async #refill(): Promise<void> {
    const source = this.#source
    this.#digest()
    const parts = source.left > 0 ? [this.rest] : []
    let wanted = Math.max(source.missing, source.left)
    while (wanted > 0 && !this.#exhausted) {
      const next = await this.#chunks.next()
      if (next.done) this.#exhausted = true
      else if (next.value.length > 0) {
        parts.push(next.value)
        wanted -= next.value.length
      }
    }
    this.#base += source.at
    source.window = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    source.at = 0
    this.#digested = 0
  }

  #digest(): void {
    this.#crc.update(this.#source.window, this.#digested, this.#source.at)
    this.#digested = this.#source.at
  }

  #readHeader(source: ByteSource): RdbEvent {
    const header = source.bytes(HEADER_SIZE).toString('latin1')
    if (!header.startsWith(MAGIC)) throw new RdbError('magic', 'not an RDB file')
    const digits = header.slice(MAGIC.length)
    const version = /^\d+$/.test(digits) ? Number(digits) : 0
    if (version < 1 || version > this.#versionMax) {
      throw new RdbError('version', `unsupported version ${digits}`, version)
    }
    this.#version = version
    return { kind: 'start', version }
  }

  #readEntry(source: ByteSource): Entry {
    const opcode = source.byte()
    switch (opcode) {
      case OPCODE_EOF:
        return 'end'
      case OPCODE_EXPIRE_TIME_MS:
        return this.#attribute({ expireMs: source.int64() })
      case OPCODE_EXPIRE_TIME:
        return this.#attribute({ expireMs: source.int32() * SECOND_MS })
      case OPCODE_IDLE:
        return this.#attribute({ idleSeconds: source.length() })
      case OPCODE_FREQ:
        return this.#attribute({ frequency: source.byte() })
      case OPCODE_SELECT_DB:
        this.#database = source.count()
        return { kind: 'database', index: this.#database }
      case OPCODE_RESIZE_DB:
        return { kind: 'size', keys: source.length(), expiring: source.length() }
      case OPCODE_AUX:
        return { kind: 'aux', name: source.string(), value: source.string() }
      case OPCODE_FUNCTION_2:
        return { kind: 'function', library: source.string() }
      case OPCODE_FUNCTION_PRE_GA:
        throw new RdbError('feature', 'functions before their release', opcode)
      case OPCODE_MODULE_AUX:
        return { kind: 'module', name: skipModuleData(source) }
      case OPCODE_SLOT_INFO:
        return skipSlotInfo(source)
      case OPCODE_KEY_META:
        return skipKeyMetadata(source)
      default:
        if (!isValueType(opcode)) throw new RdbError('type', `unknown object type or opcode ${opcode}`, opcode)
        return { kind: 'key', key: source.string(), open: openValue(source, opcode) }
    }
  }

  #attribute(attribute: Partial<Attributes>): 'attribute' {
    this.#attributes = { ...this.#attributes, ...attribute }
    return 'attribute'
  }

  async #readEnd(): Promise<void> {
    this.#digest()
    if (this.#version < CHECKSUM_VERSION) return
    const checksum = await this.#read((source) => source.bytes(CHECKSUM_SIZE))
    // Eight zeros: written with rdbchecksum no.
    if (checksum.every((byte) => byte === 0)) return
    if (!this.#crc.matches(checksum, 0)) throw new RdbError('checksum', 'wrong checksum')
  }
}

/** A module's id, when its data was saved, and items. Returns the module type's name. */
function skipModuleData(source: ByteSource): string {
  const name = moduleName(BigInt(source.length()))
  if (source.length() !== MODULE_UNSIGNED) throw corrupt('module: time of saving expected')
  source.length()
  readModuleItems(source)
  return name
}

/** Slot, keys and expiring keys: a hint for the allocation of tables. */
function skipSlotInfo(source: ByteSource): 'attribute' {
  source.length()
  source.length()
  source.length()
  return 'attribute'
}

/** What modules attach to a key: classes, each of four bytes and items. */
function skipKeyMetadata(source: ByteSource): 'attribute' {
  for (let left = source.count(); left > 0; left--) {
    source.bytes(4)
    readModuleItems(source)
  }
  return 'attribute'
}
