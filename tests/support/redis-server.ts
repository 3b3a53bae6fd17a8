import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.js'

/** A real redis-server of its own, to compare with: in a temporary directory, on a free port of the loopback. */
export type RedisServer = {
  readonly port: number
  readonly directory: string
  readonly client: Redis
  /** Ends the process and removes the directory. */
  stop(): Promise<void>
}

const asked = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })

/** Why a test that needs a redis-server is skipped, or false: the value of tap's option `skip`. */
export const REDIS_MISSING: string | false = asked.error === undefined ? false : 'redis-server is not installed'

/** The version of the redis-server of the path, as `8.0.2`; `0.0.0` if there is none. */
export const REDIS_VERSION: string = / v=(\d+\.\d+\.\d+)/.exec(asked.stdout ?? '')?.[1] ?? '0.0.0'

/** Its first number: by it the tests decide where Redis 7.0 and Redis 8 answer differently. */
export const REDIS_MAJOR: number = Number.parseInt(REDIS_VERSION, 10)

/** Starts the redis-server of the path with `options` added. */
export async function startRedisServer(...options: string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory, ...options]
  const process = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  await waitUntilReady(process)
  const client = new Redis({ host: '127.0.0.1', port })
  const stop = async () => {
    client.disconnect()
    process.kill('SIGKILL')
    if (process.exitCode === null && process.signalCode === null) await once(process, 'exit')
    await rm(directory, { recursive: true })
  }
  return { port, directory, client, stop }
}

async function waitUntilReady(process: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    process.once('error', reject)
    process.once('exit', () => reject(new Error(`redis-server ended:\n${log}`)))
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      log += text
      if (/ready to accept connections/i.test(log)) resolve()
    })
  })
}
