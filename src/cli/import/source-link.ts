/**
 * A link to a Redis as its replica: PSYNC, the bytes of its RDB file, then its stream of commands.
 * Source: redis src/replication.c, syncWithMaster and readSyncBulkPayload.
 */

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface SourceAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly user: string
  readonly password: string
}

/** What the source answered to PSYNC. */
export type SyncAnswer =
  | { readonly kind: 'full'; readonly id: string; readonly offset: number }
  /** The id is another one where the source has taken the place of a former one. */
  | { readonly kind: 'continue'; readonly id: string | undefined }

/** The source refuses, for a reason that trying again does not change. */
export class SourceRefusal extends Error {}

const PORT_DEFAULT = 6379
const LINE_BYTES_MAX = 64 * 1024
const NEWLINE = Buffer.from('\n')
/** A source pings its replicas every ten seconds; one that says nothing for so long is gone. */
const SILENCE_MS_MAX = 60_000
const SILENCE = 'the source has said nothing for a minute'

/** Reads `redis://[user:password@]host[:port]`. Throws TypeError. */
export function sourceAddress(url: URL): SourceAddress {
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? PORT_DEFAULT : Number(url.port),
    isTls: url.protocol === 'rediss:',
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  }
}

export class SourceLink {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer>
  /** Bytes that were read ahead. */
  #ahead: Buffer = Buffer.alloc(0)
  #file = this.#measuredFile(0)
  #hasBegun = false
  /** Since when nothing has come, in milliseconds of performance.now; undefined: nothing is waited for. */
  #waitsSinceMs: number | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** Connects and says what this replica is. Rejects with SourceRefusal where the source does not want it. */
  static async open(address: SourceAddress, signal: AbortSignal): Promise<SourceLink> {
    const { host, port, isTls, user, password } = address
    const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port })
    socket.setNoDelay(true)
    // Whoever reads gets it; until then nobody does.
    socket.on('error', () => {})
    const abort = (): void => void socket.destroy(new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    socket.on('close', () => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
    socket.setTimeout(SILENCE_MS_MAX, () => socket.destroy(new Error(SILENCE)))
    const link = new SourceLink(socket)
    if (password !== '') await link.#tell('AUTH', ...[user, password].filter((word) => word !== ''))
    await link.#tell('PING')
    await link.#tell('REPLCONF', 'capa', 'eof', 'capa', 'psync2')
    socket.setTimeout(0)
    return link
  }

  /** Asks for all that comes after the first `offset` bytes of history `id`; without them for everything. */
  async psync(id: string | undefined, offset: number): Promise<SyncAnswer> {
    this.#send('PSYNC', id ?? '?', id === undefined ? '-1' : String(offset + 1))
    const [word = '', first, second] = (await this.#line()).split(' ')
    if (word === '+CONTINUE') return { kind: 'continue', id: first }
    if (word === '+FULLRESYNC' && first !== undefined) return { kind: 'full', id: first, offset: Number(second) }
    const text = [word, first, second].join(' ').trim()
    if (/^-(?:NOMASTERLINK|LOADING|NOREPLICAS)/.test(text)) throw new Error(text.slice(1))
    throw new SourceRefusal(`the source refuses PSYNC: ${text.slice(1)}`)
  }

  /** True if the file of a full sync has begun to come. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** The head of the file that follows a full sync: its length, undefined if only its end tells. */
  async fileLength(): Promise<number | undefined> {
    const line = await this.#line()
    this.#hasBegun = true
    const [, mark, digits] = /^\$(?:EOF:(.{40})|(\d+))$/.exec(line) ?? []
    if (mark === undefined && digits === undefined) throw new Error(`the source sends no file: ${line}`)
    this.#file = mark === undefined ? this.#measuredFile(Number(digits)) : this.#markedFile(Buffer.from(mark, 'latin1'))
    return digits === undefined ? undefined : Number(digits)
  }

  /**
   * The bytes of the file, which end where it does: whoever reads ahead must not wait for the stream behind it, in which
   * nothing may come for ten seconds.
   */
  get file(): AsyncGenerator<Buffer, void> {
    return this.#file
  }

  /** Passes the end of the file. `rest`: what was read of it already, but belongs to nothing. */
  async endFile(rest: Buffer): Promise<void> {
    let behind = rest.length
    for await (const bytes of this.#file) behind += bytes.length
    if (behind > 0) throw new Error(`the source's file goes on for ${behind} bytes behind its end`)
  }

  async *#measuredFile(size: number): AsyncGenerator<Buffer, void> {
    for (let left = size; left > 0; ) {
      const chunk = await this.#next()
      const bytes = chunk.subarray(0, left)
      this.#ahead = chunk.subarray(bytes.length)
      left -= bytes.length
      yield bytes
    }
  }

  /** Holds back what may be the beginning of the mark. */
  async *#markedFile(mark: Buffer): AsyncGenerator<Buffer, void> {
    for (let held: Buffer = Buffer.alloc(0); ; ) {
      const bytes = Buffer.concat([held, await this.#next()])
      const end = bytes.indexOf(mark)
      const sure = end === -1 ? Math.max(0, bytes.length - mark.length + 1) : end
      held = bytes.subarray(sure)
      if (end !== -1) this.#ahead = held.subarray(mark.length)
      if (sure > 0) yield bytes.subarray(0, sure)
      if (end !== -1) return
    }
  }

  /** The bytes of the stream. Ends, or throws, when the link does. */
  async *stream(): AsyncGenerator<Buffer, void> {
    for (;;) yield await this.#next()
  }

  /** Says that the first `offset` bytes of the stream are carried out. */
  acknowledge(offset: number): void {
    this.#checkSilence()
    this.#send('REPLCONF', 'ACK', String(offset))
  }

  /** Says that a file is still being loaded. Before it comes, a source waits for further replicas until all are silent. */
  keepAlive(): void {
    this.#checkSilence()
    if (this.#hasBegun && this.#socket.writable) this.#socket.write(NEWLINE)
  }

  close(): void {
    this.#socket.destroy()
  }

  #checkSilence(): void {
    if (this.#waitsSinceMs === undefined || performance.now() - this.#waitsSinceMs < SILENCE_MS_MAX) return
    this.#socket.destroy(new Error(SILENCE))
  }

  async #tell(...words: string[]): Promise<void> {
    this.#send(...words)
    const line = await this.#line()
    if (line.startsWith('+')) return
    if (/^-LOADING/.test(line)) throw new Error(line.slice(1))
    throw new SourceRefusal(`the source refuses ${words[0]}: ${line.slice(1)}`)
  }

  #send(...words: string[]): void {
    if (!this.#socket.writable) return
    this.#socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    )
  }

  /** The next line that is not empty: a source that is busy sends newlines. */
  async #line(): Promise<string> {
    for (;;) {
      const end = this.#ahead.indexOf(0x0a)
      if (end !== -1) {
        const line = this.#ahead.latin1Slice(0, end).trimEnd()
        this.#ahead = this.#ahead.subarray(end + 1)
        if (line !== '') return line
        continue
      }
      if (this.#ahead.length > LINE_BYTES_MAX) throw new SourceRefusal('the source does not speak the Redis protocol')
      const kept = this.#ahead
      this.#ahead = Buffer.alloc(0)
      this.#ahead = Buffer.concat([kept, await this.#next()])
    }
  }

  async #next(): Promise<Buffer> {
    if (this.#ahead.length > 0) {
      const bytes = this.#ahead
      this.#ahead = Buffer.alloc(0)
      return bytes
    }
    this.#waitsSinceMs = performance.now()
    const step = await this.#chunks.next()
    this.#waitsSinceMs = undefined
    if (step.done === true) throw new Error('the source has closed the link')
    return step.value
  }
}
