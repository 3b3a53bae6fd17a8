/** Full sync, stream, reconnection and cut-over of an import. */

import { setTimeout as sleep } from 'node:timers/promises'
import { latin1 } from '../../bytes/bytes.js'
import { RedisConnection, ServerError } from '../../cdc-client/redis-connection.js'
import type { Args } from '../../protocol/args.js'
import { RequestParser } from '../../protocol/request-parser.js'
import { RdbFileReader, type RdbPart } from '../../storage/rdb/file-reader.js'
import { RdbError } from '../../storage/rdb/rdb-error.js'
import { type ProgressLine, sizeText } from '../progress.js'
import { type SourceAddress, SourceLink, SourceRefusal } from './source-link.js'
import { Target, TargetLost } from './target.js'
import { partCommands } from './value-commands.js'

/** The import cannot go on; the message says why. */
export class ImportError extends Error {}

export interface ImporterParts {
  readonly source: SourceAddress
  readonly target: RedisConnection
  /** The one database of the source that is imported; undefined: all, each to the one of its number. */
  readonly database: number | undefined
  /** The target may have keys. */
  readonly merges: boolean
  readonly untilCaughtUp: boolean
  readonly progress: ProgressLine
  /** Asks for the cut-over. */
  readonly cutOver: AbortSignal
}

export interface Imported {
  /** Keys and commands that could not be copied. */
  readonly leftOut: number
}

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000
const ACK_MS = 1000
const CAUGHT_UP_CHECK_MS = 100
/** How long the source may take to give the rest after the cut-over was asked for. */
const CUT_OVER_MS_MAX = 30_000
const QUIET_MS = 1000
const SELECT = latin1('SELECT')
const FLUSHDB = latin1('FLUSHDB')
/** Bytes of one command of the stream: those of the largest string, and more for words around it. */
const COMMAND_BYTES_MAX = 2 ** 30

/** Thrown inside to end the stream. */
class Done extends Error {}

export class Importer {
  readonly #parts: ImporterParts
  readonly #target: Target
  readonly #told = new Set<string>()
  readonly #closing = new AbortController()
  /** The history that is followed, and its first byte that was not read. */
  #id: string | undefined
  #offset = 0
  /** The database of the source that the stream's next command is for, and the one that the target has selected. */
  #sourceDatabase = 0
  #targetDatabase = 0
  #keys = 0
  #leftOut = 0
  #isLoaded = false
  /** The offset at which the import ends; undefined: it goes on. */
  #endOffset: number | undefined
  /** By when it has to be reached, in milliseconds of performance.now. */
  #deadlineMs = Number.POSITIVE_INFINITY
  #link: SourceLink | undefined

  constructor(parts: ImporterParts) {
    this.#parts = parts
    this.#target = new Target(parts.target, (command, error) => this.#tell(`${command}: ${error}`))
  }

  /** Rejects with ImportError, SourceRefusal, ServerError or RdbError. */
  async run(): Promise<Imported> {
    await this.#checkTarget()
    const ticks = setInterval(() => this.#tick(), ACK_MS)
    const watch = this.#watchForEnd()
    try {
      await this.#follow()
    } finally {
      clearInterval(ticks)
      this.#closing.abort()
      this.#link?.close()
      await watch
    }
    await this.#target.drain()
    const { progress } = this.#parts
    const left = this.#leftOut + this.#target.refused
    const what = left === 0 ? '' : `, ${left} keys or commands could not be copied`
    progress.say(`${this.#keys} keys and the changes up to offset ${this.#offset} are imported${what}`)
    return { leftOut: left }
  }

  async #checkTarget(): Promise<void> {
    const { target, merges } = this.#parts
    if (merges || (await target.command('RANDOMKEY')) === null) return
    throw new ImportError('the target has keys already: empty it, or allow that by --merge')
  }

  /** Connects again, later and later, until the end is reached. */
  async #follow(): Promise<void> {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      const before = this.#offset
      try {
        await this.#session()
      } catch (error) {
        if (error instanceof Done || this.#isAtEnd) return
        // A first connection that fails is a mistake in the address.
        if (isFinal(error) || this.#link === undefined) throw error
        this.#link.close()
        if (performance.now() > this.#deadlineMs) {
          throw new ImportError(`the cut-over failed at offset ${this.#offset}: ${(error as Error).message}`)
        }
        if (this.#offset > before) waitMs = RETRY_MS_MIN
        this.#parts.progress.say(`trying again: ${(error as Error).message}`)
        await sleep(waitMs)
      }
    }
  }

  async #session(): Promise<void> {
    const link = await SourceLink.open(this.#parts.source, this.#closing.signal)
    this.#link = link
    const answer = await link.psync(this.#isLoaded ? this.#id : undefined, this.#offset)
    if (answer.kind === 'full') {
      await this.#beginAnew()
      this.#id = answer.id
      this.#offset = answer.offset
      this.#target.doneMark = answer.offset
      await this.#load(link)
      this.#isLoaded = true
    } else this.#id = answer.id ?? this.#id
    await this.#stream(link)
  }

  /** A second full sync begins on an empty target: keys may be gone from the source meanwhile. */
  async #beginAnew(): Promise<void> {
    if (this.#id === undefined) return
    const { target, merges, database, progress } = this.#parts
    if (merges)
      throw new ImportError('the source can only begin anew, which --merge does not allow: keys may have gone')
    progress.say('the source has lost the place of this import and begins anew')
    await this.#target.drain()
    await target.command(database === undefined ? 'FLUSHALL' : 'FLUSHDB')
    this.#isLoaded = false
    this.#keys = 0
  }

  async #load(link: SourceLink): Promise<void> {
    const { progress } = this.#parts
    const length = await link.fileLength()
    const reader = new RdbFileReader(link.file)
    try {
      for await (const event of reader.events()) {
        if (event.kind === 'part') await this.#addPart(event)
        else if (event.kind === 'function')
          await this.#target.add([[latin1('FUNCTION'), latin1('LOAD'), latin1('REPLACE'), event.library]])
        const share = length === undefined ? undefined : reader.position / length
        progress.show(() => `loading: ${sizeText(reader.position)}, ${this.#keys} keys`, share)
      }
      await link.endFile(reader.rest)
    } catch (error) {
      if (isFinal(error) && !(error instanceof RdbError && error.fault === 'truncated')) throw error
      const hint = 'its log says why: a low client-output-buffer-limit replica, maybe'
      throw new Error(`the source has closed the link within its file (${hint}): ${(error as Error).message}`)
    }
    await this.#target.drain()
    const rate = sizeText(reader.position / progress.seconds)
    progress.say(
      `loaded ${this.#keys} keys, ${sizeText(reader.position)}, in ${progress.seconds.toFixed(1)} s (${rate}/s)`,
    )
  }

  async #addPart(part: RdbPart): Promise<void> {
    if (!this.#isWanted(part.database)) return
    if (part.first) this.#keys++
    const commands = partCommands(part)
    if (commands === undefined) {
      if (part.first) this.#leftOut++
      this.#tell(`values of the module ${part.value.type === 'module' ? part.value.name : ''}`)
      return
    }
    await this.#select(part.database)
    await this.#target.add(commands)
  }

  #isWanted(database: number): boolean {
    const wanted = this.#parts.database
    if (wanted === undefined || wanted === database) return true
    if (wanted !== 0) return false
    throw new ImportError(
      `the source has keys in database ${database}: choose one by a number after the address, or take --all-databases`,
    )
  }

  async #select(database: number): Promise<void> {
    if (this.#parts.database !== undefined || database === this.#targetDatabase) return
    this.#targetDatabase = database
    await this.#target.add([[SELECT, latin1(String(database))]])
  }

  async #stream(link: SourceLink): Promise<void> {
    const parser = new RequestParser({ bulkBytesMax: COMMAND_BYTES_MAX, authenticated: true })
    const from = this.#offset
    let read = 0
    this.#endIfDone()
    for await (const chunk of link.stream()) {
      parser.feed(chunk)
      read += chunk.length
      while (parser.next()) await this.#carryOut(parser.args, link)
      this.#offset = from + read - parser.pendingBytes
      await this.#target.flush(this.#offset)
      this.#endIfDone()
    }
  }

  async #carryOut(args: Args, link: SourceLink): Promise<void> {
    if (args.count === 0 || args.is(0, 'ping')) return
    if (args.is(0, 'replconf')) {
      if (args.is(1, 'getack')) link.acknowledge(this.#target.doneMark)
      return
    }
    if (args.is(0, 'select')) {
      this.#sourceDatabase = Number(args.latin1(1))
      return
    }
    const belongsToAll = args.is(0, 'multi') || args.is(0, 'exec') || args.is(0, 'publish') || args.is(0, 'flushall')
    if (!belongsToAll) {
      if (!this.#isWanted(this.#sourceDatabase)) return
      await this.#select(this.#sourceDatabase)
    }
    const words = Array.from({ length: args.count }, (_, index) => args.at(index))
    // Other namespaces of the target are none of the source's business.
    if (args.is(0, 'flushall') && this.#parts.database !== undefined) words[0] = FLUSHDB
    await this.#target.add([words])
  }

  /** Ends the stream where the offset of the cut-over is reached. */
  #endIfDone(): void {
    if (this.#isAtEnd) throw new Done()
  }

  get #isAtEnd(): boolean {
    return this.#endOffset !== undefined && this.#offset >= this.#endOffset
  }

  #tick(): void {
    const { progress } = this.#parts
    if (!this.#isLoaded) {
      this.#link?.keepAlive()
      return
    }
    this.#link?.acknowledge(this.#target.doneMark)
    const behind = this.#offset - this.#target.doneMark
    progress.show(
      () => `following: offset ${this.#offset}, ${this.#target.answered} commands, ${sizeText(behind)} under way`,
    )
  }

  /** Decides the offset at which the import ends: after the signal, or where nothing is missing. */
  async #watchForEnd(): Promise<void> {
    const { cutOver, untilCaughtUp } = this.#parts
    while (!this.#closing.signal.aborted) {
      if (cutOver.aborted) this.#deadlineMs = Math.min(this.#deadlineMs, performance.now() + CUT_OVER_MS_MAX)
      if (this.#isLoaded && (untilCaughtUp || cutOver.aborted)) {
        const wanted = await this.#sourceOffset()
        if (wanted !== undefined) {
          await this.#endAt(wanted)
          return
        }
      }
      await sleep(CAUGHT_UP_CHECK_MS)
    }
  }

  async #endAt(offset: number): Promise<void> {
    this.#endOffset = offset
    while (!this.#closing.signal.aborted) {
      // The stream looks by itself when something arrives; where nothing does, the link is closed.
      if (this.#offset >= offset || performance.now() > this.#deadlineMs) this.#link?.close()
      await sleep(CAUGHT_UP_CHECK_MS)
    }
  }

  /** Up to where the source's stream goes at this moment; undefined if it does not say. */
  async #sourceOffset(): Promise<number | undefined> {
    const { host, port, isTls, user, password } = this.#parts.source
    const rights = password === '' ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
    const address = host.includes(':') ? `[${host}]` : host
    try {
      const connection = await RedisConnection.open(`${isTls ? 'rediss' : 'redis'}://${rights}${address}:${port}`)
      try {
        const text = String(await connection.command('INFO', 'replication'))
        const found = /^master_repl_offset:(\d+)/m.exec(text)?.[1]
        // A server with the storage of Kvrocks counts changes there, and bytes in this stream.
        const server = String(await connection.command('INFO', 'server'))
        if (/^kvrocks_version:/m.test(server)) return await this.#quietOffset()
        return found === undefined ? undefined : Number(found)
      } finally {
        connection.close()
      }
    } catch {
      // The source is away: the import tries again, too.
      return undefined
    }
  }

  /** The offset at which nothing came any more; undefined while something does. */
  async #quietOffset(): Promise<number | undefined> {
    const before = this.#offset
    await sleep(QUIET_MS)
    return this.#offset === before ? before : undefined
  }

  /** Once each kind. */
  #tell(kind: string): void {
    if (this.#told.has(kind)) return
    this.#told.add(kind)
    this.#parts.progress.say(`not copied: ${kind}`)
  }
}

function isFinal(error: unknown): boolean {
  return (
    error instanceof ImportError ||
    error instanceof SourceRefusal ||
    error instanceof ServerError ||
    error instanceof TargetLost ||
    error instanceof RdbError ||
    error instanceof TypeError
  )
}
