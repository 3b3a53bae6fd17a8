/** A client that shows the very bytes of each reply. */

import { connect, type Socket } from 'node:net'
import { encodeRequest, parseReply, type ReplyValue } from './resp.js'

export class RawClient {
  readonly socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #isEnded = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
  }

  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => {
        socket.off('error', reject)
        resolve(new RawClient(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Sends bytes as they are. */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  send(...words: (string | number | Buffer)[]): void {
    this.write(encodeRequest(words))
  }

  /** Sends a command and waits for its reply: its bytes as latin1. */
  async run(...words: (string | number | Buffer)[]): Promise<string> {
    this.send(...words)
    return (await this.nextReply()).bytes
  }

  /** Sends a command and waits for its reply: as JavaScript. */
  async value(...words: (string | number | Buffer)[]): Promise<ReplyValue> {
    this.send(...words)
    return (await this.nextReply()).value
  }

  /** The next reply or push. Rejects if the server ends the connection before it is complete. */
  async nextReply(): Promise<{ bytes: string; value: ReplyValue; kind: string }> {
    for (;;) {
      const parsed = this.#received.length > 0 ? parseReply(this.#received) : undefined
      if (parsed !== undefined) {
        const bytes = this.#received.toString('latin1', 0, parsed.end)
        this.#received = this.#received.subarray(parsed.end)
        return { bytes, value: parsed.value, kind: parsed.kind }
      }
      if (this.#isEnded) throw new Error('the server has closed the connection')
      await this.#more()
    }
  }

  /** What has arrived and was not taken, as latin1. */
  get pending(): string {
    return this.#received.toString('latin1')
  }

  /** Waits until the server closes the connection; all bytes that were not taken, as latin1. */
  async untilClosed(): Promise<string> {
    while (!this.#isEnded) await this.#more()
    return this.pending
  }

  close(): void {
    this.socket.destroy()
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }
}
