/** Requests as bytes, with places that get a new random number each time they are sent. */

/** What redis-benchmark replaces by 12 digits. */
const RANDOM = '__rand_int__'
const RANDOM_DIGITS = 12
const DIGIT_0 = 48

export function encodeCommand(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

/** Random numbers that are the same in each run with the same seed: xorshift. */
export class Random {
  #state: number

  constructor(seed = 0) {
    this.#state = 0x9e3779b9 ^ Math.imul(seed, 0x85ebca6b)
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) % end
  }
}

/** One write's worth of requests. */
export class Template {
  readonly bytes: Buffer
  readonly #randomAt: readonly number[]

  /** Of commands, each a list of words. */
  constructor(commands: readonly (readonly string[])[]) {
    this.bytes = Buffer.from(commands.map(encodeCommand).join(''), 'latin1')
    const at: number[] = []
    for (let i = this.bytes.indexOf(RANDOM); i >= 0; i = this.bytes.indexOf(RANDOM, i + RANDOM_DIGITS)) at.push(i)
    this.#randomAt = at
  }

  /** Takes the random numbers anew from `draw`. */
  fill(draw: () => number): void {
    for (const at of this.#randomAt) {
      let number = draw()
      for (let i = at + RANDOM_DIGITS - 1; i >= at; i--) {
        this.bytes[i] = DIGIT_0 + (number % 10)
        number = Math.floor(number / 10)
      }
    }
  }
}
