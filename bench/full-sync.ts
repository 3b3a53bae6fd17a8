/**
 * What a full sync costs its master's clients, and the memory of both sides.
 *
 *   node dist/bench/full-sync.js [--mebibytes 2048] [--rate 500] [--limit 0] [--replica /dev/shm]
 *
 * Fills a master with values of 1 KiB that do not compress, measures the latency of GET and SET at a steady rate without
 * and during the full sync of a replica on the same machine, and prints one table.  `--limit`: max-replication-mb.
 * `--replica`: where the replica's directory is made; on another disk, or in memory, it does not hold up the master's log.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const BIN = fileURLToPath(new URL('../../bin/kvrocks-ts', import.meta.url))
const MIB = 1024 * 1024
const VALUE_BYTES = 1024
const FILL_WINDOW = 1000
const IDLE_SECONDS = 15
const CONNECTIONS = 10

interface Node {
  readonly port: number
  readonly child: ChildProcess
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function startNode(directory: string, options: Readonly<Record<string, string>>): Promise<Node> {
  const port = await freePort()
  const words = Object.entries({ ...options, dir: directory, port: String(port) })
  const flags = words.flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(process.execPath, [BIN, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] })
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isUp = await new Promise((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    )
    socket.destroy()
    if (isUp) return { port, child }
    await delay(50)
  }
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setNoDelay(true)
  return socket
}

function request(...words: readonly (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => [
    Buffer.from(`$${Buffer.byteLength(word)}\r\n`),
    Buffer.from(word),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

async function info(port: number): Promise<string> {
  const socket = await openSocket(port)
  socket.write(request('info', 'replication'))
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return chunk.toString('latin1')
}

/** Fills `count` keys, in pipelines of FILL_WINDOW. */
async function fill(port: number, count: number): Promise<void> {
  const socket = await openSocket(port)
  for (let from = 0; from < count; from += FILL_WINDOW) {
    const batch: Buffer[] = []
    for (let i = from; i < Math.min(count, from + FILL_WINDOW); i++)
      batch.push(request('set', `key:${i}`, randomBytes(VALUE_BYTES)))
    let left = batch.length * '+OK\r\n'.length
    socket.write(Buffer.concat(batch))
    while (left > 0) left -= ((await once(socket, 'data')) as [Buffer])[0].length
  }
  socket.destroy()
}

/** Gathers latencies of single requests, in microseconds, until `stop`. */
class Load {
  #latencies = { get: [] as number[], set: [] as number[] }
  #isOver = false
  readonly #done: Promise<void>[]

  constructor(sockets: readonly Socket[], keys: number, rate: number) {
    this.#done = sockets.map((socket) => this.#run(socket, keys, (1000 * sockets.length) / rate))
  }

  /** The latencies since the last call, ascending. */
  take(): { get: number[]; set: number[] } {
    const { get, set } = this.#latencies
    this.#latencies = { get: [], set: [] }
    return { get: get.sort((a, b) => a - b), set: set.sort((a, b) => a - b) }
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#done)
  }

  async #run(socket: Socket, keys: number, everyMs: number): Promise<void> {
    const value = randomBytes(VALUE_BYTES)
    for (let number = 0; !this.#isOver; number++) {
      const key = `key:${Math.floor(Math.random() * keys)}`
      const isRead = number % 2 === 0
      const startMs = performance.now()
      socket.write(isRead ? request('get', key) : request('set', key, value))
      let left = isRead ? `$${VALUE_BYTES}\r\n`.length + VALUE_BYTES + 2 : '+OK\r\n'.length
      while (left > 0) left -= ((await once(socket, 'data')) as [Buffer])[0].length
      const tookMs = performance.now() - startMs
      this.#latencies[isRead ? 'get' : 'set'].push(tookMs * 1000)
      await delay(Math.max(0, everyMs - tookMs))
    }
  }
}

function row(name: string, latencies: readonly number[]): string {
  const at = (share: number): string =>
    String(Math.round(latencies[Math.floor(latencies.length * share)] ?? 0)).padStart(8)
  return `${name.padEnd(12)} ${String(latencies.length).padStart(8)} ${at(0.5)} ${at(0.99)} ${at(0.999)}`
}

/** Resident and anonymous memory of a process, in MiB. */
function memory({ child }: Node): { rss: number; anonymous: number } {
  const text = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0)
  return { rss: Math.round(kib('VmRSS') / 1024), anonymous: Math.round(kib('RssAnon') / 1024) }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mebibytes: { type: 'string', default: '2048' },
      rate: { type: 'string', default: '500' },
      limit: { type: 'string', default: '0' },
      replica: { type: 'string', default: tmpdir() },
    },
  })
  const root = mkdtempSync(join(tmpdir(), 'full-sync-'))
  const replicaRoot = mkdtempSync(join(values.replica, 'full-sync-'))
  const nodes: Node[] = []
  try {
    const noLog = { 'rocksdb.wal_ttl_seconds': '0', 'rocksdb.wal_size_limit_mb': '0' }
    const master = await startNode(join(root, 'master'), { ...noLog, 'max-replication-mb': values.limit })
    nodes.push(master)
    const keys = (Number(values.mebibytes) * MIB) / VALUE_BYTES
    await fill(master.port, keys)
    await delay(10_000)
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => openSocket(master.port)))
    const load = new Load(sockets, keys, Number(values.rate))
    await delay(3000)
    load.take()
    await delay(IDLE_SECONDS * 1000)
    const idle = load.take()
    const before = memory(master)
    const replica = await startNode(replicaRoot, { slaveof: `127.0.0.1 ${master.port}` })
    nodes.push(replica)
    load.take()
    const startMs = performance.now()
    let masterMax = memory(master)
    let replicaMax = memory(replica)
    for (;;) {
      const text = await info(replica.port)
      if (memory(master).anonymous > masterMax.anonymous) masterMax = memory(master)
      if (memory(replica).anonymous > replicaMax.anonymous) replicaMax = memory(replica)
      if (text.includes('master_link_status:up')) break
      await delay(100)
    }
    const seconds = (performance.now() - startMs) / 1000
    const during = load.take()
    await load.stop()
    for (const socket of sockets) socket.destroy()
    const synced = (await info(master.port)).includes('slave0:')
    process.stdout.write(
      `${values.mebibytes} MiB in ${seconds.toFixed(1)} s${synced ? '' : ' (no replica)'}, ${values.rate} requests/s, µs\n` +
        `${''.padEnd(12)} requests      p50      p99    p99.9\n${row('idle GET', idle.get)}\n${row('sync GET', during.get)}\n${row('idle SET', idle.set)}\n` +
        `${row('sync SET', during.set)}\n` +
        `memory, MiB (anonymous): master ${before.rss} (${before.anonymous}), then ${masterMax.rss} ` +
        `(${masterMax.anonymous}); replica ${replicaMax.rss} (${replicaMax.anonymous})\n`,
    )
  } finally {
    for (const { child } of nodes) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    for (const directory of [root, replicaRoot]) rmSync(directory, { recursive: true, force: true })
  }
}

await main()
