/** Counts the replies in a stream of RESP2 or RESP3, without making anything of them. */

const CR = 13
const LF = 10
const DIGIT_0 = 48
const DIGIT_9 = 57
const ATTRIBUTE = 0x7c // |
const ERROR = 0x2d // -
const MINUS = 0x2d
/** Types whose number is that of the bytes that follow: $ ! = */
const BLOB_TYPES = new Set([0x24, 0x21, 0x3d])
/** Types whose number is that of the elements that follow: * ~ > */
const LIST_TYPES = new Set([0x2a, 0x7e, 0x3e])
/** Types whose number is that of the pairs that follow: % | */
const MAP_TYPES = new Set([0x25, ATTRIBUTE])

export class ReplyCounter {
  /** Errors so far, inside of other replies too. */
  errors = 0
  /** Elements of the reply under way that are still to come; 0 = no reply is under way. */
  #awaited = 0
  /** Bytes of a payload that are still to come, with their line end. */
  #payload = 0
  /** The type of the header line under way; 0 = none is. */
  #type = 0
  #number = 0
  #isNegative = false

  /** Takes the first `length` bytes of `chunk`; returns how many replies they complete. */
  count(chunk: Uint8Array, length = chunk.length): number {
    let completed = 0
    let at = 0
    while (at < length) {
      if (this.#payload > 0) {
        const taken = Math.min(this.#payload, length - at)
        this.#payload -= taken
        at += taken
        if (this.#payload === 0) completed += this.#finish(0)
        continue
      }
      const byte = chunk[at++] as number
      if (this.#type === 0) this.#begin(byte)
      else if (byte === LF) completed += this.#endHeader()
      else if (byte === MINUS) this.#isNegative = true
      else if (byte !== CR && byte >= DIGIT_0 && byte <= DIGIT_9) this.#number = this.#number * 10 + byte - DIGIT_0
    }
    return completed
  }

  #begin(type: number): void {
    if (this.#awaited === 0) this.#awaited = 1
    this.#type = type
    this.#number = 0
    this.#isNegative = false
    if (type === ERROR) this.errors++
  }

  /** The header line is complete. */
  #endHeader(): number {
    const type = this.#type
    const number = this.#isNegative ? -1 : this.#number
    this.#type = 0
    if (BLOB_TYPES.has(type) && number >= 0) {
      this.#payload = number + 2
      return 0
    }
    if (LIST_TYPES.has(type)) return this.#finish(Math.max(number, 0))
    // An attribute stands before the reply that it belongs to.
    if (MAP_TYPES.has(type)) return this.#finish(number * 2 + (type === ATTRIBUTE ? 1 : 0))
    return this.#finish(0)
  }

  /** An element is there, and announces `more`. */
  #finish(more: number): number {
    this.#awaited += more - 1
    return this.#awaited === 0 ? 1 : 0
  }
}
