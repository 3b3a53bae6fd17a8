/** One connection to a server under measurement: for filling in, and for looking at replies. */

import { connect, type Socket } from 'node:net'
import { ReplyCounter } from './replies.js'
import { encodeCommand } from './requests.js'

/** Requests are written in pieces of this size, and so much may be unanswered. */
const WRITE_BYTES = 1 << 16
const UNANSWERED_MAX = 2000

export class Session implements Disposable {
  readonly #socket: Socket
  readonly #counter = new ReplyCounter()
  #answered = 0
  #sent = 0
  #replies = ''
  #keepsReplies = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#answered += this.#counter.count(chunk)
      if (this.#keepsReplies) this.#replies += chunk.latin1Slice(0)
      this.#wake()
    })
    socket.on('close', () => this.#wake())
    socket.on('error', () => this.#wake())
  }

  static open(port: number): Promise<Session> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.off('error', reject)
        resolve(new Session(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Sends commands, many at a time, and waits for all replies. Throws if one is an error. */
  async sendAll(commands: Iterable<readonly string[]>): Promise<void> {
    let text = ''
    for (const command of commands) {
      text += encodeCommand(command)
      this.#sent++
      if (text.length < WRITE_BYTES) continue
      this.#socket.write(text, 'latin1')
      text = ''
      await this.#untilUnanswered(UNANSWERED_MAX)
    }
    if (text !== '') this.#socket.write(text, 'latin1')
    await this.#untilUnanswered(0)
    if (this.#counter.errors > 0) throw new Error('the server has refused a command that fills in')
  }

  /** Sends commands together; their replies as they are, latin1. */
  async ask(commands: readonly (readonly string[])[]): Promise<string> {
    this.#replies = ''
    this.#keepsReplies = true
    this.#sent += commands.length
    this.#socket.write(commands.map(encodeCommand).join(''), 'latin1')
    await this.#untilUnanswered(0)
    this.#keepsReplies = false
    return this.#replies
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #untilUnanswered(max: number): Promise<void> {
    while (this.#sent - this.#answered > max) {
      if (this.#socket.destroyed) throw new Error('the server has closed the connection')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
