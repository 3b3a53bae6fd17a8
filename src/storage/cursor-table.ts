/**
 * Numeric cursors of SCAN and its kin. A row is found again by its key, and clients want numbers, so the table keeps the
 * keys of the last cursors given out: 16384, as Kvrocks does. Source: kvrocks src/server/server.cc,
 * GenerateCursorFromKeyName.
 *
 *   number  random(38 bits) index of the entry(14 bits)
 *
 * Unlike Kvrocks's numbers, which take 64 bits, these fit in a double, the number type of many clients.
 */

import { type Bytes, copy } from '../bytes/bytes.js'

/** What is scanned; a cursor of one kind means nothing to another. */
export type CursorKind = 'keys' | 'hash' | 'set' | 'zset'

interface Entry {
  readonly number: number
  readonly kind: CursorKind
  readonly position: Bytes
}

const ENTRIES_MAX = 2 ** 14
const RANDOM_MAX = 2 ** 38

export class CursorTable {
  readonly #entries: (Entry | undefined)[] = []
  #next = 0

  /** A number that stands for `position`, which is copied, until 16384 more were given out. Never 0. */
  issue(kind: CursorKind, position: Bytes): number {
    const index = this.#next
    this.#next = (index + 1) % ENTRIES_MAX
    const number = (1 + Math.floor(Math.random() * (RANDOM_MAX - 1))) * ENTRIES_MAX + index
    this.#entries[index] = { number, kind, position: copy(position) }
    return number
  }

  /** The position that `number` stands for; undefined if it was given out too long ago, or never. */
  find(kind: CursorKind, number: number): Bytes | undefined {
    const entry = this.#entries[number % ENTRIES_MAX]
    return entry?.number === number && entry.kind === kind ? entry.position : undefined
  }
}
