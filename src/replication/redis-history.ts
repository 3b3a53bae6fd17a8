/**
 * The stream of commands that one Redis replica gets after its RDB file: Redis counts its bytes, we count sequences. What
 * was sent is not kept but made anew from the log, so a replica that comes back after an hour goes on where it was, as long
 * as the log reaches. Marks say which byte was where in the log.
 */

import type { Bytes } from '../bytes/bytes.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { WalBatch, WalIterator } from '../rocksdb/wal-iterator.js'
import type { Store } from '../storage/store.js'
import { encodeCommands, type RedisCommand, RedisTranslator } from './redis-commands.js'

/** A point between two batches. */
export interface Mark {
  /** Bytes of the stream before it. */
  readonly offset: number
  /** The first sequence after it. */
  readonly next: number
  /** What was sent there besides batches, such as a ping: it comes first. */
  readonly extra: Bytes | undefined
}

/** All that a history is, besides the log. */
export interface SavedHistory {
  readonly id: string
  readonly namespace: Bytes
  readonly offset: number
  readonly next: number
  readonly marks: readonly Mark[]
}

/** The log cannot be read on: the replica has to begin anew. */
export class HistoryError extends Error {}

const MARK_BYTES = 64 * 1024
const MARKS_MAX = 4096
const BATCHES_MAX = 256
/** Translated at a time, in turns with all other work. */
const CHUNK_BYTES = 64 * 1024

export class RedisHistory {
  /** 40 hex digits: Redis calls it the replication id. */
  readonly id: string
  readonly namespace: Bytes
  readonly translator: RedisTranslator
  /** Bytes of the stream so far. */
  offset = 0
  /** The first sequence that is not in the stream. */
  next: number
  readonly #store: Store
  #marks: Mark[]
  #iterator: WalIterator | undefined

  /** The stream begins with `extra`, then come the changes after `sequence`. */
  constructor(id: string, store: Store, namespace: Bytes, sequence: number) {
    this.id = id
    this.namespace = namespace
    this.next = sequence + 1
    this.translator = new RedisTranslator(namespace, store.slotEncoded)
    this.#store = store
    this.#marks = [{ offset: 0, next: this.next, extra: undefined }]
  }

  /** The history as it was when it was `saved`. */
  static restore({ id, namespace, offset, next, marks }: SavedHistory, store: Store): RedisHistory {
    const history = new RedisHistory(id, store, namespace, next - 1)
    history.offset = offset
    history.#marks = [...marks]
    return history
  }

  get saved(): SavedHistory {
    return { id: this.id, namespace: this.namespace, offset: this.offset, next: this.next, marks: this.#marks }
  }

  /** The first sequence that is needed if the replica comes back. */
  get neededFrom(): number {
    return this.#marks[0]?.next ?? this.next
  }

  /** Adds commands of the stream itself, such as PING. Returns their bytes. */
  add(commands: readonly RedisCommand[]): Bytes {
    const extra = encodeCommands(commands)
    this.#mark(extra)
    this.offset += extra.length
    return extra
  }

  /**
   * What follows in the log: its next bytes, undefined at its end. They may be none, where nothing of it is for the replica.
   * Throws HistoryError.
   */
  read(): Bytes | undefined {
    if (this.#store.latestSequence() < this.next) return undefined
    const batches = this.#batches(() => {
      this.#iterator ??= this.#store.rocks.updatesSince(this.next)
      return this.#iterator
    }, this.next)
    if (batches.length === 0) return undefined
    const last = this.#marks.at(-1)
    if (last !== undefined && this.offset - last.offset >= MARK_BYTES) this.#mark(undefined)
    const bytes = this.#encode(batches)
    const { sequence, count } = batches.at(-1) as WalBatch
    this.next = sequence + count
    this.offset += bytes.length
    if (this.translator.isBroken) throw new HistoryError('keys were deleted in a way that no command of Redis says')
    return bytes
  }

  /** True if the stream can go on after its first `offset` bytes. */
  canResume(offset: number): boolean {
    const first = this.#marks[0]
    return first !== undefined && offset >= first.offset && offset <= this.offset
  }

  /** The bytes of the stream from `offset` up to where it is now, in pieces. Throws HistoryError. */
  *replay(offset: number): Generator<Bytes, void> {
    const end = this.offset
    let skip = offset
    const from = Math.max(
      0,
      this.#marks.findLastIndex((mark) => mark.offset <= offset),
    )
    skip -= this.#marks[from]?.offset ?? 0
    const marks = [...this.#marks.slice(from), { offset: end, next: this.next, extra: undefined }]
    for (let i = 0; i + 1 < marks.length; i++) {
      const mark = marks[i] as Mark
      for (const bytes of this.#between(mark, (marks[i + 1] as Mark).next)) {
        if (skip < bytes.length) yield bytes.subarray(skip)
        skip = Math.max(0, skip - bytes.length)
      }
    }
  }

  /** The replica has the first `offset` bytes: what was before needs not be kept. */
  acknowledge(offset: number): void {
    const last = this.#marks.findLastIndex((mark) => mark.offset <= offset)
    if (last > 0) this.#marks = this.#marks.slice(last)
  }

  /** Nobody reads now. */
  rest(): void {
    this.#iterator?.close()
    this.#iterator = undefined
  }

  *#between({ next, extra }: Mark, end: number): Generator<Bytes, void> {
    if (extra !== undefined) yield extra
    if (next >= end) return
    const iterator = this.#store.rocks.updatesSince(next)
    try {
      for (let at = next; at < end; ) {
        const batches = this.#batches(() => iterator, at).filter(({ sequence }) => sequence < end)
        const last = batches.at(-1)
        if (last === undefined) throw new HistoryError(`sequence ${at} has left the log`)
        at = last.sequence + last.count
        yield this.#encode(batches)
      }
    } finally {
      iterator.close()
    }
  }

  #batches(iterator: () => WalIterator, next: number): WalBatch[] {
    let batches: WalBatch[]
    try {
      batches = iterator().next(BATCHES_MAX, CHUNK_BYTES)
    } catch (error) {
      if (!(error instanceof RocksDBError)) throw error
      throw new HistoryError(`the log cannot be read from sequence ${next} on: ${error.message}`)
    }
    let expected = next
    for (const { sequence, count } of batches) {
      if (sequence !== expected) throw new HistoryError(`sequence ${expected} has left the log`)
      expected += count
    }
    return batches
  }

  #encode(batches: readonly WalBatch[]): Bytes {
    return encodeCommands(batches.flatMap(({ data }) => this.translator.translate(data)))
  }

  #mark(extra: Bytes | undefined): void {
    this.#marks.push({ offset: this.offset, next: this.next, extra })
    if (this.#marks.length > MARKS_MAX) this.#marks.shift()
  }
}
