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

  /** The last sequence that was acknowledged; undefined if there is no slot. */
  async position(): Promise<number | undefined> {
    const info = await this.#unless('NOSLOT', this.#run('CDC', 'SLOT', 'INFO', this.name))
    if (!Array.isArray(info)) return undefined
    const position = info[info.findIndex((field) => String(field) === 'position') + 1]
    return typeof position === 'number' ? position : undefined
  }

  /** Makes the slot, unless there is one. Rejects with ServerError `WALGAP` if what follows `sequence` is gone. */
  async create(sequence: number): Promise<void> {
    if ((await this.position()) !== undefined) return
    await this.#unless('SLOTEXISTS', this.#run('CDC', 'SLOT', 'CREATE', this.name, 'AT', sequence, ...this.#filter))
  }

  /** Keeps the log from now on, under another name, until the snapshot that is begun now has been read. */
  async beginSnapshot(): Promise<void> {
    // That of a reader that ended in the middle of its snapshot.
    await this.endSnapshot()
    await this.#unless('SLOTEXISTS', this.#run('CDC', 'SLOT', 'CREATE', this.#snapshotName))
  }

  async endSnapshot(): Promise<void> {
    await this.#unless('NOSLOT', this.#run('CDC', 'SLOT', 'DROP', this.#snapshotName))
  }

  /** There is a slot of the reader's own name only when its snapshot is complete. */
  get #snapshotName(): string {
    return `${this.name}.snapshot`
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
