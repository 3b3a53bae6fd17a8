/**
 * Three redis-sentinels watch a master and two replicas, fail over when the master is killed, and take it back; and so
 * again when the next one is frozen.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { freePort } from '../support/free-port.js'
import { allKeys, infoField } from '../support/nodes.js'
import { type ServerProcess, startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

const isMissing = spawnSync('redis-sentinel', ['--version']).error !== undefined
const SKIPPED = isMissing ? 'redis-sentinel is not installed' : false

interface Sentinel {
  readonly port: number
  readonly child: ChildProcess
}

/**
 * Sentinels that were held up see half a minute later than a replica that the master has gone, and take no replica that
 * has missed it for ten times this longer than they. Source: redis src/sentinel.c, sentinelSelectSlave.
 */
const DOWN_AFTER_MS = 4000

async function startSentinel(directory: string, masterPort: number): Promise<Sentinel> {
  const port = await freePort()
  mkdirSync(directory)
  const file = join(directory, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor watched 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds watched ${DOWN_AFTER_MS}`,
      'sentinel failover-timeout watched 5000',
      'sentinel parallel-syncs watched 1',
      '',
    ].join('\n'),
  )
  const child = spawn('redis-sentinel', [file], { stdio: 'ignore' })
  return { port, child }
}

/** One field of what a sentinel knows of the master. */
async function masterField(sentinel: Sentinel, name: string): Promise<string | undefined> {
  const client = await RawClient.connect(sentinel.port).catch(() => undefined)
  if (client === undefined) return undefined
  try {
    const words = (await client.value('sentinel', 'master', 'watched')) as string[]
    return words[words.indexOf(name) + 1]
  } finally {
    client.close()
  }
}

/** The port of the one master that all sentinels name and all other nodes follow; undefined while there is none. */
async function settledMaster(
  sentinels: readonly Sentinel[],
  nodes: readonly ServerProcess[],
): Promise<number | undefined> {
  const named = new Set(await Promise.all(sentinels.map((sentinel) => masterField(sentinel, 'port'))))
  const [port] = named
  if (named.size !== 1 || port === undefined) return undefined
  for (const node of nodes) {
    const probe = await RawClient.connect(node.port)
    try {
      const isMaster = String(node.port) === port
      if ((await infoField(probe, 'role')) !== (isMaster ? 'master' : 'slave')) return undefined
      if (isMaster) continue
      if ((await infoField(probe, 'master_port')) !== port) return undefined
      if ((await infoField(probe, 'master_link_status')) !== 'up') return undefined
    } finally {
      probe.close()
    }
  }
  return Number(port)
}

/** What the nodes say of themselves, and the sentinels of them. */
async function describe(sentinels: readonly Sentinel[], nodes: readonly ServerProcess[]): Promise<string> {
  const ask = async (port: number, ...words: string[]): Promise<string> => {
    const client = await RawClient.connect(port).catch(() => undefined)
    if (client === undefined) return 'no connection'
    try {
      return JSON.stringify(await client.value(...words))
    } catch (error) {
      return (error as Error).message
    } finally {
      client.close()
    }
  }
  const lines: string[] = []
  for (const { port } of nodes) lines.push(`node ${port}: ${await ask(port, 'info', 'replication')}`)
  for (const { port } of sentinels) {
    for (const words of [
      ['sentinel', 'master', 'watched'],
      ['sentinel', 'replicas', 'watched'],
      ['info', 'sentinel'],
    ]) {
      lines.push(`sentinel ${port}: ${words.join(' ')}: ${await ask(port, ...words)}`)
    }
  }
  return lines.join('\n')
}

/** True if one of the sentinels does nothing for half a minute, as when it, or all the machine, was held up for two seconds. */
async function isTilted(sentinels: readonly Sentinel[]): Promise<boolean> {
  for (const { port } of sentinels) {
    const client = await RawClient.connect(port).catch(() => undefined)
    if (client === undefined) continue
    const text = await client.run('info', 'sentinel').catch(() => '')
    client.close()
    if (text.includes('sentinel_tilt:1')) return true
  }
  return false
}

const POLL_MS = 100
/** From this on a sentinel counts as held up. Source: redis src/sentinel.c, sentinelCheckTiltCondition. */
const HELD_UP_MS = 2000
const TILT_MS = 30_000

/** Waits for what takes processes some seconds, not counting those in which the sentinels do nothing. */
async function within<T>(
  seconds: number,
  sentinels: readonly Sentinel[],
  ask: () => Promise<T | undefined>,
): Promise<T> {
  let untilMs = performance.now() + seconds * 1000
  let tickedMs = performance.now()
  // What holds up this process may hold up all.
  const ticks = setInterval(() => {
    const nowMs = performance.now()
    if (nowMs - tickedMs > HELD_UP_MS) untilMs = nowMs + seconds * 1000 + TILT_MS
    tickedMs = nowMs
  }, POLL_MS)
  try {
    for (;;) {
      const answer = await ask().catch(() => undefined)
      if (answer !== undefined) return answer
      if (await isTilted(sentinels)) untilMs = Math.max(untilMs, performance.now() + seconds * 1000)
      if (performance.now() > untilMs) throw new Error(`it did not happen within ${seconds} s`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  } finally {
    clearInterval(ticks)
  }
}

/** Adds to a list one number after the other, and to `confirmed` those that a replica has confirmed. */
async function writeConfirmed(client: Redis, confirmed: number[], isOver: () => boolean): Promise<void> {
  for (let number = 0; !isOver(); number++) {
    try {
      await client.rpush('numbers', number)
      if ((await client.wait(1, 500)) >= 1) confirmed.push(number)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function assertSame(t: Test, ports: readonly number[]): Promise<void> {
  const clients = await Promise.all(ports.map((port) => RawClient.connect(port)))
  try {
    const [first, ...rest] = await Promise.all(clients.map((client) => allKeys(client)))
    t.ok((first?.size ?? 0) > 0)
    for (const other of rest) t.strictSame(other, first)
  } finally {
    for (const client of clients) client.close()
  }
}

async function fullSyncs(nodes: readonly ServerProcess[]): Promise<number> {
  let sum = 0
  for (const { port } of nodes) {
    const client = await RawClient.connect(port)
    sum += Number(await infoField(client, 'sync_full'))
    client.close()
  }
  return sum
}

/** Freezes the master until the sentinels have made another one: it still thinks to be master when it goes on. */
async function freezeMaster(sentinels: readonly Sentinel[], master: ServerProcess): Promise<void> {
  await within(40, sentinels, async () => {
    // Whoever holds up all processes may have let it go on.
    master.child.kill('SIGSTOP')
    const ports = await Promise.all(sentinels.map((sentinel) => masterField(sentinel, 'port')))
    return ports.every((port) => port !== undefined && port !== String(master.port)) || undefined
  })
  master.child.kill('SIGCONT')
}

const OPTIONS = { 'use-rsid-psync': 'yes' }

interface Watched {
  readonly sentinels: readonly Sentinel[]
  readonly master: ServerProcess
  readonly replicas: readonly ServerProcess[]
  readonly redis: Redis
  start(name: string, options: Record<string, string>): Promise<ServerProcess>
}

/** A master, two replicas, three sentinels that know all of them, and a client that asks the sentinels; all end with the test. */
async function startWatched(t: Test): Promise<Watched> {
  const root = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const started: (ServerProcess | Sentinel)[] = []
  t.teardown(async () => {
    for (const { child } of started) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    rmSync(root, { recursive: true, force: true })
  })
  const start = async (name: string, options: Record<string, string>): Promise<ServerProcess> => {
    const directory = join(root, name)
    mkdirSync(directory, { recursive: true })
    const node = await startProcess(directory, { ...OPTIONS, ...options })
    started.push(node)
    return node
  }
  const master = await start('a', {})
  const slaveof = `127.0.0.1 ${master.port}`
  const replicas = [await start('b', { slaveof }), await start('c', { slaveof })]
  const sentinels = await Promise.all(['s1', 's2', 's3'].map((name) => startSentinel(join(root, name), master.port)))
  started.push(...sentinels)
  for (const sentinel of sentinels) {
    await within(40, sentinels, async () => {
      const isKnown =
        (await masterField(sentinel, 'num-slaves')) === '2' &&
        (await masterField(sentinel, 'num-other-sentinels')) === '2' &&
        (await masterField(sentinel, 'flags')) === 'master'
      return isKnown || undefined
    })
  }
  const redis = new Redis({
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    name: 'watched',
    sentinelRetryStrategy: () => 100,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 100,
  })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return { sentinels, master, replicas, redis, start }
}

/** The master that all have come to follow, with the same keys on all. */
async function settle(t: Test, { sentinels, redis }: Watched, nodes: readonly ServerProcess[]): Promise<ServerProcess> {
  const port = await within(60, sentinels, () => settledMaster(sentinels, nodes)).catch(async (error: Error) => {
    throw new Error(`the nodes do not follow one master: ${await describe(sentinels, nodes)}`, { cause: error })
  })
  // Another failover may have come between: then the client has to find the new master first.
  await within(20, sentinels, async () => ((await redis.wait(2, 5000).catch(() => 0)) === 2 ? true : undefined))
  await assertSame(
    t,
    nodes.map((node) => node.port),
  )
  return nodes.find((node) => node.port === port) as ServerProcess
}

test('the master is killed: a replica takes over, clients go on, no confirmed write is lost', {
  skip: SKIPPED,
  timeout: 500_000,
}, async (t) => {
  const watched = await startWatched(t)
  const { sentinels, master, replicas, redis } = watched
  let isOver = false
  const confirmed: number[] = []
  const writing = writeConfirmed(redis, confirmed, () => isOver)
  await within(20, sentinels, async () => confirmed.length >= 20 || undefined)
  await master.end('SIGKILL')
  await within(40, sentinels, async () => {
    const port = Number(await masterField(sentinels[0] as Sentinel, 'port'))
    return replicas.some((replica) => replica.port === port) || undefined
  })
  const lengthAtSwitch = await within(20, sentinels, async () => redis.llen('numbers').catch(() => undefined))
  await within(20, sentinels, async () =>
    (await redis.llen('numbers').catch(() => 0)) > lengthAtSwitch ? true : undefined,
  )
  isOver = true
  await writing
  const stored = new Set((await redis.lrange('numbers', 0, -1)).map(Number))
  t.same(
    confirmed.filter((number) => !stored.has(number)),
    [],
  )

  const nodes = [...replicas, await watched.start('a', { port: String(master.port) })]
  const second = await settle(t, watched, nodes)
  const copied = await fullSyncs(nodes)
  await freezeMaster(sentinels, second)
  await settle(t, watched, nodes)
  t.equal(await fullSyncs(nodes), copied, 'nobody wrote meanwhile: all go on where they were')
  await within(20, sentinels, async () => redis.rpush('numbers', 'after').catch(() => undefined))
  await settle(t, watched, nodes)
})
