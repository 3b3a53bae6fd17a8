/** The newest entries of something, bounded in number. */

import type { CommandLog } from '../commands/server-view.js'

export class BoundedLog<Entry> implements CommandLog<Entry> {
  /** Oldest first. */
  #entries: Entry[] = []
  readonly #lengthMax: () => number
  #nextId = 1

  /** `lengthMax` is asked at each entry; 0 = unlimited. */
  constructor(lengthMax: () => number) {
    this.#lengthMax = lengthMax
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** Adds the entry that `make` gives for its id. */
  add(make: (id: number) => Entry): void {
    this.#entries.push(make(this.#nextId++))
    this.trim()
  }

  /** Applies a changed length. */
  trim(): void {
    const lengthMax = this.#lengthMax()
    if (lengthMax > 0 && this.#entries.length > lengthMax) this.#entries = this.#entries.slice(-lengthMax)
  }

  remove(isGone: (entry: Entry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => !isGone(entry))
  }
}
