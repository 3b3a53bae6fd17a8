/** Full sync, stream, reconnection and cut-over of an import. */

import { setTimeout as sleep } from 'node:timers/promises'
import { latin1 } from '../../bytes/bytes.js'
import { RedisConnection, ServerError } from '../../cdc-client/redis-connection.js'
import type { Args } from '../../protocol/args.js'
import { RequestParser } from '../../protocol/request-parser.js'
import { RdbFileReader, type RdbPart } from '../../storage/rdb/file-reader.js'
import { RdbError } from '../../storage/rdb/rdb-error.js'
import { type ProgressLine, sizeText } from '../progress.js'
import { decodePosition, type Place, POSITION_KEY } from './position.js'
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
  /** How long the source may give nothing of the rest, once the keys are loaded and the cut-over was asked for. */
  readonly cutOverMsMax: number
}

export interface Imported {
  /** Keys and commands that could not be copied. */
  readonly leftOut: number
}

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000
const ACK_MS = 1000
const CAUGHT_UP_CHECK_MS = 100
const QUIET_MS = 1000
const FLUSHDB = latin1('FLUSHDB')
/** The position is stored at the latest when so much has come, were there nothing else to write. */
const POSITION_BYTES = 64 * 1024
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
  /** The database of the source that the stream's next command is for. */
  #sourceDatabase = 0
  /** The stream is within a transaction of the source. */
  #isInside = false
  /** The offset that the target knows. */
  #storedOffset = 0
  /** The target has parts of a file that was not loaded to its end. */
  #hasParts = false
  #keys = 0
  /** The keys were loaded by an earlier run. */
  #isResumed = false
  #leftOut = 0
  #isLoaded = false
  /** The offset at which the import ends; undefined: it goes on. */
  #endOffset: number | undefined
  /** By when it has to be reached, in milliseconds of performance.now. */
  #deadlineMs = Number.POSITIVE_INFINITY
  /** What had come when that was said. */
  #deadlineOffset = -1
  #link: SourceLink | undefined
  /** All up to the offset was imported, of the history that the source has said to be in. */
  #isFollowing = false
  /** The cut-over was asked for before there was anything. */
  #isCutShort = false

  constructor(parts: ImporterParts) {
    this.#parts = parts
    this.#target = new Target(parts.target, this.#source, (command, error) => this.#tell(`${command}: ${error}`))
  }

  /** What is imported, as positions name it. */
  get #source(): string {
    const { source, database } = this.#parts
    return `${source.host}:${source.port}/${database ?? '*'}`
  }

  get #place(): Place {
    return { id: this.#id ?? '', offset: this.#offset, database: this.#sourceDatabase }
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
    await this.#target.finish()
    const { progress } = this.#parts
    const left = this.#leftOut + this.#target.refused
    const what = left === 0 ? '' : `, ${left} keys or commands could not be copied`
    const keys = this.#isResumed ? '' : `${this.#keys} keys and `
    progress.say(`${keys}the changes up to offset ${this.#offset} are imported${what}`)
    return { leftOut: left }
  }

  /** Goes on with an import of the same source that was interrupted. */
  async #checkTarget(): Promise<void> {
    const { target, merges, progress } = this.#parts
    const stored = await target.command('GET', POSITION_KEY)
    const position = Buffer.isBuffer(stored) ? decodePosition(stored) : undefined
    if (position === undefined) {
      if (merges || (await target.command('RANDOMKEY')) === null) return
      throw new ImportError('the target has keys already: empty it, or allow that by --merge')
    }
    if (position.source !== this.#source) {
      throw new ImportError(`the target has a part of ${position.source}, which was not imported to its end: empty it`)
    }
    if (position.place === undefined) {
      progress.say('the import was interrupted while it loaded: it begins anew')
      this.#hasParts = true
      return
    }
    const { id, offset, database } = position.place
    this.#id = id
    this.#offset = offset
    this.#storedOffset = offset
    this.#sourceDatabase = database
    this.#target.doneOffset = offset
    this.#isLoaded = true
    this.#isResumed = true
    progress.say(`the import goes on where it was interrupted, at offset ${offset}`)
  }

  /** Connects again, later and later, until the end is reached. */
  async #follow(): Promise<void> {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      const before = this.#offset
      try {
        await this.#session()
      } catch (error) {
        if (error instanceof Done || this.#isAtEnd) return
        if (this.#isCutShort) throw new ImportError('the source had not begun to send: nothing is imported')
        // A first connection that fails is a mistake in the address.
        if (isFinal(error) || this.#link === undefined) throw error
        this.#link.close()
        if (performance.now() > this.#deadlineMs || (this.#parts.cutOver.aborted && !this.#isLoaded)) {
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
    this.#isFollowing = false
    const answer = await link.psync(this.#isLoaded ? this.#id : undefined, this.#offset)
    if (answer.kind === 'full') {
      await this.#beginAnew()
      this.#id = answer.id
      this.#offset = answer.offset
      this.#sourceDatabase = 0
      this.#isInside = false
      await this.#target.note(undefined)
      await this.#load(link)
      await this.#target.note(this.#place)
      this.#storedOffset = this.#offset
      this.#isLoaded = true
    } else this.#id = answer.id ?? this.#id
    this.#isFollowing = true
    await this.#stream(link)
  }

  /** A second full sync begins on an empty target: keys may be gone from the source meanwhile. */
  async #beginAnew(): Promise<void> {
    if (this.#id === undefined && !this.#hasParts) return
    const { target, merges, database, progress } = this.#parts
    if (this.#isLoaded) {
      if (merges)
        throw new ImportError('the source can only begin anew, which --merge does not allow: keys may have gone')
      progress.say('the source has lost the place of this import and begins anew')
    }
    this.#target.abandon()
    await this.#target.drain()
    if (!merges) await target.command(database === undefined ? 'FLUSHALL' : 'FLUSHDB')
    this.#isLoaded = false
    this.#endOffset = undefined
    this.#isResumed = false
    this.#keys = 0
  }

  async #load(link: SourceLink): Promise<void> {
    const { progress } = this.#parts
    const length = await link.fileLength()
    const reader = new RdbFileReader(link.file)
    try {
      for await (const event of reader.events()) {
        if (event.kind === 'part') this.#addPart(event)
        else if (event.kind === 'function')
          this.#target.gather([[latin1('FUNCTION'), latin1('LOAD'), latin1('REPLACE'), event.library]])
        if (this.#target.isFull) await this.#target.send()
        const share = length === undefined ? undefined : reader.position / length
        progress.show(() => `loading: ${sizeText(reader.position)}, ${this.#keys} keys`, share)
      }
      await link.endFile(reader.rest)
      await this.#target.send()
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

  #addPart(part: RdbPart): void {
    if (!this.#isWanted(part.database)) return
    if (part.first) this.#keys++
    const commands = partCommands(part)
    if (commands === undefined) {
      if (part.first) this.#leftOut++
      this.#tell(`values of the module ${part.value.type === 'module' ? part.value.name : ''}`)
      return
    }
    this.#target.gather(commands, this.#databaseFor(part.database))
  }

  #isWanted(database: number): boolean {
    const wanted = this.#parts.database
    if (wanted === undefined || wanted === database) return true
    if (wanted !== 0) return false
    throw new ImportError(
      `the source has keys in database ${database}: choose one by a number after the address, or take --all-databases`,
    )
  }

  /** Where the target has what is in a database of the source. */
  #databaseFor(database: number): number {
    return this.#parts.database === undefined ? database : 0
  }

  async #stream(link: SourceLink): Promise<void> {
    const parser = new RequestParser({ bulkBytesMax: COMMAND_BYTES_MAX, authenticated: true })
    const from = this.#offset
    let read = 0
    this.#endIfDone()
    for await (const chunk of link.stream()) {
      parser.feed(chunk)
      read += chunk.length
      while (parser.next()) {
        this.#take(parser.args, link)
        this.#offset = from + read - parser.unreadBytes
        if (this.#target.isFull) await this.#commit()
      }
      this.#offset = from + read - parser.pendingBytes
      if (!this.#target.isEmpty || this.#offset - this.#storedOffset >= POSITION_BYTES) await this.#commit()
      this.#endIfDone()
    }
  }

  /** Transactions of the source stay whole. */
  async #commit(): Promise<void> {
    if (this.#isInside) return
    this.#storedOffset = this.#offset
    await this.#target.commit(this.#place)
  }

  #take(args: Args, link: SourceLink): void {
    if (args.count === 0 || args.is(0, 'ping')) return
    if (args.is(0, 'replconf')) {
      if (args.is(1, 'getack')) link.acknowledge(this.#target.doneOffset)
      return
    }
    if (args.is(0, 'select')) {
      this.#sourceDatabase = Number(args.latin1(1))
      return
    }
    if (args.is(0, 'multi') || args.is(0, 'exec')) {
      this.#isInside = args.is(0, 'multi')
      return
    }
    const words = Array.from({ length: args.count }, (_, index) => args.at(index))
    if (args.is(0, 'publish') || args.is(0, 'flushall')) {
      // Other namespaces of the target are none of the source's business.
      if (args.is(0, 'flushall') && this.#parts.database !== undefined) words[0] = FLUSHDB
      this.#target.gather([words])
    } else if (this.#isWanted(this.#sourceDatabase)) {
      this.#target.gather([words], this.#databaseFor(this.#sourceDatabase))
    }
  }

  /** Ends the stream where the offset of the cut-over is reached. */
  #endIfDone(): void {
    if (this.#isAtEnd) throw new Done()
  }

  get #isAtEnd(): boolean {
    return this.#isFollowing && this.#endOffset !== undefined && this.#offset >= this.#endOffset
  }

  #tick(): void {
    const { progress } = this.#parts
    if (!this.#isLoaded) {
      this.#link?.keepAlive()
      if (this.#link?.hasBegun !== true) progress.show(() => 'waiting for the source to begin')
      return
    }
    this.#link?.acknowledge(this.#target.doneOffset)
    const behind = this.#offset - this.#target.doneOffset
    progress.show(
      () => `following: offset ${this.#offset}, ${this.#target.answered} commands, ${sizeText(behind)} under way`,
    )
  }

  /** Decides the offset at which the import ends, after the signal, or where nothing is missing, and sees to its end. */
  async #watchForEnd(): Promise<void> {
    const { cutOver, untilCaughtUp } = this.#parts
    while (!this.#closing.signal.aborted) {
      if (cutOver.aborted && !this.#isLoaded && this.#link?.hasBegun !== true) {
        this.#isCutShort = true
        this.#closing.abort()
        return
      }
      this.#extendDeadline()
      if (this.#endOffset === undefined) {
        if (this.#isFollowing && (untilCaughtUp || cutOver.aborted)) await this.#chooseEnd()
      } else if (this.#isAtEnd || performance.now() > this.#deadlineMs) {
        // The stream looks by itself when something arrives; where nothing does, the link is closed.
        this.#link?.close()
      }
      await sleep(CAUGHT_UP_CHECK_MS)
    }
  }

  /** A source that begins anew meanwhile is asked again: the offset may be of another history. */
  async #chooseEnd(): Promise<void> {
    const link = this.#link
    const wanted = await this.#sourceOffset()
    if (this.#isFollowing && this.#link === link) this.#endOffset = wanted
  }

  /** The time for the cut-over begins anew with whatever comes. */
  #extendDeadline(): void {
    const { cutOver, cutOverMsMax } = this.#parts
    if (!cutOver.aborted || !this.#isLoaded || this.#offset === this.#deadlineOffset) return
    this.#deadlineOffset = this.#offset
    this.#deadlineMs = performance.now() + cutOverMsMax
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
