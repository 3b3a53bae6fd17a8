/** A replica's connection to its master: words out; lines, bulk strings and file contents in. */

import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type Bytes, EMPTY } from '../bytes/bytes.js'

/** The master or the network is at fault; the link is to be tried again. */
export class LinkError extends Error {
  override readonly name = 'LinkError'
}

export interface MasterTarget {
  readonly host: string
  readonly port: number
  /** Undefined: plain TCP. */
  readonly tls: ConnectionOptions | undefined
  /** 0 = no bound. */
  readonly connectTimeoutMs: number
  /** Ends the connection, or the attempt to make one. */
  readonly signal?: AbortSignal
}

/** What arrives and is not taken is kept up to this; then the master has to wait. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
const LINE_BYTES_MAX = 16 * 1024 * 1024
const CR = 0x0d
const LF = 0x0a
const CRLF_BYTES = 2

export class MasterSocket {
  readonly #socket: Socket
  #chunks: Bytes[] = []
  #bytes = 0
  #isEnded = false
  #error: Error | undefined
  #wake: (() => void) | undefined
  /** Length of the bulk string whose header was taken; -1 if none. */
  #bulkBytes = -1

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.on('data', (chunk: Bytes) => {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      if (this.#bytes > Math.max(KEPT_BYTES_MAX, this.#bulkBytes + CRLF_BYTES)) socket.pause()
      this.#wake?.()
    })
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
  }

  /** Rejects with a LinkError. */
  static connect({ host, port, tls, connectTimeoutMs, signal }: MasterTarget): Promise<MasterSocket> {
    return new Promise((resolve, reject) => {
      const socket = tls === undefined ? connectTcp(port, host) : connectTls({ ...tls, host, port })
      if (signal !== undefined) endOn(signal, socket)
      const fail = (reason: string): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(new LinkError(`cannot connect to ${host}:${port}: ${reason}`))
      }
      const timer =
        connectTimeoutMs > 0
          ? setTimeout(() => fail(`no connection within ${connectTimeoutMs} ms`), connectTimeoutMs)
          : undefined
      const onError = (error: Error): void => fail(error.message)
      socket.once('error', onError)
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        clearTimeout(timer)
        socket.off('error', onError)
        resolve(new MasterSocket(socket))
      })
    })
  }

  /** `ip:port` of this end. */
  get localAddress(): string {
    return `${this.#socket.localAddress}:${this.#socket.localPort}`
  }

  /** Bytes that the master has not taken. */
  get outputBytes(): number {
    return this.#socket.writableLength
  }

  get isClosed(): boolean {
    return this.#isEnded
  }

  /** Sends a request. */
  send(...words: readonly string[]): void {
    const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    this.#socket.write(`*${words.length}\r\n${bulks.join('')}`)
  }

  /** The next line, without its end. Rejects with a LinkError if the connection ends or nothing comes in `timeoutMs`. */
  async line(timeoutMs = 0): Promise<string> {
    for (;;) {
      const line = this.#takeLine()
      if (line !== undefined) return line
      await this.more(timeoutMs)
    }
  }

  /** The next whole bulk string if it has arrived: a view that stays as it is. Throws a LinkError where there is none. */
  takeBulk(): Bytes | undefined {
    if (this.#bulkBytes === -1) {
      const line = this.#takeLine()
      if (line === undefined) return undefined
      const length = /^\$[0-9]{1,10}$/.test(line) ? Number(line.slice(1)) : 0
      if (length === 0) throw new LinkError(`Invalid increment data size: ${line.slice(0, 100)}`)
      this.#bulkBytes = length
    }
    const needed = this.#bulkBytes + CRLF_BYTES
    if (this.#bytes < needed) {
      this.#socket.resume()
      return undefined
    }
    const bulk = this.#takeBytes(needed).subarray(0, this.#bulkBytes)
    this.#bulkBytes = -1
    return bulk
  }

  /** Up to `bytesMax` bytes that have arrived; empty if none have. */
  take(bytesMax: number): Bytes {
    const first = this.#chunks[0]
    if (first === undefined) return EMPTY
    return this.#takeBytes(Math.min(first.length, bytesMax))
  }

  /** Bytes that have arrived and were not taken. */
  get inputBytes(): number {
    return this.#bytes
  }

  /** Up to `bytesMax` bytes that have arrived, in the pieces in which they came. */
  takeAll(bytesMax: number): Bytes[] {
    const pieces: Bytes[] = []
    for (let left = bytesMax; left > 0 && this.#bytes > 0; ) {
      const piece = this.take(left)
      pieces.push(piece)
      left -= piece.length
    }
    return pieces
  }

  /** Resolves when more has arrived. Rejects with a LinkError if the connection ends, or nothing comes in `timeoutMs`. */
  async more(timeoutMs = 0): Promise<void> {
    if (this.#isEnded) throw this.#ended()
    this.#socket.resume()
    let timer: NodeJS.Timeout | undefined
    let isLate = false
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (timeoutMs > 0) {
        timer = setTimeout(() => {
          isLate = true
          resolve()
        }, timeoutMs)
      }
    })
    clearTimeout(timer)
    this.#wake = undefined
    if (isLate) throw new LinkError(`the master has sent nothing for ${timeoutMs} ms`)
    if (this.#isEnded && this.#bytes === 0) throw this.#ended()
  }

  close(): void {
    this.#socket.destroy()
  }

  #ended(): LinkError {
    return new LinkError(`the connection has ended${this.#error === undefined ? '' : `: ${this.#error.message}`}`)
  }

  #takeLine(): string | undefined {
    if (this.#bytes === 0) return undefined
    const all = this.#join()
    const end = all.indexOf(LF)
    if (end === -1 && all.length > LINE_BYTES_MAX) throw new LinkError('the master has sent a line without an end')
    if (end === -1) return undefined
    if (all[end - 1] !== CR) throw new LinkError('the master has sent a line that does not end in CRLF')
    return this.#takeBytes(end + 1)
      .subarray(0, end - 1)
      .latin1Slice(0)
  }

  #takeBytes(bytes: number): Bytes {
    const first = this.#chunks[0] as Bytes
    const all = first.length >= bytes ? first : this.#join()
    const rest = all.subarray(bytes)
    if (rest.length === 0) this.#chunks.shift()
    else this.#chunks[0] = rest
    this.#bytes -= bytes
    return all.subarray(0, bytes)
  }

  #join(): Bytes {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] as Bytes
  }
}

function endOn(signal: AbortSignal, socket: Socket): void {
  const end = (): void => {
    socket.destroy(new Error('the link is being ended'))
  }
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', end))
}
