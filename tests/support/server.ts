/** A server for one test file: in this process, on a free port, in a temporary directory, with a clock that tests move. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigValues, createServer, type Server } from '../../src/index.js'
import type { Log } from '../../src/log/log.js'
import { RawClient } from './raw-client.js'

export interface TestServer extends AsyncDisposable {
  readonly server: Server
  readonly port: number
  readonly dir: string
  /** Errors that the server logged: an empty list at the end of a good test. */
  readonly logged: string[]
  /** A new connection. */
  connect(): Promise<RawClient>
  /** Runs one command on a connection kept for it; the reply as bytes, latin1. */
  run(...words: Word[]): Promise<string>
  /** Moves the clock. */
  advance(ms: number): void
  close(): Promise<void>
}

export type Word = string | number | Buffer

export interface TestServerOptions {
  readonly config?: Partial<ConfigValues>
  /** The machine's clock, which `advance` does not move. */
  readonly usesRealClock?: boolean
  /** Unix milliseconds at the start. */
  readonly nowMs?: number
  /** Expired keys are deleted in the background, by the real clock's rhythm; default: no, so that what is written is told by commands alone. */
  readonly sweepsExpired?: boolean
  /** An existing working directory, which is then kept at the end. */
  readonly dir?: string
}

const START_MS = 1_700_000_000_000

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  let nowMs = options.nowMs ?? START_MS
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  const logged: string[] = []
  const note = (text: string): void => {
    logged.push(text)
  }
  const log: Log = { info() {}, warning() {}, error: note, fatal: note }
  const server = createServer({
    dir,
    config: options.config ?? {},
    log,
    clock: options.usesRealClock ? Date.now : () => nowMs,
  })
  server.expiry.isEnabled = options.sweepsExpired ?? false
  await server.listen()
  const clients: RawClient[] = []
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(server.port)
    clients.push(client)
    return client
  }
  let shared: RawClient | undefined
  const close = async (): Promise<void> => {
    for (const client of clients) client.close()
    await server.close()
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
  }
  return {
    server,
    port: server.port,
    dir,
    logged,
    connect,
    async run(...words) {
      shared ??= await connect()
      return shared.run(...words)
    },
    advance(ms) {
      nowMs += ms
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
