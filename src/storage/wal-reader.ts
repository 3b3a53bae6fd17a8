/**
 * Reads the write-ahead log by sequence. Opening a place in the log costs thousands of batches' worth of reading, so a
 * few iterators stay open where they ended: a follower that asks for the next sequence goes on with its own.
 */

import { RocksDBError } from '../rocksdb/errors.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import type { WalBatch, WalIterator } from '../rocksdb/wal-iterator.js'

/** What can be read of the log. */
export interface WalRange {
  /** The first sequence that can still be read; latest + 1 if none can. */
  readonly oldest: number
  readonly latest: number
  /** Of the files of the log, archived ones included. */
  readonly bytes: number
  readonly files: number
}

interface OpenPlace {
  readonly iterator: WalIterator
  usedAtMs: number
}

/** An open iterator holds a file open and a buffer of 64 KiB. */
const PLACES_MAX = 16
const IDLE_MS_MAX = 60_000
const BYTES_MAX = 16 * 1024 * 1024

export class WalReader {
  readonly #rocks: RocksDB
  readonly #listFiles: () => readonly { readonly bytes: number }[]
  /** Where each open iterator goes on, by the sequence after its last batch; least recently used first. */
  readonly #places = new Map<number, OpenPlace[]>()
  #count = 0

  constructor(rocks: RocksDB, listFiles: () => readonly { readonly bytes: number }[]) {
    this.#rocks = rocks
    this.#listFiles = listFiles
  }

  /** The sequence of the last committed record. */
  get latest(): number {
    return this.#rocks.latestSequence()
  }

  /** Number of iterators that are open. */
  get openCount(): number {
    return this.#count
  }

  /**
   * Up to `batchesMax` batches from the one that contains `sequence`; fewer where `bytesMax` is reached. Where the log no
   * longer reaches so far back it begins with the oldest batch there is: compare its sequence. Empty if there is nothing.
   * Throws RocksDBError.
   */
  read(sequence: number, batchesMax: number, nowMs: number, bytesMax: number = BYTES_MAX): WalBatch[] {
    const iterator = this.#take(sequence) ?? this.#rocks.updatesSince(sequence)
    let batches: WalBatch[]
    try {
      batches = iterator.next(batchesMax, bytesMax)
    } catch (error) {
      iterator.close()
      throw error
    }
    const last = batches.at(-1)
    if (last === undefined && sequence <= this.latest) iterator.close()
    else this.#keep(last === undefined ? sequence : last.sequence + last.count, iterator, nowMs)
    return batches
  }

  /** Reads the directory of the log: not for every poll. */
  range(nowMs: number): WalRange {
    const files = this.#listFiles()
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return { oldest: this.#oldest(nowMs), latest: this.latest, bytes, files: files.length }
  }

  /** The first sequence that can still be read. */
  #oldest(nowMs: number): number {
    try {
      const [first] = this.read(0, 1, nowMs, 1)
      return first?.sequence ?? this.latest + 1
    } catch (error) {
      if (error instanceof RocksDBError) return this.latest + 1
      throw error
    }
  }

  /** Closes iterators that nobody went on with. */
  closeIdle(nowMs: number): void {
    for (const [sequence, places] of this.#places) {
      for (const place of places.filter(({ usedAtMs }) => nowMs - usedAtMs >= IDLE_MS_MAX)) this.#drop(sequence, place)
    }
  }

  /** Closes all; the database cannot be closed before. */
  close(): void {
    for (const places of this.#places.values()) for (const { iterator } of places) iterator.close()
    this.#places.clear()
    this.#count = 0
  }

  #take(sequence: number): WalIterator | undefined {
    const place = this.#places.get(sequence)?.[0]
    if (place === undefined) return undefined
    this.#forget(sequence, place)
    return place.iterator
  }

  #keep(sequence: number, iterator: WalIterator, nowMs: number): void {
    if (this.#count >= PLACES_MAX) {
      const [oldest] = this.#places
      if (oldest !== undefined) this.#drop(oldest[0], oldest[1][0] as OpenPlace)
    }
    const places = this.#places.get(sequence)
    const place = { iterator, usedAtMs: nowMs }
    if (places === undefined) this.#places.set(sequence, [place])
    else places.push(place)
    this.#count++
  }

  #drop(sequence: number, place: OpenPlace): void {
    place.iterator.close()
    this.#forget(sequence, place)
  }

  #forget(sequence: number, place: OpenPlace): void {
    const rest = (this.#places.get(sequence) ?? []).filter((other) => other !== place)
    if (rest.length === 0) this.#places.delete(sequence)
    else this.#places.set(sequence, rest)
    this.#count--
  }
}
