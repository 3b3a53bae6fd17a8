/** What the scripting tests share: an engine with a host of canned replies, and a real redis-server to compare with. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LuaEngine } from '../../src/scripting/engine.js'
import { ScriptCache } from '../../src/scripting/script-cache.js'
import { ScriptError } from '../../src/scripting/script-error.js'

export interface Bench {
  readonly engine: LuaEngine
  readonly scripts: ScriptCache
  /** The reply of EVAL as latin1 text, an error with its `-` and CRLF. */
  evaluate(script: string, options?: Partial<EvalOptions>): string
  /** What redis.call was given, one text a call, arguments joined by spaces. */
  readonly calls: string[]
  readonly logged: [number, string][]
}

export interface EvalOptions {
  readonly keys: readonly string[]
  readonly args: readonly string[]
  readonly protocol: 2 | 3
  readonly timeLimitMs: number
  readonly resp3Allowed: boolean
}

/** Replies by the text of the call. A function gets the protocol. `unknown command` otherwise. */
export type Replies = Readonly<Record<string, string | Buffer | ((protocol: 2 | 3) => string | Buffer)>>

export const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024

export function openBench(replies: Replies = {}, memoryLimitBytes = MEMORY_LIMIT_BYTES): Bench {
  const calls: string[] = []
  const logged: [number, string][] = []
  const engine = new LuaEngine(
    {
      call(args, protocol) {
        const text = args.map((arg) => arg.toString('latin1')).join(' ')
        calls.push(text)
        const reply = replies[text] ?? '-ERR unknown command\r\n'
        return Buffer.from(typeof reply === 'function' ? reply(protocol) : reply)
      },
      isAllowed: ([name]) => (name?.toString() === 'get' ? true : name?.toString() === 'set' ? false : undefined),
      log: (level, message) => logged.push([level, message.toString('latin1')]),
    },
    { memoryLimitBytes, redisVersion: '7.0.15' },
  )
  const scripts = new ScriptCache(engine)
  const evaluate = (script: string, options: Partial<EvalOptions> = {}): string =>
    textOf(() => {
      const { sha, reference } = scripts.evaluate(Buffer.from(script, 'latin1'))
      return engine.runScript(reference, sha, buffers(options.keys), buffers(options.args), {
        protocol: options.protocol ?? 2,
        timeLimitMs: options.timeLimitMs ?? 5000,
        resp3Allowed: options.resp3Allowed ?? true,
      })
    })
  return { engine, scripts, evaluate, calls, logged }
}

/** The reply, or the error as a client would see it. */
export function textOf(run: () => Buffer): string {
  try {
    return run().toString('latin1')
  } catch (error) {
    if (error instanceof ScriptError) return `-${error.text}\r\n`
    throw error
  }
}

export function buffers(texts: readonly string[] = []): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'))
}

/** Why there is no real server to compare with, if there is none. */
export const NO_REDIS = spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed'

export interface RealRedis {
  /** A connection that speaks the protocol. */
  connect(protocol: 2 | 3): Promise<RawClient>
  stop(): Promise<void>
}

export async function startRedis(): Promise<RealRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'scripting-'))
  const port = await freePort()
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  await readyLine(server)
  const clients: RawClient[] = []
  return {
    async connect(protocol) {
      const client = new RawClient(await openSocket(port))
      clients.push(client)
      if (protocol === 3) await client.send('HELLO', '3')
      return client
    },
    async stop() {
      for (const client of clients) client.close()
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A client that gives replies as the bytes that the server sent. */
export class RawClient {
  readonly #socket: Socket
  readonly #waiting: ((reply: Buffer) => void)[] = []
  #received = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  send(...args: (string | Buffer)[]): Promise<Buffer> {
    const parts = args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg))
    const request: Buffer[] = [Buffer.from(`*${parts.length}\r\n`)]
    for (const part of parts) request.push(Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n'))
    this.#socket.write(Buffer.concat(request))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    for (let end = replyEnd(this.#received, 0); end > 0; end = replyEnd(this.#received, 0)) {
      const reply = this.#received.subarray(0, end)
      this.#received = this.#received.subarray(end)
      this.#waiting.shift()?.(reply)
    }
  }
}

/** Where the reply that begins at `at` ends, -1 if it is not complete. */
function replyEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (at >= bytes.length || lineEnd < 0) return -1
  const type = String.fromCharCode(bytes[at]!)
  const number = Number(bytes.toString('latin1', at + 1, lineEnd))
  let end = lineEnd + 2
  if ('$=!'.includes(type)) return number < 0 ? end : end + number + 2 <= bytes.length ? end + number + 2 : -1
  if (!'*%~>'.includes(type)) return end
  for (let left = type === '%' ? number * 2 : number; left > 0; left--) {
    end = replyEnd(bytes, end)
    if (end < 0) return -1
  }
  return end
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function readyLine(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    server.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('Ready to accept connections')) resolve()
    })
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${text}`)))
  })
}

function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}
