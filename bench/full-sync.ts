/**
 * What a full sync costs its master's clients, and the memory of both sides.
 *
 *   node dist/bench/full-sync.js [--mebibytes 2048] [--rate 500] [--limit 0] [--idle 15] [--seconds 3600]
 *                                [--master DIR] [--replica /dev/shm] [--replica-nice 19] [--replica-cpus 1]
 *
 * Fills a master with values of 1 KiB that do not compress, measures the latency of GET and SET at a steady rate without
 * and during the full sync of a replica on the same machine, and prints one table. Below it stands what the main threads
 * did in these times, as shares of them: running, and waiting for a CPU that another thread had.
 *
 *   --limit          max-replication-mb
 *   --seconds        looks at the sync for so long at most
 *   --master         the master's directory, which is kept; one that an earlier run has filled is taken as it is
 *   --replica        where the replica's directory is made: on another disk, or in memory, it does not hold up the master's log
 *   --replica-nice   priority of the replica's process (nice), and
 *   --replica-cpus   the CPUs that it may use (taskset): a replica on a machine of its own takes none of the master's
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { BIN, freePort } from './servers.js'

const MIB = 1024 * 1024
const VALUE_BYTES = 1024
const FILL_WINDOW = 1000
const SETTLE_MS = 10_000
const WARM_MS = 3000
const CONNECTIONS = 10
/** The cache grows with each block that is read: a small one leaves the memory of the sync to be seen. */
const BLOCK_CACHE_MIB = '64'

interface Node {
  readonly port: number
  readonly child: ChildProcess
}

/** `wrapper`: a program that starts the server, and its words. */
async function startNode(
  directory: string,
  options: Readonly<Record<string, string>>,
  wrapper: readonly string[] = [],
): Promise<Node> {
  const port = await freePort()
  const words = Object.entries({ ...options, dir: directory, port: String(port) })
  const flags = words.flatMap(([name, value]) => [`--${name}`, value])
  const [program = '', ...rest] = [...wrapper, BIN, ...flags]
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
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
interface Memory {
  readonly rss: number
  readonly anonymous: number
}

function memory({ child }: Node): Memory {
  const text = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0)
  return { rss: Math.round(kib('VmRSS') / 1024), anonymous: Math.round(kib('RssAnon') / 1024) }
}

/** What a main thread has done so far, in milliseconds. */
interface Times {
  readonly runningMs: number
  readonly waitingMs: number
  readonly atMs: number
}

function timesOf(pid: number | undefined): Times {
  const [running, waiting] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ').map(Number)
  return { runningMs: (running ?? 0) / 1e6, waitingMs: (waiting ?? 0) / 1e6, atMs: performance.now() }
}

function shares(name: string, from: Times, to: Times): string {
  const share = (ms: number): string => `${((100 * ms) / (to.atMs - from.atMs)).toFixed(1)} %`
  return `${name}: running ${share(to.runningMs - from.runningMs)}, waiting ${share(to.waitingMs - from.waitingMs)}`
}

interface Options {
  readonly mebibytes: number
  readonly rate: number
  readonly limit: string
  readonly idleSeconds: number
  readonly secondsMax: number
  readonly master: string | undefined
  readonly replica: string
  readonly wrapper: readonly string[]
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      mebibytes: { type: 'string', default: '2048' },
      rate: { type: 'string', default: '500' },
      limit: { type: 'string', default: '0' },
      idle: { type: 'string', default: '15' },
      seconds: { type: 'string', default: '3600' },
      master: { type: 'string' },
      replica: { type: 'string', default: tmpdir() },
      'replica-nice': { type: 'string' },
      'replica-cpus': { type: 'string' },
    },
  })
  const { 'replica-nice': priority, 'replica-cpus': cpus } = values
  return {
    mebibytes: Number(values.mebibytes),
    rate: Number(values.rate),
    limit: values.limit,
    idleSeconds: Number(values.idle),
    secondsMax: Number(values.seconds),
    master: values.master,
    replica: values.replica,
    wrapper: [
      ...(priority === undefined ? [] : ['nice', '-n', priority]),
      ...(cpus === undefined ? [] : ['taskset', '-c', cpus]),
    ],
  }
}

/** A master with `keys` keys in `directory`. */
async function startMaster(directory: string, limit: string, keys: number): Promise<Node> {
  const isFilled = existsSync(join(directory, 'db')) && readdirSync(join(directory, 'db')).length > 0
  const noLog = { 'rocksdb.wal_ttl_seconds': '0', 'rocksdb.wal_size_limit_mb': '0' }
  const options = { ...noLog, 'rocksdb.block_cache_size': BLOCK_CACHE_MIB, 'max-replication-mb': limit }
  const master = await startNode(directory, options)
  if (isFilled) return master
  await fill(master.port, keys)
  await delay(SETTLE_MS)
  return master
}

interface Followed {
  readonly masterMax: Memory
  readonly replicaMax: Memory
  /** Of those that had come when it was looked at last. */
  readonly mebibytes: number
}

/** Until the replica has all, or the time is over. */
async function follow(master: Node, replica: Node, secondsMax: number): Promise<Followed> {
  const untilMs = performance.now() + secondsMax * 1000
  let masterMax = memory(master)
  let replicaMax = memory(replica)
  let mebibytes = 0
  for (;;) {
    const text = await info(replica.port)
    const [ofMaster, ofReplica] = [memory(master), memory(replica)]
    if (ofMaster.anonymous > masterMax.anonymous) masterMax = ofMaster
    if (ofReplica.anonymous > replicaMax.anonymous) replicaMax = ofReplica
    mebibytes = Math.round(Number(/master_sync_read_bytes:(\d+)/.exec(text)?.[1] ?? mebibytes * MIB) / MIB)
    const isOver = text.includes('master_link_status:up') || performance.now() > untilMs
    if (isOver) return { masterMax, replicaMax, mebibytes }
    await delay(100)
  }
}

async function main(): Promise<void> {
  const options = readOptions()
  const { rate } = options
  const root = mkdtempSync(join(tmpdir(), 'full-sync-'))
  const replicaRoot = mkdtempSync(join(options.replica, 'full-sync-'))
  const nodes: Node[] = []
  try {
    const keys = (options.mebibytes * MIB) / VALUE_BYTES
    const master = await startMaster(options.master ?? join(root, 'master'), options.limit, keys)
    nodes.push(master)
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => openSocket(master.port)))
    const load = new Load(sockets, keys, rate)
    await delay(WARM_MS)
    const [masterAtFirst, ownAtFirst] = [timesOf(master.child.pid), timesOf(process.pid)]
    load.take()
    await delay(options.idleSeconds * 1000)
    const idle = load.take()
    const before = memory(master)
    const [masterIdle, ownIdle] = [timesOf(master.child.pid), timesOf(process.pid)]
    const replica = await startNode(replicaRoot, { slaveof: `127.0.0.1 ${master.port}` }, options.wrapper)
    nodes.push(replica)
    load.take()
    const [masterStart, ownStart] = [timesOf(master.child.pid), timesOf(process.pid)]
    const { masterMax, replicaMax, mebibytes } = await follow(master, replica, options.secondsMax)
    const [masterEnd, ownEnd] = [timesOf(master.child.pid), timesOf(process.pid)]
    const during = load.take()
    await load.stop()
    for (const socket of sockets) socket.destroy()
    const isSynced = (await info(master.port)).includes('slave0:')
    const seconds = ((masterEnd.atMs - masterStart.atMs) / 1000).toFixed(1)
    process.stdout.write(
      [
        `${mebibytes} MiB in ${seconds} s${isSynced ? '' : ' (no replica)'}, ${rate} requests/s, µs`,
        `${''.padEnd(12)} requests      p50      p99    p99.9`,
        row('idle GET', idle.get),
        row('sync GET', during.get),
        row('idle SET', idle.set),
        row('sync SET', during.set),
        shares('idle, master', masterAtFirst, masterIdle),
        shares('sync, master', masterStart, masterEnd),
        shares('idle, clients', ownAtFirst, ownIdle),
        shares('sync, clients', ownStart, ownEnd),
        `memory, MiB (anonymous): master ${before.rss} (${before.anonymous}), then ${masterMax.rss} ` +
          `(${masterMax.anonymous}); replica ${replicaMax.rss} (${replicaMax.anonymous})`,
        '',
      ].join('\n'),
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
