/** What a master's batches end with, so that histories can be told apart, and what is written before the first of them. */

import type { Bytes } from '../bytes/bytes.js'
import type { WriteBatch } from './write-batch.js'

export class HistoryMark {
  #blob: Bytes | undefined
  #opening: Bytes | undefined

  /** True until the first batch of the history is written: the history before may still be gone on with. */
  get isPending(): boolean {
    return this.#opening !== undefined
  }

  /** Batches end with the log data `blob` from now on; the batch `opening` is to be written before the first of them. */
  begin(blob: Bytes, opening?: Bytes): void {
    this.#blob = blob
    this.#opening = opening
  }

  /** Batches are not marked any more. */
  end(): void {
    this.#blob = undefined
    this.#opening = undefined
  }

  addTo(batch: WriteBatch): void {
    if (this.#blob !== undefined) batch.logData(this.#blob)
  }

  /** Has `write` write what comes before the first batch, which follows; again at the next one if it throws. */
  open(write: (opening: Bytes) => void): void {
    if (this.#opening === undefined) return
    write(this.#opening)
    this.#opening = undefined
  }
}
