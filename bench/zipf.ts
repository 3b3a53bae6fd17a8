/**
 * Numbers of which few are drawn often and most seldom, as keys are: the n-th most popular with a probability like
 * n^-0.99. Source: Gray et al., Quickly generating billion-record synthetic databases, as in YCSB's ZipfianGenerator.
 */

import type { Random } from './requests.js'

const THETA = 0.99
/** Popular numbers are to lie anywhere: a step without a factor in common with any count below 2^31. */
const SCATTER = 2_147_483_647

export class Zipf {
  readonly #random: Random
  readonly #count: number
  readonly #zeta: number
  readonly #eta: number

  /** Draws numbers below `count`. */
  constructor(random: Random, count: number) {
    this.#random = random
    this.#count = count
    let zeta = 0
    for (let n = 1; n <= count; n++) zeta += n ** -THETA
    this.#zeta = zeta
    this.#eta = (1 - (2 / count) ** (1 - THETA)) / (1 - (1 + 2 ** -THETA) / zeta)
  }

  draw(): number {
    return (this.#rank() * SCATTER) % this.#count
  }

  #rank(): number {
    const uniform = this.#random.below(2 ** 32) / 2 ** 32
    const scaled = uniform * this.#zeta
    if (scaled < 1) return 0
    if (scaled < 1 + 2 ** -THETA) return 1
    return Math.floor(this.#count * (this.#eta * uniform - this.#eta + 1) ** (1 / (1 - THETA)))
  }
}
