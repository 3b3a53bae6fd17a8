/** The server that an import writes to: commands in pipelines, several of which are under way at a time. */

import { type RedisConnection, type RespValue, ServerError } from '../../cdc-client/redis-connection.js'
import { encodeCommands, type RedisCommand } from '../../replication/redis-commands.js'

const BATCH_BYTES = 128 * 1024
const BATCH_COMMANDS = 2000
const IN_FLIGHT_MAX = 4

/** The connection to the target has failed: which commands it has carried out is not known. */
export class TargetLost extends Error {}

export class Target {
  /** Commands that were answered. */
  answered = 0
  /** Commands that were answered with an error. */
  refused = 0
  /** The mark of the last batch whose commands were all answered. */
  doneMark = 0
  readonly #connection: RedisConnection
  readonly #onRefused: (command: string, error: string) => void
  #parts: Buffer[] = []
  #names: string[] = []
  #bytes = 0
  readonly #inFlight: Promise<void>[] = []

  constructor(connection: RedisConnection, onRefused: (command: string, error: string) => void) {
    this.#connection = connection
    this.#onRefused = onRefused
  }

  /** Takes commands; what they are views of may change then. Resolves when there is room for more. */
  async add(commands: readonly RedisCommand[]): Promise<void> {
    if (commands.length === 0) return
    const bytes = encodeCommands(commands)
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    for (const [name] of commands) this.#names.push(name?.latin1Slice(0) ?? '')
    if (this.#bytes >= BATCH_BYTES || this.#names.length >= BATCH_COMMANDS) await this.#send(undefined)
  }

  /** Sends what was gathered; `mark` is done with it. */
  async flush(mark: number): Promise<void> {
    await this.#send(mark)
  }

  /** Resolves when all commands are answered. */
  async drain(): Promise<void> {
    await this.#send(undefined)
    while (this.#inFlight.length > 0) await this.#inFlight.shift()
  }

  async #send(mark: number | undefined): Promise<void> {
    if (this.#names.length === 0) {
      this.#noteAfterAll(mark)
      return
    }
    const names = this.#names
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
    this.#parts = []
    this.#names = []
    this.#bytes = 0
    const sent = this.#connection.sendEncoded(bytes, names.length)
    const answered = sent.then(
      (replies) => this.#take(names, replies, mark),
      (error: Error) => {
        throw new TargetLost(`the target is lost: ${error.message}`)
      },
    )
    // Awaited in its turn; a failure meanwhile must not count as unhandled.
    answered.catch(() => {})
    this.#inFlight.push(answered)
    if (this.#inFlight.length >= IN_FLIGHT_MAX) await this.#inFlight.shift()
  }

  /** Nothing was sent since: `mark` is done with the last batch that is under way. */
  #noteAfterAll(mark: number | undefined): void {
    if (mark === undefined) return
    const note = (): void => {
      this.doneMark = Math.max(this.doneMark, mark)
    }
    const last = this.#inFlight.at(-1)
    if (last === undefined) note()
    else last.then(note, () => {})
  }

  #take(names: readonly string[], replies: readonly RespValue[], mark: number | undefined): void {
    this.answered += replies.length
    for (const [index, reply] of replies.entries()) this.#look(names[index] ?? '', reply)
    if (mark !== undefined) this.doneMark = Math.max(this.doneMark, mark)
  }

  /** EXEC answers with the replies of its commands. */
  #look(name: string, reply: RespValue): void {
    if (Array.isArray(reply)) for (const inner of reply) this.#look(name, inner)
    if (!(reply instanceof ServerError)) return
    this.refused++
    this.#onRefused(name.toUpperCase(), reply.message)
  }
}
