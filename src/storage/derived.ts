/**
 * What was derived from all rows of one life of a collection, such as the count of a HyperLogLog, until one of them is
 * written. Every write of an element passes `written`, so what that costs while its collection is not among those known
 * is one look into a table.
 */

import type { Bytes } from '../bytes/bytes.js'

const COLLECTIONS_MAX = 1024

export class Derived {
  /** By what the internal keys of the rows begin with, latin1. The one noted first stands first. */
  readonly #values = new Map<string, number>()
  /** How many of them end with each byte; it is the last of the version, in which lives differ most. */
  readonly #endings = new Int32Array(256)

  /** Undefined: not known, or not known any more. `prefix`: what the internal keys of the rows begin with. */
  get(prefix: Bytes): number | undefined {
    return this.#knows(prefix) ? this.#values.get(prefix.latin1Slice(0)) : undefined
  }

  note(prefix: Bytes, value: number): void {
    this.written(prefix)
    if (this.#values.size >= COLLECTIONS_MAX) {
      const [oldest] = this.#values.keys()
      this.#drop(oldest as string)
    }
    this.#values.set(prefix.latin1Slice(0), value)
    this.#endings[endOf(prefix)]!++
  }

  /** A row whose key begins with `prefix` is put or deleted. */
  written(prefix: Bytes): void {
    if (this.#knows(prefix)) this.#drop(prefix.latin1Slice(0))
  }

  /** Rows may have come from elsewhere, or have come back. */
  forget(): void {
    this.#values.clear()
    this.#endings.fill(0)
  }

  #knows(prefix: Bytes): boolean {
    return this.#endings[endOf(prefix)] !== 0
  }

  #drop(prefix: string): void {
    if (this.#values.delete(prefix)) this.#endings[prefix.charCodeAt(prefix.length - 1)]!--
  }
}

function endOf(prefix: Bytes): number {
  return prefix[prefix.length - 1] as number
}
