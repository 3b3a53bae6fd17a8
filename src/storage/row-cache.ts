/**
 * Rows in memory, in front of RocksDB, of the families that are read by key: strings whole, the heads of all other keys,
 * elements of hashes, sets, sorted sets and lists, and the knowledge that a row is absent. Bounded in bytes; the oldest
 * rows go first, and a row that was read since it came, or since it was last spared, is spared once. Scans neither fill
 * nor empty it.
 *
 * All rows lie in one ring of 32-bit words, so that they are no work for the garbage collector:
 *
 *   next  hash  flags|keyLength  valueLength  words  turn  family  key…  value…
 *
 *   next         word offset of the next entry with the same bucket, 0 = none
 *   flags        bit 16: in the table; bit 17: read since it was last considered
 *   valueLength  bytes; -1 = the key is absent
 *   words        the entry's length
 *   turn         the turn that wrote it: rows of the running turn, and of one being committed, are not in RocksDB yet
 *   family       the column family, and how often all of its rows were forgotten before
 *   key, value   padded to whole words
 *
 * The caller composes each key in the buffer given to the constructor. The rows are true because every write passes
 * `put`, `putAbsent`, `drop` or `forget` before its commit.
 *
 * Words are counted in 32 bits; bytes, of which a ring may have 4 GiB, are not.
 */

import { type Bytes, copyPart } from '../bytes/bytes.js'
import { OptionError } from '../config/option.js'
import { CF_DEFAULT, CF_METADATA, type ColumnFamily } from './column-family.js'

const HASH = 1
const KEY = 2
const VALUE = 3
const WORDS = 4
const TURN = 5
const FAMILY = 6
const HEADER_WORDS = 7

const KEY_LENGTH = 0xffff
const LIVE = 1 << 16
const READ = 1 << 17

const FAMILIES_MAX = 8
const ABSENT = -1
/** In place of a turn: the row came from RocksDB. */
const STORED = -2
/** Offset 0 ends a chain, so no entry stands there. */
const FIRST = 1
/** Larger rows stay out: the cache is for many small ones. */
const ROW_BYTES_MAX = 64 * 1024
const KEY_BYTES_MAX = 4096
/** How many rows one insertion spares before it takes the next whatever it is: bounds the time of an insertion. */
const SPARED_MAX = 8
const BYTES_MIN = 1 << 20
/** Words of the ring for each bucket of the table, about the size of a small row. */
const WORDS_PER_BUCKET = 16
const SET_BY_LOOP_MAX = 24
const COPIED_BY_LOOP_MAX = 64

export interface RowCacheStats {
  hits: number
  misses: number
  evictions: number
}

/** True for the families whose rows are cached: those of the others are mostly read in ranges. */
export function isCachedFamily(cf: ColumnFamily): boolean {
  return cf === CF_METADATA || cf === CF_DEFAULT
}

export class RowCache {
  /** Rows of turns that are not yet stored were evicted: what is missing may have been written by them. */
  lostWrites = false
  readonly #stats: RowCacheStats
  readonly #key: Buffer
  readonly #keyWords: Int32Array
  readonly #words: Int32Array
  readonly #bytes: Buffer
  readonly #heads: Int32Array
  readonly #capacity: number
  #turn = 0
  /** The turn whose commit is under way; -1 = none. */
  #flying = -1
  /** Where the next entry goes. */
  #head = FIRST
  /** The oldest entry. */
  #tail = FIRST
  /** While the ring is wrapped (`head` below `tail`), where its upper part ends. */
  #end = 0
  #isWrapped = false
  #entries = 0
  #usedWords = 0
  /** Of each family, what its entries have under FAMILY. */
  readonly #families = Int32Array.from({ length: FAMILIES_MAX }, (_, cf) => cf)
  /** Of the key that `find` was last asked for. */
  #hash = 0
  #family = 0

  /** `bytes`: bound for all rows. `key`: where keys are composed; its length is a multiple of 4. */
  constructor(bytes: number, key: Buffer, stats: RowCacheStats) {
    const size = Math.max(bytes, BYTES_MIN)
    this.#capacity = Math.floor(size / 4)
    const ring = allocate(this.#capacity * 4)
    this.#words = new Int32Array(ring)
    this.#bytes = Buffer.from(ring)
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(this.#capacity / WORDS_PER_BUCKET)))
    this.#key = key
    this.#keyWords = new Int32Array(key.buffer, key.byteOffset, key.length >> 2)
    this.#stats = stats
  }

  get entries(): number {
    return this.#entries
  }

  /** All rows; valid until the next change. */
  get ring(): Buffer {
    return this.#bytes
  }

  /** Bytes that the rows occupy. */
  get bytes(): number {
    return this.#usedWords * 4
  }

  /** The composed key can be cached. */
  fits(keyLength: number): boolean {
    return keyLength <= KEY_BYTES_MAX
  }

  /** Returns a handle on the row of the composed key, valid until the next change; 0 if it is not known. */
  find(cf: ColumnFamily, keyLength: number): number {
    const words = this.#words
    const keyWords = this.#keyWords
    const count = (keyLength + 3) >> 2
    for (let at = keyLength; at < count << 2; at++) this.#key[at] = 0
    const family = this.#families[cf] as number
    let hash = (keyLength << 3) | cf
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ (keyWords[i] as number), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    this.#hash = hash
    this.#family = family
    let at = this.#heads[hash & (this.#heads.length - 1)] as number
    while (at !== 0) {
      const isSame = words[at + HASH] === hash && words[at + FAMILY] === family
      if (isSame && ((words[at + KEY] as number) & KEY_LENGTH) === keyLength) {
        let i = 0
        while (i < count && words[at + HEADER_WORDS + i] === keyWords[i]) i++
        if (i === count) return at
      }
      at = words[at] as number
    }
    return 0
  }

  /** A copy of the row that `find` returned a handle on; undefined if the key is absent. Counts as a hit. */
  read(handle: number): Buffer | undefined {
    this.#stats.hits++
    const words = this.#words
    const head = words[handle + KEY] as number
    words[handle + KEY] = head | READ
    const length = words[handle + VALUE] as number
    if (length === ABSENT) return undefined
    return copyPart(this.#bytes, this.offsetOf(handle), length)
  }

  /** Where in `ring` the row begins that `find` returned a handle on. */
  offsetOf(handle: number): number {
    return valueAt(handle, (this.#words[handle + KEY] as number) & KEY_LENGTH)
  }

  /** Bytes of the row; -1 if the key is absent. */
  lengthOf(handle: number): number {
    return this.#words[handle + VALUE] as number
  }

  /** Keeps what RocksDB has under the key that `find` did not know: `length` bytes of `value`, or -1 = nothing. */
  learn(keyLength: number, value: Bytes, length: number): void {
    this.#stats.misses++
    if (length > ROW_BYTES_MAX) return
    const at = this.#append(keyLength, length, STORED)
    if (length > 0) this.#fill(valueAt(at, keyLength), value, length)
  }

  /** Notes that the running turn writes `value` + `tail` at the composed key. False if the row cannot be kept. */
  put(cf: ColumnFamily, keyLength: number, value: Bytes, tail: Bytes): boolean {
    const length = value.length + tail.length
    const handle = this.#place(cf, keyLength, length)
    if (handle === 0) return false
    const at = valueAt(handle, keyLength)
    this.#fill(at, value, value.length)
    if (tail.length > 0) this.#fill(at + value.length, tail, tail.length)
    return true
  }

  /** Notes that the running turn deletes the row of the composed key. */
  putAbsent(cf: ColumnFamily, keyLength: number): void {
    this.#place(cf, keyLength, ABSENT)
  }

  /** Forgets the row of the composed key. */
  drop(cf: ColumnFamily, keyLength: number): void {
    const handle = this.find(cf, keyLength)
    if (handle !== 0) this.#unlink(handle)
  }

  /** Forgets all rows of `cf`; their memory is used again as that of the oldest is. */
  forget(cf: ColumnFamily): void {
    this.#families[cf] = ((this.#families[cf] as number) + FAMILIES_MAX) | 0
  }

  /** The turn has ended: its writes are in RocksDB, or, if `isFlying`, on the way until `land`. */
  beginTurn(isFlying = false): void {
    this.#flying = isFlying ? this.#turn : -1
    this.#turn = (this.#turn + 1) & 0x7fffffff
    this.lostWrites = false
  }

  /** The commit that was under way has ended. */
  land(): void {
    this.#flying = -1
  }

  /** A handle on an entry of the composed key with room for `length` bytes; 0 if there is none so large. */
  #place(cf: ColumnFamily, keyLength: number, length: number): number {
    const words = this.#words
    const handle = this.find(cf, keyLength)
    if (handle !== 0) {
      const needed = HEADER_WORDS + ((keyLength + 3) >> 2) + (length > 0 ? (length + 3) >> 2 : 0)
      if (needed <= (words[handle + WORDS] as number)) {
        words[handle + VALUE] = length
        words[handle + TURN] = this.#turn
        return handle
      }
      this.#unlink(handle)
    }
    return length > ROW_BYTES_MAX ? 0 : this.#append(keyLength, length, this.#turn)
  }

  #fill(at: number, value: Bytes, length: number): void {
    const bytes = this.#bytes
    if (length === value.length && length > SET_BY_LOOP_MAX) bytes.set(value, at)
    else if (length > COPIED_BY_LOOP_MAX) value.copy(bytes, at, 0, length)
    else for (let i = 0; i < length; i++) bytes[at + i] = value[i] as number
  }

  /** Makes an entry for the key that `find` was last asked for. */
  #append(keyLength: number, length: number, turn: number): number {
    const keyCount = (keyLength + 3) >> 2
    const count = HEADER_WORDS + keyCount + (length > 0 ? (length + 3) >> 2 : 0)
    this.#makeRoom(count)
    const words = this.#words
    const at = this.#head
    this.#head += count
    words[at + HASH] = this.#hash
    words[at + KEY] = keyLength | LIVE
    words[at + VALUE] = length
    words[at + WORDS] = count
    words[at + TURN] = turn
    words[at + FAMILY] = this.#family
    for (let i = 0; i < keyCount; i++) words[at + HEADER_WORDS + i] = this.#keyWords[i] as number
    this.#link(at)
    return at
  }

  #link(at: number): void {
    const bucket = (this.#words[at + HASH] as number) & (this.#heads.length - 1)
    this.#words[at] = this.#heads[bucket] as number
    this.#heads[bucket] = at
    this.#entries++
    this.#usedWords += this.#words[at + WORDS] as number
  }

  #unlink(at: number): void {
    const words = this.#words
    const bucket = (words[at + HASH] as number) & (this.#heads.length - 1)
    const next = words[at] as number
    let before = this.#heads[bucket] as number
    if (before === at) {
      this.#heads[bucket] = next
    } else {
      while (words[before] !== at) before = words[before] as number
      words[before] = next
    }
    words[at + KEY] = (words[at + KEY] as number) & ~LIVE
    this.#entries--
    this.#usedWords -= words[at + WORDS] as number
  }

  /** Evicts until `count` words are free at the head. */
  #makeRoom(count: number): void {
    let spared = 0
    for (;;) {
      if (!this.#isWrapped) {
        if (this.#head + count <= this.#capacity) return
        this.#end = this.#head
        this.#head = FIRST
        this.#isWrapped = true
      }
      while (this.#isWrapped) {
        if (this.#head + count <= this.#tail) return
        if (this.#evict(spared < SPARED_MAX)) spared++
      }
    }
  }

  /** Takes the oldest entry out of the ring, or moves it to the head, if it was read and `maySpare`. True if it moved. */
  #evict(maySpare: boolean): boolean {
    const words = this.#words
    const at = this.#tail
    const count = words[at + WORDS] as number
    const head = words[at + KEY] as number
    this.#tail += count
    const isLast = this.#tail === this.#end
    if (isLast) {
      this.#tail = FIRST
      this.#isWrapped = false
    }
    if ((head & LIVE) === 0) return false
    this.#unlink(at)
    const family = words[at + FAMILY] as number
    const isForgotten = family !== this.#families[family & (FAMILIES_MAX - 1)]
    if (maySpare && (head & READ) !== 0 && !isLast && !isForgotten) {
      // The gap before the new tail is at least as long as the entry.
      words.copyWithin(this.#head, at, at + count)
      words[this.#head + KEY] = (head & ~READ) | LIVE
      this.#link(this.#head)
      this.#head += count
      return true
    }
    this.#stats.evictions++
    if (isForgotten) return false
    const turn = words[at + TURN] as number
    if (turn === this.#turn || turn === this.#flying) this.lostWrites = true
    return false
  }
}

/** Where in the ring's bytes the value of an entry begins whose key has `keyLength` bytes. */
function valueAt(handle: number, keyLength: number): number {
  return (handle + HEADER_WORDS + ((keyLength + 3) >> 2)) * 4
}

/** Throws an OptionError if there is no memory. */
function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes)
  } catch (error) {
    throw new OptionError(`no memory for the cache of rows: ${(error as Error).message}`)
  }
}
