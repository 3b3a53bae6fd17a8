/** Batches that go out by themselves after those of the transaction, or the script, in whose midst they came. */
import type { Bytes } from '../bytes/bytes.js'

export class WaitingBatches {
  /** Told at the end of a transaction, or a script, whether all of its batches have been written, if there were any. */
  listener: ((areWritten: boolean) => void) | undefined
  #batches: Buffer[] = []

  add(batch: Bytes): void {
    this.#batches.push(Buffer.from(batch))
  }

  /** Writes them all, after `commit`. Throws what those throw, and then the rest of them is lost. */
  writeAll(commit: () => void, write: (batch: Bytes) => void): void {
    if (this.#batches.length === 0) return
    const batches = this.#batches
    this.#batches = []
    let areWritten = false
    try {
      commit()
      for (const batch of batches) write(batch)
      areWritten = true
    } finally {
      this.listener?.(areWritten)
    }
  }

  /** They are lost with what they came after. */
  drop(): void {
    if (this.#batches.length === 0) return
    this.#batches = []
    this.listener?.(false)
  }
}
