/**
 * The server that an import writes to. What is loaded goes in pipelines, several of which are under way at a time; what
 * follows goes in transactions, each with the position of the import behind it.
 */

import { type Bytes, latin1 } from '../../bytes/bytes.js'
import { type RedisConnection, type RespValue, ServerError } from '../../cdc-client/redis-connection.js'
import { encodeCommands, type RedisCommand } from '../../replication/redis-commands.js'
import { encodePosition, type Place, POSITION_KEY } from './position.js'

const BATCH_BYTES = 128 * 1024
const BATCH_COMMANDS = 2000
const IN_FLIGHT_MAX = 4
/** Where the position is. */
const POSITION_DATABASE = 0
const SELECT = latin1('SELECT')
const SET = latin1('SET')
const DEL = latin1('DEL')
const MULTI = encodeCommands([[latin1('MULTI')]])
const EXEC = encodeCommands([[latin1('EXEC')]])
const DISCARD = encodeCommands([[latin1('DISCARD')]])

/** The connection to the target has failed, or the target takes nothing any more. */
export class TargetLost extends Error {}

/** Requests, and what their commands are called. */
interface Batch {
  readonly bytes: Bytes
  readonly names: readonly string[]
}

export class Target {
  /** Commands that were answered. */
  answered = 0
  /** Commands that were answered with an error. */
  refused = 0
  /** The bytes of the source's stream that are carried out. */
  doneOffset = 0
  readonly #connection: RedisConnection
  readonly #source: string
  readonly #onRefused: (command: string, error: string) => void
  #parts: Buffer[] = []
  #names: string[] = []
  #bytes = 0
  /** The database that the target has selected after what was gathered, and after what was sent. */
  #database = POSITION_DATABASE
  #sentDatabase = POSITION_DATABASE
  readonly #inFlight: Promise<void>[] = []

  /** `source`: what is imported, as positions name it. */
  constructor(connection: RedisConnection, source: string, onRefused: (command: string, error: string) => void) {
    this.#connection = connection
    this.#source = source
    this.#onRefused = onRefused
  }

  /** Enough is gathered for one batch. */
  get isFull(): boolean {
    return this.#bytes >= BATCH_BYTES || this.#names.length >= BATCH_COMMANDS
  }

  /** Nothing is gathered. */
  get isEmpty(): boolean {
    return this.#names.length === 0
  }

  /** Gathers commands for a database; what they are views of may change then. */
  gather(commands: readonly RedisCommand[], database = this.#database): void {
    if (commands.length === 0) return
    this.#append(database === this.#database ? commands : [[SELECT, latin1(String(database))], ...commands])
    this.#database = database
  }

  /** Forgets what was gathered and not sent. */
  abandon(): void {
    this.#database = this.#sentDatabase
    this.#take()
  }

  /** Sends what was gathered. Resolves when there is room for more. Rejects with TargetLost. */
  async send(): Promise<void> {
    const batch = this.#take()
    if (batch.names.length === 0) return
    this.#fly(this.#plain(batch))
    if (this.#inFlight.length >= IN_FLIGHT_MAX) await this.#inFlight.shift()
  }

  /**
   * Carries out what was gathered, and stores `place`: both, or neither. Resolves when there is room for more. Rejects with
   * TargetLost.
   */
  async commit(place: Place): Promise<void> {
    this.#gatherPosition(place)
    const batch = this.#take()
    const queued = await this.#ask(Buffer.concat([MULTI, batch.bytes]), batch.names.length + 1)
    // Replies come in order, so the transaction before this one is over: it must have gone well.
    await this.drain()
    const done = (): void => {
      this.doneOffset = place.offset
    }
    if (queued.some((reply) => reply instanceof ServerError)) {
      // What a transaction cannot have is carried out by itself, or refused for a reason of its own.
      await this.#ask(DISCARD, 1)
      this.#fly(this.#plain(batch).then(done))
    } else this.#fly(this.#execute(batch.names).then(done))
  }

  /** Stores where the import is, after all that was gathered; undefined: it loads. Rejects with TargetLost. */
  async note(place: Place | undefined): Promise<void> {
    this.#gatherPosition(place)
    await this.send()
    await this.drain()
    if (place !== undefined) this.doneOffset = place.offset
  }

  /** The import has ended: nothing tells of it any more. Rejects with TargetLost. */
  async finish(): Promise<void> {
    this.gather([[DEL, POSITION_KEY]], POSITION_DATABASE)
    await this.send()
    await this.drain()
  }

  /** Resolves when all commands that were sent are answered. Rejects with TargetLost. */
  async drain(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#inFlight.shift()
  }

  #gatherPosition(place: Place | undefined): void {
    this.gather([[SET, POSITION_KEY, encodePosition({ source: this.#source, place })]], POSITION_DATABASE)
  }

  #append(commands: readonly RedisCommand[]): void {
    const bytes = encodeCommands(commands)
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    for (const [name] of commands) this.#names.push(name?.latin1Slice(0) ?? '')
  }

  #take(): Batch {
    const batch = { bytes: Buffer.concat(this.#parts), names: this.#names }
    this.#parts = []
    this.#names = []
    this.#bytes = 0
    this.#sentDatabase = this.#database
    return batch
  }

  /** Awaited in its turn; a failure meanwhile must not count as unhandled. */
  #fly(answered: Promise<void>): void {
    answered.catch(() => {})
    this.#inFlight.push(answered)
  }

  async #plain({ bytes, names }: Batch): Promise<void> {
    this.#look(names, await this.#ask(bytes, names.length))
  }

  async #execute(names: readonly string[]): Promise<void> {
    const [replies] = await this.#ask(EXEC, 1)
    if (!Array.isArray(replies)) throw new TargetLost(`the target has refused a transaction: ${String(replies)}`)
    this.#look(names, replies)
  }

  async #ask(requests: Bytes, count: number): Promise<RespValue[]> {
    try {
      return await this.#connection.sendEncoded(requests, count)
    } catch (error) {
      throw new TargetLost(`the target is lost: ${(error as Error).message}`)
    }
  }

  #look(names: readonly string[], replies: readonly RespValue[]): void {
    this.answered += replies.length
    for (const [index, reply] of replies.entries()) {
      if (!(reply instanceof ServerError)) continue
      this.refused++
      this.#onRefused((names[index] ?? '').toUpperCase(), reply.message)
    }
  }
}
