/**
 * Random writes to a server that is killed, read by consumers that are killed: copies made of a snapshot and the feed, and
 * of raw batches, equal their source. TORTURE_ROUNDS=50 takes some minutes; SEED gives other writes (support/seed.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { BIN, type ServerProcess, startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { SEED } from '../support/seed.js'
import { startServer, type TestServer } from '../support/server.js'
import { burst, type Random, randomOf } from './torture-writes.js'

const ROUNDS = Number(process.env['TORTURE_ROUNDS'] ?? 2)
const WRITERS = 3
const BURSTS = 120
const PASSWORD = 'secret'
const POSITION = 'position of the copy'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The server under torture, which comes back on the same port. */
class Source {
  readonly dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-torture-'))
  #process: ServerProcess | undefined
  port = 0

  async start(): Promise<void> {
    this.port ||= await freePort()
    this.#process = await startProcess(this.dir, {
      port: String(this.port),
      requirepass: PASSWORD,
      'namespace.other': 'token',
    })
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.end(signal)
  }

  /** Waits until the server is there. */
  async connect(...auth: string[]): Promise<RawClient> {
    return eventually(async () => {
      try {
        const client = await RawClient.connect(this.port)
        if ((await client.run('auth', ...(auth.length > 0 ? auth : [PASSWORD]))) === '+OK\r\n') return client
        client.close()
      } catch {}
      return undefined
    })
  }
}

/** A writer in its own namespace or in the default one. Connects again when the server is back. */
async function write(source: Source, random: Random, auth: string[]): Promise<void> {
  let client: RawClient | undefined
  for (let left = BURSTS; left > 0; left--) {
    try {
      client ??= await source.connect(...auth)
      const commands = burst(random)
      for (const words of commands) client.send(...words)
      for (const _ of commands) await client.nextReply()
    } catch {
      client?.close()
      client = undefined
    }
  }
  client?.close()
}

/** `kvrocks-ts cdc copy` in a process that is killed now and then, until `stop`. */
class Copier {
  readonly #words: string[]
  readonly #random: Random
  readonly told: string[] = []
  #child: ChildProcess | undefined
  #isStopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(source: Source, target: TestServer, random: Random) {
    const url = `redis://:${PASSWORD}@127.0.0.1:${source.port}`
    const to = `redis://127.0.0.1:${target.port}`
    this.#words = ['cdc', 'copy', '--url', url, '--to', to, '--checkpoint-key', POSITION]
    this.#random = random
  }

  start(isKilled: () => boolean): void {
    this.#running = this.#run(isKilled)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#child?.kill('SIGKILL')
    await this.#running
  }

  async #run(isKilled: () => boolean): Promise<void> {
    while (!this.#isStopped) {
      const child = spawn(process.execPath, [BIN, ...this.#words], { stdio: ['ignore', 'ignore', 'pipe'] })
      this.#child = child
      child.stderr.on('data', (text: Buffer) => this.told.push(...text.toString().split('\n')))
      const timer = setInterval(() => isKilled() && child.kill('SIGKILL'), 300 + this.#random(500))
      await new Promise((resolve) => child.once('close', resolve))
      clearInterval(timer)
    }
  }
}

/** Follows the raw batches into `target`, whose own sequence says how far it has come. */
class Follower {
  readonly #source: Source
  readonly #target: TestServer
  #isStopped = false
  #running: Promise<void> = Promise.resolve()
  failure: unknown

  constructor(source: Source, target: TestServer) {
    this.#source = source
    this.#target = target
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      this.failure = error
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const target = await this.#target.connect()
    await target.run('auth', PASSWORD)
    let client: RawClient | undefined
    while (!this.#isStopped) {
      const position = this.#target.server.store.latestSequence()
      let reply: ReplyValue
      try {
        client ??= await this.#source.connect()
        reply = await client.value('pollupdates', position, 'strict', 'max', 100, 'block', 50)
      } catch {
        client?.close()
        client = undefined
        continue
      }
      if (reply instanceof ReplyFailure) throw new Error(reply.message)
      for (const hex of (reply as ReplyValue[])[5] as string[]) {
        const applied = await target.value('applybatch', Buffer.from(hex, 'hex'))
        if (applied instanceof ReplyFailure) throw new Error(applied.message)
      }
    }
    client?.close()
  }
}

/** All keys that a client sees: type, expiry, contents. */
async function contents(client: RawClient): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const key of ((await client.value('keys', '*')) as string[]).map((one) => Buffer.from(one, 'latin1'))) {
    const name = key.toString('latin1')
    if (name.startsWith(POSITION)) continue
    const type = String(await client.value('type', key))
    const expiry = await client.value('pexpiretime', key)
    found.set(name, JSON.stringify([shownType(type), expiry, await shown(client, key, type)]))
  }
  return found
}

/** A bitmap arrives as a string. */
function shownType(type: string): string {
  return type === 'bitmap' ? 'string' : type
}

async function shown(client: RawClient, key: Buffer, type: string): Promise<unknown> {
  if (type === 'sortedint') return client.value('sirange', key, 0, 1000)
  if (type === 'stream') return withoutTimes(await client.value('xinfo', 'stream', key, 'full', 'count', 0))
  if (type === 'hash') {
    const fields = (await client.value('hkeys', key)) as string[]
    const names = fields.map((field) => Buffer.from(field, 'latin1'))
    const times = names.length === 0 ? [] : await client.value('hpexpiretime', key, 'fields', names.length, ...names)
    return [times, await client.value('hgetall', key)]
  }
  const dump = (await client.value('dump', key)) as string
  // The padding of a bitmap's last segment is its own affair.
  return type === 'string' || type === 'bitmap' ? client.value('get', key).then((got) => got ?? dump) : dump
}

/** When a consumer was seen is no change. */
function withoutTimes(value: ReplyValue): unknown {
  if (!Array.isArray(value)) return value instanceof Map || value instanceof Set ? [...value] : value
  const kept: unknown[] = []
  for (let at = 0; at < value.length; at++) {
    if (value[at] === 'seen-time' || value[at] === 'active-time') at++
    else kept.push(withoutTimes(value[at] as ReplyValue))
  }
  return kept
}

function differences(copy: Map<string, string>, original: Map<string, string>): string[] {
  const keys = new Set([...copy.keys(), ...original.keys()])
  return [...keys]
    .filter((key) => copy.get(key) !== original.get(key))
    .map((key) => `${key}: is ${copy.get(key)}, should be ${original.get(key)}`)
}

/** Kills the server once or twice while the writers write. */
async function torment(source: Source, random: Random, writers: Promise<unknown>): Promise<void> {
  for (let kills = 1 + random(2); kills > 0; kills--) {
    await Promise.race([writers, pause(100 + random(500))])
    await source.end('SIGKILL')
    await source.start()
  }
}

async function round(seed: number): Promise<string[]> {
  const random = randomOf(seed)
  const source = new Source()
  await using copyServer = await startServer({ usesRealClock: true, sweepsExpired: true })
  await using rawServer = await startServer({ usesRealClock: true, config: { requirepass: PASSWORD } })
  rawServer.server.config.namespaces.set('token', 'other')
  await source.start()
  const follower = new Follower(source, rawServer)
  const copier = new Copier(source, copyServer, randomOf(seed + 1))
  try {
    follower.start()
    const auths = [[], [], ['token']]
    const early = Array.from({ length: 2 }, (_, i) => write(source, randomOf(seed + 2 + i), []))
    await Promise.all(early)
    let isKilling = true
    copier.start(() => isKilling)
    const writers = Promise.all(
      Array.from({ length: WRITERS }, (_, i) => write(source, randomOf(seed + 5 + i), auths[i] as string[])),
    )
    await torment(source, random, writers)
    await writers
    isKilling = false
    return await compare(source, copyServer, rawServer, copier, follower)
  } finally {
    await copier.stop()
    await follower.stop()
    await source.end('SIGKILL')
    rmSync(source.dir, { recursive: true, force: true })
  }
}

async function compare(
  source: Source,
  copyServer: TestServer,
  rawServer: TestServer,
  copier: Copier,
  follower: Follower,
): Promise<string[]> {
  const [client, other] = [await source.connect(), await source.connect('token')]
  const copy = await copyServer.connect()
  const raw = await rawServer.connect()
  await raw.run('auth', PASSWORD)
  // What lives shortly is gone by then, at the copy too: it waits a second for the sake of clocks.
  await pause(1600)
  await client.run('set', 'end', '1')
  const latest = (await client.value('sequence')) as number
  try {
    await eventually(async () => {
      if (follower.failure !== undefined) throw follower.failure
      const saved = JSON.parse(String((await copy.value('get', POSITION)) ?? '{}')) as {
        sequence?: number
        snapshot?: object
      }
      // Lives that the copy had to lengthen have their end again.
      const isReleased = (await copy.value('exists', `${POSITION}:expiries`)) === 0
      const isThere = saved.snapshot === undefined && (saved.sequence ?? 0) >= latest && isReleased
      return isThere && rawServer.server.store.latestSequence() >= latest ? true : undefined
    })
  } catch (error) {
    return [
      `${(error as Error).message}: ${copier.told
        .filter((line) => line !== '')
        .slice(-5)
        .join('; ')}`,
    ]
  }
  const original = await contents(client)
  const found = differences(await contents(copy), original).map((line) => `copy, ${line}`)
  found.push(...differences(await contents(raw), original).map((line) => `raw, ${line}`))
  found.push(...(await otherNamespace(rawServer, other)).map((line) => `raw in the other namespace, ${line}`))
  found.push(
    ...copier.told.filter(
      (line) => line.startsWith('not copied') && !/not copied: (opaque|.*ERR no such key)/.test(line),
    ),
  )
  for (const one of [client, other, copy, raw]) one.close()
  return found
}

async function otherNamespace(rawServer: TestServer, original: RawClient): Promise<string[]> {
  const raw = await rawServer.connect()
  await raw.run('auth', 'token')
  return differences(await contents(raw), await contents(original))
}

test(`${ROUNDS} rounds of torture, seed ${SEED}: copies equal their source`, { timeout: 3_600_000 }, async (t) => {
  for (let number = 0; number < ROUNDS; number++) {
    const seed = SEED + number * 1000
    t.same(await round(seed), [], `seed ${seed}`)
  }
})
