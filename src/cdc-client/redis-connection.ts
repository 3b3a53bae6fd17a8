/** A connection to a server that speaks the Redis protocol: commands and their replies in order, nothing more. */

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A reply in RESP2. Bulk strings are Buffers. */
export type RespValue = null | string | number | Buffer | ServerError | RespValue[]

/** An error reply. */
export class ServerError extends Error {
  /** The first word, such as `WALGAP`. */
  get code(): string {
    return this.message.split(' ', 1)[0] ?? ''
  }
}

interface Waiter {
  resolve(value: RespValue): void
  reject(error: Error): void
}

const PORT_DEFAULT = 6666
/** After so long a silence the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000

export class RedisConnection {
  readonly #socket: Socket
  readonly #waiters: Waiter[] = []
  #received: Buffer = Buffer.alloc(0)
  #failure: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#take(chunk)
      } catch (error) {
        this.close(error as Error)
      }
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server has closed the connection')))
  }

  /** `url`: redis://[user:password@]host[:port][/db], or rediss:// for TLS. Rejects if that fails. */
  static async open(url: string, signal?: AbortSignal): Promise<RedisConnection> {
    const { protocol, hostname, port, username, password, pathname } = new URL(url)
    const target = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? PORT_DEFAULT : Number(port) }
    const socket = protocol === 'rediss:' ? connectTls({ ...target, servername: target.host }) : connectTcp(target)
    const connection = new RedisConnection(socket)
    const abort = (): void => connection.close(new Error('aborted'))
    signal?.addEventListener('abort', abort, { once: true })
    socket.on('close', () => signal?.removeEventListener('abort', abort))
    if (signal?.aborted) abort()
    try {
      if (password !== '') {
        const words = [username, password].filter((word) => word !== '').map(decodeURIComponent)
        await connection.command('AUTH', ...words)
      }
      if (pathname.length > 1) await connection.command('SELECT', pathname.slice(1))
      await connection.command('PING')
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  /** Rejects with ServerError for an error reply, and with another Error if the connection ends. */
  async command(...words: readonly (string | number | Buffer)[]): Promise<RespValue> {
    const [reply] = await this.pipeline([words])
    if (reply instanceof ServerError) throw reply
    return reply as RespValue
  }

  /** Sends commands at once; their replies in order, ServerErrors among them. */
  async pipeline(commands: readonly (readonly (string | number | Buffer)[])[]): Promise<RespValue[]> {
    if (this.#failure !== undefined) throw this.#failure
    const replies = commands.map(
      () => new Promise<RespValue>((resolve, reject) => this.#waiters.push({ resolve, reject })),
    )
    this.#socket.write(Buffer.concat(commands.map(encode)))
    return Promise.all(replies)
  }

  /** Sends `count` commands that are encoded already; their replies as `pipeline` gives them. */
  async sendEncoded(requests: Buffer, count: number): Promise<RespValue[]> {
    if (this.#failure !== undefined) throw this.#failure
    const replies = Array.from(
      { length: count },
      () => new Promise<RespValue>((resolve, reject) => this.#waiters.push({ resolve, reject })),
    )
    this.#socket.write(requests)
    return Promise.all(replies)
  }

  close(reason: Error = new Error('the connection is closed')): void {
    this.#fail(reason)
    this.#socket.destroy()
  }

  /** Throws where it is no reply. */
  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    for (let at = 0; ; ) {
      const parsed = this.#received.length > at ? parse(this.#received, at) : undefined
      if (parsed === undefined) {
        this.#received = this.#received.subarray(at)
        return
      }
      at = parsed.end
      this.#waiters.shift()?.resolve(parsed.value)
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure)
  }
}

function encode(words: readonly (string | number | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word))
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

interface Parsed {
  readonly value: RespValue
  readonly end: number
}

/** The reply at `at`; undefined if it is not complete. */
function parse(bytes: Buffer, at: number): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd === -1) return undefined
  const line = bytes.utf8Slice(at + 1, lineEnd)
  const end = lineEnd + 2
  switch (bytes[at]) {
    case 0x2b:
      return { value: line, end }
    case 0x2d:
      return { value: new ServerError(line), end }
    case 0x3a:
      return { value: Number(line), end }
    case 0x24: {
      const length = Number(line)
      if (length < 0) return { value: null, end }
      if (bytes.length < end + length + 2) return undefined
      return { value: bytes.subarray(end, end + length), end: end + length + 2 }
    }
    case 0x2a: {
      const values: RespValue[] = []
      let next = end
      for (let left = Number(line); left > 0; left--) {
        const parsed = next < bytes.length ? parse(bytes, next) : undefined
        if (parsed === undefined) return undefined
        values.push(parsed.value)
        next = parsed.end
      }
      return { value: Number(line) < 0 ? null : values, end: next }
    }
    default:
      throw new Error(`not a reply: ${bytes.utf8Slice(at, lineEnd)}`)
  }
}
