/**
 * Reads the change feed of a server, from any program:
 *
 *   for await (const change of changes({ url: 'redis://127.0.0.1:6666', since: 'now' })) …
 *
 * Every change arrives at least once and in order. What was delivered counts as done when the next change is asked for;
 * a checkpoint that is given is saved then, page by page, and the next run goes on from it. `sequence` tells repeated
 * changes apart. The loop itself is the back-pressure: nothing is fetched while a change is being worked on.
 */

import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection, type RespValue, ServerError } from './redis-connection.js'

/** See FORMAT JSON in the README for the meaning of its fields. Byte strings are Buffers. */
export interface FeedChange {
  readonly sequence: number
  readonly batch: number
  readonly replid?: string
  readonly namespace?: Buffer
  readonly type: string
  readonly key?: Buffer
  readonly subkey?: Buffer
  readonly op: string
  readonly command?: readonly Buffer[]
  readonly value?: Buffer
  /** Unix milliseconds. */
  readonly expire?: number
  readonly fresh?: true
}

/** Where a reader has come to, kept for its next run. */
export interface Checkpoint {
  /** The sequence that was saved last; undefined if none was. */
  load(): Promise<number | undefined>
  save(sequence: number): Promise<void>
}

export interface FeedOptions {
  /** redis://[user:password@]host[:port], rediss:// for TLS. */
  readonly url: string
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
  /** The sequence after which the feed goes on. */
  readonly position: number
  readonly isSnapshot: boolean
}

const BLOCK_MS = 5000
const PAGE_BYTES = 1024 * 1024
const BATCHES_MAX = 1000
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

/** Rejects with ServerError `WALGAP` when the changes after the position are gone, and `NOSNAPSHOT` when the snapshot is. */
export async function* changes(options: FeedOptions): AsyncGenerator<FeedChange, void, void> {
  for await (const page of pages(options)) for (const text of page.texts) yield parseChange(text)
}

/** The same, a page at a time. */
export async function* pages(options: FeedOptions): AsyncGenerator<FeedPage, void, void> {
  const reader = new FeedReader(options)
  try {
    let position = await options.checkpoint?.load()
    if (position === undefined && options.snapshot === true) {
      for await (const page of reader.snapshot()) {
        yield page
        position = page.position
      }
      if (position !== undefined) await options.checkpoint?.save(position)
    }
    position ??= await reader.start()
    for (;;) {
      const page = await reader.poll(position)
      if (page === undefined) return
      if (page.texts.length > 0) yield page
      if (page.position !== position) await options.checkpoint?.save(page.position)
      position = page.position
    }
  } catch (error) {
    if (options.signal?.aborted !== true) throw error
  } finally {
    reader.close()
  }
}

/** A checkpoint that lasts as long as the program. */
export function memoryCheckpoint(sequence?: number): Checkpoint {
  let saved = sequence
  return {
    load: () => Promise.resolve(saved),
    save(position) {
      saved = position
      return Promise.resolve()
    },
  }
}

/** A checkpoint in a file, which is replaced as a whole. */
export function fileCheckpoint(path: string): Checkpoint {
  return {
    async load() {
      try {
        const saved = Number(await readFile(path, 'utf8'))
        if (!Number.isSafeInteger(saved)) throw new Error(`${path} holds no sequence`)
        return saved
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async save(sequence) {
      await writeFile(`${path}.new`, `${sequence}\n`)
      await rename(`${path}.new`, path)
    },
  }
}

/** A change from its JSON. */
export function parseChange(text: string): FeedChange {
  return JSON.parse(text, (name, value: unknown) => {
    if (BYTE_FIELDS.has(name) && typeof value === 'string') return Buffer.from(value)
    if (name === 'command' && Array.isArray(value))
      return value.map((word) => (typeof word === 'string' ? Buffer.from(word) : word))
    const encoded = typeof value === 'object' && value !== null ? (value as { base64?: unknown }).base64 : undefined
    return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : value
  }) as FeedChange
}

/** The commands that make a change on another server, in order; none for what no command says. */
export function commandsOf({ command, key, type, fresh, expire }: FeedChange): (readonly Buffer[])[] {
  if (command === undefined) return []
  const commands = [command]
  if (fresh === true && key !== undefined) commands.unshift([Buffer.from('DEL'), key])
  // SET says it itself.
  if (expire !== undefined && key !== undefined && type !== 'string') {
    commands.push([Buffer.from('PEXPIREAT'), key, Buffer.from(String(expire))])
  }
  return commands
}

const BYTE_FIELDS = new Set(['namespace', 'key', 'subkey', 'value'])

class FeedReader {
  readonly #options: FeedOptions
  #connection: RedisConnection | undefined

  constructor(options: FeedOptions) {
    this.#options = options
  }

  async start(): Promise<number> {
    const { since = 'now' } = this.#options
    if (typeof since === 'number') return since
    const range = (await this.#command('SEQUENCE', 'RANGE')) as RespValue[]
    return since === 'oldest' ? (range[1] as number) - 1 : (range[3] as number)
  }

  /** Undefined at the end of a feed that is not followed. */
  async poll(position: number): Promise<FeedPage | undefined> {
    const { match = [], types = [], ops = [], namespaces = [], follow = true } = this.#options
    const words = ['POLLUPDATES', position, 'STRICT', 'MAX', BATCHES_MAX, 'FORMAT', 'JSON', 'BYTES', PAGE_BYTES]
    if (follow) words.push('BLOCK', BLOCK_MS)
    for (const pattern of match) words.push('MATCH', pattern)
    for (const type of types) words.push('TYPE', type)
    for (const op of ops) words.push('OP', op)
    for (const namespace of namespaces) words.push('NAMESPACE', namespace)
    const reply = (await this.#command(...words)) as RespValue[]
    const next = reply[1] as number
    const texts = textsOf(reply[5])
    return !follow && texts.length === 0 && next === position ? undefined : { texts, position: next, isSnapshot: false }
  }

  async *snapshot(): AsyncGenerator<FeedPage, void, void> {
    const { match = [], types = [] } = this.#options
    const words = ['CDC', 'SNAPSHOT', 'OPEN']
    for (const pattern of match) words.push('MATCH', pattern)
    for (const type of types) words.push('TYPE', type)
    const opened = (await this.#command(...words)) as RespValue[]
    const id = String(opened[1])
    const position = opened[3] as number
    for (let cursor = '0'; ; ) {
      const [next, texts] = (await this.#command('CDC', 'SNAPSHOT', 'READ', id, cursor)) as RespValue[]
      yield { texts: textsOf(texts), position, isSnapshot: true }
      cursor = String(next)
      if (cursor === '') break
    }
    await this.#command('CDC', 'SNAPSHOT', 'CLOSE', id)
  }

  close(): void {
    this.#connection?.close()
  }

  /** Connects again, later and later, until the server answers. */
  async #command(...words: readonly (string | number)[]): Promise<RespValue> {
    const { url, signal, onRetry } = this.#options
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#connection ??= await RedisConnection.open(url, signal)
        return await this.#connection.command(...words)
      } catch (error) {
        if (signal?.aborted === true || (error instanceof ServerError && error.code !== 'LOADING')) throw error
        this.#connection?.close()
        this.#connection = undefined
        onRetry?.(error as Error)
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }
}

function textsOf(reply: RespValue | undefined): string[] {
  return Array.isArray(reply) ? reply.map((text) => (text as Buffer).utf8Slice()) : []
}
