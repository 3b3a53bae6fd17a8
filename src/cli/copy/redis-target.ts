/**
 * Copies into a Redis server. With a checkpoint key, a page and its position arrive in one transaction, so that each
 * change has its effect once, whatever breaks in between: the key is watched, so that what a process that was killed had
 * still sent, and another copy, cannot come in between unseen. What no command says is brought as a whole, by DUMP.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type FeedChange, parseChange } from '../../cdc-client/feed-change.js'
import type { FeedPage } from '../../cdc-client/feed-reader.js'
import { type FeedPosition, parsePosition, positionText } from '../../cdc-client/position.js'
import { RedisConnection, type RespValue, ServerError } from '../../cdc-client/redis-connection.js'
import { HeldExpiries, type Words } from './held-expiries.js'
import type { CopyTarget, Tell } from './target.js'
import { checkOwned, openTarget, TargetError } from './target-connection.js'

export interface RedisTargetOptions {
  readonly url: string
  readonly sourceUrl: string
  readonly checkpointKey: string | undefined
  readonly tell: Tell
  readonly onRetry: (error: Error) => void
  readonly signal: AbortSignal | undefined
}

const FLUSHALL = Buffer.from('FLUSHALL')
const FLUSHDB = Buffer.from('FLUSHDB')
const SHOWN_MAX = 100
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000
/** Errors of a target that takes nothing at the moment; any other is about the command. */
const REFUSALS = new Set(['READONLY', 'OOM', 'MISCONF', 'NOAUTH', 'NOPERM', 'CLUSTERDOWN', 'MOVED', 'CROSSSLOT'])
const PASSING = new Set(['LOADING', 'MASTERDOWN', 'BUSY', 'TRYAGAIN'])

export class RedisTarget implements CopyTarget {
  readonly #options: RedisTargetOptions
  readonly #expiries = new HeldExpiries()
  /** What the checkpoint key holds, as far as this copy knows: null = nothing, undefined = it has not looked. */
  #saved: string | null | undefined
  /** The connection that watches the checkpoint key. */
  #watching: RedisConnection | undefined
  #target: RedisConnection | undefined
  #source: RedisConnection | undefined

  constructor(options: RedisTargetOptions) {
    this.#options = options
  }

  async load(): Promise<FeedPosition | undefined> {
    const { checkpointKey } = this.#options
    if (checkpointKey === undefined) return undefined
    return this.#withRetries(async () => {
      const target = await this.#connect()
      const saved = await this.#watch(target, checkpointKey)
      this.#saved = saved
      if (saved === null) return undefined
      this.#expiries.restore((await target.command('HGETALL', expiriesKey(checkpointKey))) as Buffer[])
      return parsePosition(saved)
    })
  }

  async apply(page: FeedPage): Promise<number> {
    const nowMs = Date.now()
    const changes = page.texts.map(parseChange)
    const commands: Words[] = []
    for (const [index, change] of changes.entries()) {
      if (change.command?.[0]?.equals(FLUSHALL) === true)
        commands.push(...this.#expiries.commandsOf(flushOf(change), nowMs))
      else if (change.command !== undefined) commands.push(...this.#expiries.commandsOf(change, nowMs))
      else if (isLastOfKey(changes, index)) commands.push(...(await this.#whole(change, nowMs)))
    }
    if (!page.isSnapshot && page.position.sequence >= page.latest) commands.push(...this.#expiries.release(nowMs))
    await this.#send(commands, page.position)
    return changes.length
  }

  close(): void {
    this.#target?.close()
    this.#source?.close()
  }

  /** The commands that bring a key as it is now, for what no command says. What comes of it later comes again. */
  async #whole(change: FeedChange, nowMs: number): Promise<Words[]> {
    const { key, type, op } = change
    const missing = `${op} of ${type}`
    if (key === undefined || op !== 'opaque') return this.#untold(missing)
    const [shownType, payload, expireMs] = await this.#withRetries(async () => {
      this.#source ??= await RedisConnection.open(this.#options.sourceUrl, this.#options.signal)
      const replies = await this.#source.pipeline([
        ['MULTI'],
        ['TYPE', key],
        ['DUMP', key],
        ['PEXPIRETIME', key],
        ['EXEC'],
      ])
      return Array.isArray(replies[4]) ? replies[4] : []
    })
    if (payload instanceof ServerError || payload === undefined) return this.#untold(missing)
    // It is gone, or another by now: the feed will tell.
    if (payload === null || shownType !== type) return []
    const words = ['RESTORE', key, '0', payload as Buffer, 'REPLACE']
    const base = { sequence: change.sequence, batch: change.batch, type, key }
    const restore = { ...base, op: 'delete', command: words.map((word) => Buffer.from(word as string)) }
    const commands = this.#expiries.commandsOf(restore, nowMs)
    if (typeof expireMs !== 'number' || expireMs < 0) return commands
    const command = [Buffer.from('PEXPIREAT'), key, Buffer.from(String(expireMs))]
    return [...commands, ...this.#expiries.commandsOf({ ...base, op: 'ttl', command, expire: expireMs }, nowMs)]
  }

  #untold(kind: string): Words[] {
    this.#options.tell(kind)
    return []
  }

  async #send(given: readonly Words[], position: FeedPosition): Promise<void> {
    const { checkpointKey } = this.#options
    const keeping: Words[] = []
    if (checkpointKey !== undefined) {
      keeping.push(...this.#expiries.takeDirty(expiriesKey(checkpointKey)))
      keeping.push(['SET', checkpointKey, positionText(position)])
    }
    if (given.length === 0 && keeping.length === 0) return
    await this.#withRetries(async () => {
      const target = await this.#connect()
      if (checkpointKey === undefined) this.#check(given, await target.pipeline(given))
      else await this.#transact(target, given, keeping, positionText(position))
    })
  }

  /** Watches the checkpoint key, and returns what it holds. */
  async #watch(target: RedisConnection, checkpointKey: string): Promise<string | null> {
    const [watched, saved] = await target.pipeline([
      ['WATCH', checkpointKey],
      ['GET', checkpointKey],
    ])
    for (const reply of [watched, saved]) if (reply instanceof ServerError) throw reply
    this.#watching = target
    return saved === null ? null : String(saved)
  }

  /** One transaction, which leads to `position`; again without the commands that the target does not know. */
  async #transact(
    target: RedisConnection,
    given: readonly Words[],
    keeping: readonly Words[],
    position: string,
  ): Promise<void> {
    const key = String(this.#options.checkpointKey)
    let commands = given
    for (;;) {
      if (this.#watching !== target) {
        const saved = await this.#watch(target, key)
        // The connection may have broken after the transaction had arrived.
        if (saved === position && saved !== this.#saved) {
          this.#saved = saved
          return
        }
        checkOwned(key, saved, this.#saved)
      }
      this.#watching = undefined
      // What comes after this transaction is watched from its very end.
      const replies = await target.pipeline([
        ['MULTI'],
        ...commands,
        ...keeping,
        ['EXEC'],
        ['WATCH', key],
        ['GET', key],
      ])
      const results = replies.at(-3)
      const queued = replies.slice(1, -3)
      if (Array.isArray(results)) {
        this.#check([...commands, ...keeping], results)
        this.#saved = position
        if (String(replies.at(-1)) === position) this.#watching = target
        return
      }
      // The key was changed while it was watched.
      if (results === null) continue
      this.#check(commands, queued.slice(0, commands.length))
      const known = commands.filter((_, index) => !(queued[index] instanceof ServerError))
      if (known.length === commands.length) throw results instanceof Error ? results : new Error('no reply of EXEC')
      commands = known
    }
  }

  /** Tells which commands the target does not take. Throws where it takes none. */
  #check(commands: readonly Words[], replies: readonly RespValue[]): void {
    replies.forEach((reply, index) => {
      if (!(reply instanceof ServerError)) return
      if (REFUSALS.has(reply.code) || PASSING.has(reply.code)) throw reply
      this.#options.tell(`${shownWords(commands[index] ?? [])}: ${reply.message}`)
    })
  }

  async #connect(): Promise<RedisConnection> {
    this.#target ??= await openTarget(this.#options.url, this.#options.signal)
    return this.#target
  }

  async #withRetries<T>(work: () => Promise<T>): Promise<T> {
    const { signal, onRetry } = this.#options
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        return await work()
      } catch (error) {
        if (signal?.aborted === true || isFinal(error)) throw error
        this.close()
        this.#target = undefined
        this.#watching = undefined
        this.#source = undefined
        onRetry(error as Error)
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }
}

/** What trying again does not help against. */
function isFinal(error: unknown): boolean {
  return error instanceof TargetError || (error instanceof ServerError && !PASSING.has(error.code))
}

/** What becomes of other databases of the target is not for the source to say. */
function flushOf(change: FeedChange): FeedChange {
  return { ...change, command: [FLUSHDB] }
}

/** The command and the beginning of its words. */
function shownWords(words: Words): string {
  const text = words.map((word) => (typeof word === 'string' ? word : word.utf8Slice())).join(' ')
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}

function expiriesKey(checkpointKey: string): string {
  return `${checkpointKey}:expiries`
}

/** False if a later change of the same key will bring it as a whole. */
function isLastOfKey(changes: readonly FeedChange[], index: number): boolean {
  const { key } = changes[index] as FeedChange
  if (key === undefined) return true
  return !changes.some((other, at) => at > index && other.command === undefined && other.key?.equals(key) === true)
}
