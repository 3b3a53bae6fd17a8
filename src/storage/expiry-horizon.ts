/**
 * The moment before which nothing in the database can expire, as far as is known. While it lies ahead no write has to look
 * whether the key that it overwrites has expired unnoticed. The sweep, which sees all rows in turn, finds it out; what is
 * written in between is told here.
 */
export class ExpiryHorizon {
  #earliestMs = 0
  /** The same for what the present round of the sweep has seen, and what was written since it began. */
  #roundMs = 0
  /** What was written since all was last committed: a round does not see it. */
  #recentMs = Number.POSITIVE_INFINITY
  /** The same two of fields, whose round is that through one hash. */
  #fieldMs = Number.POSITIVE_INFINITY
  #recentFieldMs = Number.POSITIVE_INFINITY

  /** Unix milliseconds; 0 if it is not known. */
  get earliestMs(): number {
    return this.#earliestMs
  }

  /** Something is there that expires at `ms`; 0 = never. */
  note(ms: number): void {
    if (ms === 0) return
    if (ms < this.#earliestMs) this.#earliestMs = ms
    if (ms < this.#roundMs) this.#roundMs = ms
    if (ms < this.#recentMs) this.#recentMs = ms
  }

  /** A field is written that expires at `ms`; 0 = never. Its key is noted apart. */
  noteField(ms: number): void {
    if (ms === 0) return
    if (ms < this.#fieldMs) this.#fieldMs = ms
    if (ms < this.#recentFieldMs) this.#recentFieldMs = ms
  }

  /** `isCommitted`: all that was written is, so that the round will see it. */
  beginRound(isCommitted: boolean): void {
    if (isCommitted) this.#recentMs = Number.POSITIVE_INFINITY
    this.#roundMs = this.#recentMs
  }

  endRound(): void {
    this.#earliestMs = this.#roundMs
  }

  beginHash(isCommitted: boolean): void {
    if (isCommitted) this.#recentFieldMs = Number.POSITIVE_INFINITY
    this.#fieldMs = this.#recentFieldMs
  }

  /** When the first of the fields expires that were written since, in whatever hash; infinite if none does. */
  get fieldMs(): number {
    return this.#fieldMs
  }

  /** Rows have come from elsewhere: nothing is known until a round has begun and ended. */
  forget(): void {
    this.#earliestMs = 0
    this.#roundMs = 0
  }
}
