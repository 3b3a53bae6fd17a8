/** Both ends of a replication link, byte by byte. */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** One connection: bytes as latin1, in the order in which they came. */
export class Wire {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #isEnded = false
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
  }

  static async connect(port: number): Promise<Wire> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Wire(socket)
  }

  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** The next `count` bytes, or fewer if the connection ends. */
  async take(count: number): Promise<string> {
    while (this.#received.length < count && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const taken = this.#received.subarray(0, count)
    this.#received = this.#received.subarray(count)
    return taken.toString('latin1')
  }

  /** As many bytes as `expected` has: equal to it if all is well. */
  takeLike(expected: string): Promise<string> {
    return this.take(Buffer.byteLength(expected, 'latin1'))
  }

  /** The next line, with its end. */
  async takeLine(): Promise<string> {
    let line = ''
    while (!line.endsWith('\r\n') && !(line.length > 0 && this.#isEnded && this.#received.length === 0)) {
      line += await this.take(1)
    }
    return line
  }

  /** The content of the next bulk string. */
  async takeBulk(): Promise<Buffer> {
    const header = await this.takeLine()
    const content = await this.take(Number(header.slice(1)))
    await this.take(2)
    return Buffer.from(content, 'latin1')
  }

  /** All bytes until the other end closes. */
  takeRest(): Promise<string> {
    return this.take(Number.POSITIVE_INFINITY)
  }

  close(): void {
    this.socket.destroy()
  }
}

/** A listening end that hands out connections in the order in which they come. */
export class WireListener implements AsyncDisposable {
  readonly #server: Server
  readonly #waiting: ((wire: Wire) => void)[] = []
  readonly #arrived: Wire[] = []
  readonly #all: Wire[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      const wire = new Wire(socket)
      this.#all.push(wire)
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#arrived.push(wire)
      else waiting(wire)
    })
  }

  static async open(): Promise<WireListener> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new WireListener(server)
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  accept(): Promise<Wire> {
    const arrived = this.#arrived.shift()
    if (arrived !== undefined) return Promise.resolve(arrived)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const wire of this.#all) wire.close()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
