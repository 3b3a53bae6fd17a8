/** Reads pages of the feed and of snapshots from a server, and connects again, later and later, until it answers. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type FeedChange, parseChange } from './feed-change.js'
import { FeedSlot, type RunWords } from './feed-slot.js'
import { runOn } from './given-client.js'
import type { Checkpoint, CommandRunner, FeedPosition } from './position.js'
import { RedisConnection, type RespValue, ServerError } from './redis-connection.js'

export interface FeedOptions {
  /** redis://[user:password@]host[:port], rediss:// for TLS. Default: redis://127.0.0.1:6666. */
  readonly url?: string
  /** A client of ioredis or node-redis to use instead, which must not be used for anything else: it waits for changes. */
  readonly client?: CommandRunner
  /** Where to begin without a checkpoint: after a sequence, at the oldest readable change, or at the next one. Default: now. */
  readonly since?: number | 'now' | 'oldest'
  /** Without a checkpoint, begin with a snapshot of all keys; then `since` is not looked at. */
  readonly snapshot?: boolean
  /** Globs of keys, types, ops and namespaces; see POLLUPDATES. */
  readonly match?: readonly string[]
  readonly types?: readonly string[]
  readonly ops?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly checkpoint?: Checkpoint
  /**
   * A slot, which is made where there is none: the server keeps the position, and the log that follows it. It moves on
   * when the next page is asked for. A checkpoint is then needed only where its position has to be kept elsewhere.
   */
  readonly slot?: string
  /** Tells what was there before each change, where the server still knows. */
  readonly oldValues?: boolean
  /** Ends the iteration. */
  readonly signal?: AbortSignal
  /** False ends the iteration where the feed ended when it was reached. Default: true, it waits for more. */
  readonly follow?: boolean
  /** Told of each failure before the connection is tried again. Default: silence. */
  readonly onRetry?: (error: Error) => void
}

/** Changes that the server gave at once. */
export interface FeedPage {
  /** One JSON text each. */
  readonly texts: readonly string[]
  /** Where the feed goes on after them. */
  readonly position: FeedPosition
  /** The latest sequence of the server when it gave them; a page that reaches it is the last for now. */
  readonly latest: number
  readonly isSnapshot: boolean
}

const URL_DEFAULT = 'redis://127.0.0.1:6666'
const BLOCK_MS = 5000
/** It answers sooner, also to a poll that waits. */
const ANSWER_MS = 60_000
const PAGE_BYTES = 1024 * 1024
const BATCHES_MAX = 1000
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

export class FeedReader {
  readonly #options: FeedOptions
  readonly #slot: FeedSlot | undefined
  #connection: RedisConnection | undefined

  constructor(options: FeedOptions) {
    this.#options = options
    const run: RunWords = (...words) => this.#command(...words)
    this.#slot = options.slot === undefined ? undefined : new FeedSlot(options.slot, filterWords(options), run)
  }

  /** Where the slot stands; undefined if there is none yet. */
  async slotPosition(): Promise<FeedPosition | undefined> {
    const sequence = await this.#slot?.position()
    return sequence === undefined ? undefined : { sequence }
  }

  /** Makes the slot, if one is wanted and there is none. Snapshots have ended, though one that did may not have said so. */
  async placeSlot({ sequence }: FeedPosition): Promise<void> {
    await this.#slot?.create(sequence)
    if (this.#options.snapshot === true) await this.#slot?.endSnapshot()
  }

  async start(): Promise<FeedPosition> {
    const { since = 'now' } = this.#options
    if (typeof since === 'number') return { sequence: since }
    const { oldest, latest, replid } = await this.#range()
    return placeOf(since === 'oldest' ? oldest - 1 : latest, replid)
  }

  /** What follows `position`: at once where the feed is not followed, else as soon as there is something, or after a while. */
  poll(position: FeedPosition): Promise<FeedPage> {
    const { follow, slot } = this.#options
    return this.#poll(position, [
      ...(follow === false ? [] : ['BLOCK', BLOCK_MS]),
      ...(slot === undefined ? [] : ['SLOT', slot]),
    ])
  }

  /**
   * The pages of the snapshot that `begun` stands in; of a new one where there is none, or where that is gone. What the
   * first pages of a lost snapshot told may be gone by now: each key that has changed since is told to be deleted first.
   * Without `begun` a slot may still know of one.
   */
  async *snapshot(begun?: FeedPosition): AsyncGenerator<FeedPage, void, void> {
    if (begun !== undefined) {
      yield* this.#snapshot(begun)
      return
    }
    const left = await this.#slot?.beginSnapshot()
    yield* this.#snapshot(left === undefined ? undefined : { sequence: left })
  }

  async *#snapshot(begun?: FeedPosition): AsyncGenerator<FeedPage, void, void> {
    if (begun?.snapshot !== undefined) {
      const { id, cursor } = begun.snapshot
      const first = await this.#readSnapshot(begun, id, cursor)
      if (first !== undefined) {
        yield* this.#restOfSnapshot(first)
        return
      }
    }
    for (;;) {
      const { id, place } = await this.#openSnapshot()
      if (begun !== undefined) yield* this.#retractions(begun, place)
      const first = await this.#readSnapshot(place, id, '0')
      if (first === undefined) continue
      yield* this.#restOfSnapshot(first)
      return
    }
  }

  close(): void {
    this.#connection?.close()
  }

  async #poll(position: FeedPosition, options: readonly (string | number)[]): Promise<FeedPage> {
    const words = [
      'POLLUPDATES',
      position.sequence,
      'STRICT',
      'MAX',
      BATCHES_MAX,
      'FORMAT',
      'JSON',
      'BYTES',
      PAGE_BYTES,
    ]
    if (position.replid !== undefined) words.push('REPLID', position.replid)
    if (this.#options.oldValues === true) words.push('OLDVALUE')
    words.push(...filterWords(this.#options), ...options)
    const reply = (await this.#command(...words)) as RespValue[]
    return {
      texts: textsOf(reply[5]),
      // The server tells which history the new position belongs to: after a failover, or a crash, it may be a new one. One
      // that does not has at least taken the old one for its own, and will refuse it when it is not any more.
      position: placeOf(reply[1] as number, position.replid && (textOf(reply[7]) ?? position.replid)),
      latest: reply[3] as number,
      isSnapshot: false,
    }
  }

  /** `replid` is undefined of a server that does not tell it. */
  async #range(): Promise<{ oldest: number; latest: number; replid: string | undefined }> {
    const range = (await this.#command('SEQUENCE', 'RANGE')) as RespValue[]
    return { oldest: range[1] as number, latest: range[3] as number, replid: textOf(range[9]) }
  }

  async #openSnapshot(): Promise<{ id: string; place: FeedPosition }> {
    const { replid } = await this.#range()
    const { match = [], types = [], namespaces = [] } = this.#options
    const words = ['CDC', 'SNAPSHOT', 'OPEN']
    for (const pattern of match) words.push('MATCH', pattern)
    for (const type of types) words.push('TYPE', type)
    for (const namespace of namespaces) words.push('NAMESPACE', namespace)
    const opened = (await this.#command(...words)) as RespValue[]
    return { id: String(opened[1]), place: placeOf(opened[3] as number, replid) }
  }

  /** Undefined if the server knows no such snapshot. */
  async #readSnapshot(
    { snapshot: _, ...place }: FeedPosition,
    id: string,
    cursor: string,
  ): Promise<FeedPage | undefined> {
    try {
      const [next, texts] = (await this.#command('CDC', 'SNAPSHOT', 'READ', id, cursor)) as RespValue[]
      const isLast = String(next) === ''
      if (isLast) await this.#command('CDC', 'SNAPSHOT', 'CLOSE', id)
      const position = isLast ? place : { ...place, snapshot: { id, cursor: String(next) } }
      return { texts: textsOf(texts), position, latest: place.sequence, isSnapshot: true }
    } catch (error) {
      if (error instanceof ServerError && error.code === 'NOSNAPSHOT') return undefined
      throw error
    }
  }

  /** `page` and all that follow it. A snapshot that is lost on the way begins anew. */
  async *#restOfSnapshot(page: FeedPage): AsyncGenerator<FeedPage, void, void> {
    for (let current = page; ; ) {
      yield current
      const { snapshot } = current.position
      if (snapshot === undefined) return
      const next = await this.#readSnapshot(current.position, snapshot.id, snapshot.cursor)
      if (next === undefined) {
        yield* this.#snapshot(current.position)
        return
      }
      current = next
    }
  }

  /** Deletions of all keys that changed after `from`, up to the new snapshot. Rejects with WALGAP if that is not known. */
  async *#retractions(from: FeedPosition, to: FeedPosition): AsyncGenerator<FeedPage, void, void> {
    // A slot that has lost its place says so.
    const slot = from.snapshot === undefined ? this.#slot : undefined
    for (let position = from; position.sequence < to.sequence; ) {
      const page = await this.#poll(position, slot === undefined ? [] : ['SLOT', slot.snapshotName])
      const texts = page.texts.map(parseChange).flatMap((change) => retraction(change, to.sequence))
      position = page.position
      // Until these are through, the lost snapshot is what a next run goes on with.
      if (texts.length > 0) yield { texts, position: from, latest: to.sequence, isSnapshot: true }
    }
  }

  /** Connects again, later and later, until the server answers. */
  async #command(...words: readonly (string | number)[]): Promise<RespValue> {
    const { signal, onRetry } = this.#options
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        return await this.#commandOnce(words)
      } catch (error) {
        if (signal?.aborted === true || (error instanceof ServerError && error.code !== 'LOADING')) throw error
        this.#connection?.close()
        this.#connection = undefined
        onRetry?.(error as Error)
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }

  async #commandOnce(words: readonly (string | number)[]): Promise<RespValue> {
    const { url = URL_DEFAULT, client, signal } = this.#options
    if (client !== undefined) return runOn(client, words, signal)
    this.#connection ??= await RedisConnection.open(url, signal)
    const connection = this.#connection
    // A server that has gone without a word is not waited for.
    const timer = setTimeout(() => connection.close(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
    try {
      return await connection.command(...words)
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What takes back all that was ever told of the keys of `change`. */
function retraction({ namespace, key, subkey, op, command }: FeedChange, sequence: number): string[] {
  const base = { sequence, batch: sequence, ...(namespace === undefined ? {} : { namespace: jsonBytes(namespace) }) }
  if (op === 'invalidate' && command !== undefined) {
    return [JSON.stringify({ ...base, type: 'keyspace', op, command: command.map(jsonBytes) })]
  }
  const keys = [key, op === 'move' ? subkey : undefined].filter((one) => one !== undefined)
  if (namespace === undefined) return []
  return keys.map((one) => {
    const words = ['DEL', jsonBytes(one)]
    return JSON.stringify({ ...base, type: 'none', key: jsonBytes(one), op: 'delete', command: words })
  })
}

function jsonBytes(bytes: Buffer): { base64: string } {
  return { base64: bytes.toString('base64') }
}

function filterWords({ match = [], types = [], ops = [], namespaces = [] }: FeedOptions): string[] {
  return [
    ...match.flatMap((pattern) => ['MATCH', pattern]),
    ...types.flatMap((type) => ['TYPE', type]),
    ...ops.flatMap((op) => ['OP', op]),
    ...namespaces.flatMap((namespace) => ['NAMESPACE', namespace]),
  ]
}

function placeOf(sequence: number, replid: string | undefined): FeedPosition {
  return replid === undefined ? { sequence } : { sequence, replid }
}

/** Undefined where the server has said nothing. */
function textOf(value: RespValue | undefined): string | undefined {
  return value === undefined || value === null ? undefined : String(value)
}

function textsOf(reply: RespValue | undefined): string[] {
  return Array.isArray(reply) ? reply.map((text) => (Buffer.isBuffer(text) ? text.utf8Slice() : String(text))) : []
}
