/** Three redis-sentinels watch a master and two replicas, fail over when the master is killed, and take it back. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { eventually } from '../support/eventually.js'
import { allKeys, infoField } from '../support/nodes.js'
import { freePort, type ServerProcess, startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

const isMissing = spawnSync('redis-sentinel', ['--version']).error !== undefined
const SKIPPED = isMissing ? 'redis-sentinel is not installed' : false

interface Sentinel {
  readonly port: number
  readonly child: ChildProcess
}

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
      'sentinel down-after-milliseconds watched 1000',
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

/** Waits for what takes processes some seconds. */
async function within<T>(seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const untilMs = performance.now() + seconds * 1000
  for (;;) {
    try {
      return await eventually(ask)
    } catch (error) {
      if (performance.now() > untilMs) throw error
    }
  }
}

/** Adds to a list one number after the other; returns those that a replica has confirmed. */
async function writeConfirmed(client: Redis, from: number, isOver: () => boolean): Promise<number[]> {
  const confirmed: number[] = []
  for (let number = from; !isOver(); number++) {
    try {
      await client.rpush('numbers', number)
      if ((await client.wait(1, 500)) >= 1) confirmed.push(number)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return confirmed
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

const OPTIONS = { 'use-rsid-psync': 'yes' }

test('the master is killed: a replica takes over, clients go on, no confirmed write is lost', {
  skip: SKIPPED,
  timeout: 120_000,
}, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const started: (ServerProcess | Sentinel)[] = []
  const client: { redis: Redis | undefined } = { redis: undefined }
  t.teardown(async () => {
    client.redis?.disconnect()
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
    await within(40, async () => {
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
  client.redis = redis
  let isOver = false
  const writing = writeConfirmed(redis, 0, () => isOver)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await master.end('SIGKILL')
  const promotedPort = await within(40, async () => {
    const port = Number(await masterField(sentinels[0] as Sentinel, 'port'))
    return port !== master.port && replicas.some((replica) => replica.port === port) ? port : undefined
  })
  const lengthAtSwitch = await within(20, async () => redis.llen('numbers').catch(() => undefined))
  await within(20, async () => ((await redis.llen('numbers').catch(() => 0)) > lengthAtSwitch ? true : undefined))
  isOver = true
  const confirmed = await writing
  const stored = new Set((await redis.lrange('numbers', 0, -1)).map(Number))
  t.ok(confirmed.length > 0)
  t.same(
    confirmed.filter((number) => !stored.has(number)),
    [],
  )

  const returned = await start('a', { port: String(master.port) })
  const other = replicas.find(({ port }) => port !== promotedPort) as ServerProcess
  for (const node of [returned, other]) {
    // A sentinel that was held up for two seconds trusts nothing for thirty.
    await within(85, async () => {
      const probe = await RawClient.connect(node.port)
      try {
        const isFollowing =
          (await infoField(probe, 'master_port')) === String(promotedPort) &&
          (await infoField(probe, 'master_link_status')) === 'up'
        return isFollowing || undefined
      } finally {
        probe.close()
      }
    })
  }
  t.equal(await redis.wait(2, 5000), 2)
  await assertSame(t, [promotedPort, other.port, returned.port])
})
