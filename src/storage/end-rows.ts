/**
 * The outermost rows at one end of a collection that is taken from there, as a queue is: read ahead, some at a time, so
 * that not each element that is taken needs an iterator. The keys are true because every put and delete of the
 * collection passes here.
 */

/** How many rows are read ahead. */
export const AHEAD_ROWS = 64
/** So many are kept where rows are put among them. */
const ROWS_MAX = 4 * AHEAD_ROWS
/** Bytes of the keys at one end of a collection. */
export const END_BYTES_MAX = 8192

export class EndRows {
  /** Whole internal keys, latin1: all rows there are from the innermost, which stands first, to the end. */
  #keys: string[] = []
  #bytes = 0
  /** These are all rows of the collection. */
  #isWhole = false
  /** The end is that of the greatest keys. */
  readonly #isBack: boolean

  constructor(isBack: boolean) {
    this.#isBack = isBack
  }

  /** The keys of up to `count` outermost rows, the outermost first; undefined if not so many are known. */
  first(count: number): string[] | undefined {
    const keys = this.#keys
    if (keys.length < count && !this.#isWhole) return undefined
    return keys.slice(Math.max(0, keys.length - count)).reverse()
  }

  /** A scan from the end has found `keys`, the outermost first; `isWhole`: and no others. */
  learn(keys: readonly string[], isWhole: boolean): void {
    let count = 0
    let bytes = 0
    while (count < keys.length && bytes + (keys[count] as string).length <= END_BYTES_MAX) {
      bytes += (keys[count++] as string).length
    }
    this.#keys = keys.slice(0, count).reverse()
    this.#bytes = bytes
    this.#isWhole = isWhole && count === keys.length
  }

  notePut(key: string): void {
    const keys = this.#keys
    if (!this.#isWhole && (keys.length === 0 || this.#isFurtherIn(key, keys[0] as string))) return
    const at = this.#placeOf(key)
    if (keys[at] === key) return
    keys.splice(at, 0, key)
    this.#bytes += key.length
    if (keys.length > ROWS_MAX || this.#bytes > END_BYTES_MAX) this.learn(keys.slice(-AHEAD_ROWS).reverse(), false)
  }

  noteDelete(key: string): void {
    const keys = this.#keys
    const isOutermost = keys[keys.length - 1] === key
    const at = isOutermost ? keys.length - 1 : this.#placeOf(key)
    if (keys[at] !== key) return
    if (isOutermost) keys.pop()
    else keys.splice(at, 1)
    this.#bytes -= key.length
  }

  #isFurtherIn(key: string, than: string): boolean {
    return this.#isBack ? key < than : key > than
  }

  /** The index of the innermost key that is not further in than `key`. */
  #placeOf(key: string): number {
    const keys = this.#keys
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#isFurtherIn(keys[middle] as string, key)) low = middle + 1
      else high = middle
    }
    return low
  }
}
