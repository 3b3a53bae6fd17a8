/** Keys by the time at which they expire: a binary heap, the next one first. */

interface Expiration {
  readonly nsKey: string
  readonly atMs: number
}

/** Entries of keys that were changed or forgotten since may be as many as the others, and this many more. */
const STALE_MAX = 1024

export class Expirations {
  readonly #heap: Expiration[] = []
  readonly #current: (nsKey: string) => number | undefined

  /** `current` says when a key expires as far as is known now: entries of another time are stale. */
  constructor(current: (nsKey: string) => number | undefined) {
    this.#current = current
  }

  add(nsKey: string, atMs: number): void {
    const heap = this.#heap
    const added = { nsKey, atMs }
    let at = heap.length
    heap.push(added)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt] as Expiration
      if (parent.atMs <= atMs) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = added
  }

  /** True if so many entries are stale, of `keyCount` keys, that the heap should be made anew. */
  isBloated(keyCount: number): boolean {
    return this.#heap.length > 2 * keyCount + STALE_MAX
  }

  /** Removes and returns the keys whose last millisecond is before `nowMs`. */
  takeDue(nowMs: number): string[] {
    const due = new Set<string>()
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.atMs >= nowMs) return [...due]
      this.#removeFirst()
      if (this.#current(first.nsKey) === first.atMs) due.add(first.nsKey)
    }
  }

  clear(): void {
    this.#heap.length = 0
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let childAt = 2 * at + 1
      const right = heap[childAt + 1]
      if (right !== undefined && right.atMs < (heap[childAt] as Expiration).atMs) childAt++
      const child = heap[childAt]
      if (child === undefined || child.atMs >= last.atMs) break
      heap[at] = child
      at = childAt
    }
    heap[at] = last
  }
}
