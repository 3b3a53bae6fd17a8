/**
 * Which clients have read which keys. The table is bounded: whoever adds to it forgets the oldest keys, and tells their
 * readers so, when it holds too many.
 */

import { Expirations } from './expirations.js'
import type { Tracker } from './tracker.js'

interface Entry {
  /** Nearly always one, so a set is made for the second alone. */
  readers: Tracker | Set<Tracker>
  /** Unix milliseconds after which the key is no more; 0 = never. */
  expireMs: number
}

const NOBODY: readonly Tracker[] = []

export class KeyTable {
  readonly #entries = new Map<string, Entry>()
  readonly #expirations = new Expirations((nsKey) => this.#entries.get(nsKey)?.expireMs)
  #readerCount = 0
  /** Walks the keys as they were added; kept, for a new walk would pass all that was deleted at the front. */
  #oldest: MapIterator<string> | undefined

  get keyCount(): number {
    return this.#entries.size
  }

  /** Of all keys together, those that have left included. */
  get readerCount(): number {
    return this.#readerCount
  }

  /** `reader` has read `nsKey`, one character a byte, which expires at `expireMs` (Unix milliseconds, 0 = never). */
  add(nsKey: string, reader: Tracker, expireMs: number): void {
    const entry = this.#entries.get(nsKey)
    if (entry === undefined) {
      this.#entries.set(nsKey, { readers: reader, expireMs })
      this.#readerCount++
      if (expireMs > 0) this.#expire(nsKey, expireMs)
      return
    }
    if (entry.expireMs !== expireMs) {
      entry.expireMs = expireMs
      if (expireMs > 0) this.#expire(nsKey, expireMs)
    }
    if (entry.readers === reader) return
    if (!(entry.readers instanceof Set)) entry.readers = new Set([entry.readers])
    else if (entry.readers.has(reader)) return
    entry.readers.add(reader)
    this.#readerCount++
  }

  has(nsKey: string): boolean {
    return this.#entries.has(nsKey)
  }

  /** Forgets the key; its readers. */
  take(nsKey: string): Iterable<Tracker> {
    const entry = this.#entries.get(nsKey)
    if (entry === undefined) return NOBODY
    this.#entries.delete(nsKey)
    const readers = entry.readers instanceof Set ? entry.readers : [entry.readers]
    this.#readerCount -= entry.readers instanceof Set ? entry.readers.size : 1
    return readers
  }

  /** Forgets the keys that begin with `prefix`; their readers. */
  takeAll(prefix: string): Set<Tracker> {
    const readers = new Set<Tracker>()
    for (const nsKey of this.#entries.keys()) {
      if (nsKey.startsWith(prefix)) for (const reader of this.take(nsKey)) readers.add(reader)
    }
    return readers
  }

  /** A key that nobody has read for the first time later than all others; undefined if there is none. */
  oldestKey(): string | undefined {
    for (let rounds = 0; rounds < 2; rounds++) {
      this.#oldest ??= this.#entries.keys()
      const { done, value } = this.#oldest.next()
      if (done !== true) return value
      this.#oldest = undefined
    }
    return undefined
  }

  /** True if the key's readers have seen it alive, and its time is over at `nowMs`. */
  hasExpired(nsKey: string, nowMs: number): boolean {
    const expireMs = this.#entries.get(nsKey)?.expireMs ?? 0
    return expireMs > 0 && expireMs < nowMs
  }

  /** The keys whose time is over at `nowMs`, each at most once. They stay in the table. */
  expired(nowMs: number): readonly string[] {
    return this.#expirations.takeDue(nowMs)
  }

  clear(): void {
    this.#entries.clear()
    this.#expirations.clear()
    this.#readerCount = 0
    this.#oldest = undefined
  }

  #expire(nsKey: string, expireMs: number): void {
    this.#expirations.add(nsKey, expireMs)
    if (this.#expirations.isBloated(this.#entries.size)) {
      this.#expirations.clear()
      for (const [key, entry] of this.#entries) if (entry.expireMs > 0) this.#expirations.add(key, entry.expireMs)
    }
  }
}
