/** A reader's slot: its position, kept by the server together with the log that follows it. See CDC SLOT. */

import { type RespValue, ServerError } from './redis-connection.js'

export type RunWords = (...words: readonly (string | number)[]) => Promise<RespValue>

export class FeedSlot {
  readonly name: string
  readonly #run: RunWords
  readonly #filter: readonly string[]

  /** `filter`: words as of POLLUPDATES, for a slot that is made. */
  constructor(name: string, filter: readonly string[], run: RunWords) {
    this.name = name
    this.#filter = filter
    this.#run = run
  }

  /** The slot that keeps the log while a snapshot is read: there is one of the reader's own name only when that has ended. */
  get snapshotName(): string {
    return `${this.name}.snapshot`
  }

  /** The last sequence that was acknowledged; undefined if there is no slot. */
  position(): Promise<number | undefined> {
    return this.#positionOf(this.name)
  }

  /** Makes the slot, unless there is one. Rejects with ServerError `WALGAP` if what follows `sequence` is gone. */
  async create(sequence: number): Promise<void> {
    if ((await this.position()) !== undefined) return
    await this.#unless('SLOTEXISTS', this.#run('CDC', 'SLOT', 'CREATE', this.name, 'AT', sequence, ...this.#filter))
  }

  /**
   * Keeps the log from now on until the snapshot that is begun now has been read. If a reader has ended in the middle of
   * its own, the log is kept from there on: returns its place then.
   */
  async beginSnapshot(): Promise<number | undefined> {
    const left = await this.#positionOf(this.snapshotName)
    if (left === undefined) {
      await this.#unless('SLOTEXISTS', this.#run('CDC', 'SLOT', 'CREATE', this.snapshotName))
    }
    return left
  }

  async endSnapshot(): Promise<void> {
    await this.#unless('NOSLOT', this.#run('CDC', 'SLOT', 'DROP', this.snapshotName))
  }

  async #positionOf(name: string): Promise<number | undefined> {
    const info = await this.#unless('NOSLOT', this.#run('CDC', 'SLOT', 'INFO', name))
    if (!Array.isArray(info)) return undefined
    const position = info[info.findIndex((field) => String(field) === 'position') + 1]
    return typeof position === 'number' ? position : undefined
  }

  async #unless(code: string, reply: Promise<RespValue>): Promise<RespValue | undefined> {
    try {
      return await reply
    } catch (error) {
      if (error instanceof ServerError && error.code === code) return undefined
      throw error
    }
  }
}
