/** Runs transcripts against this server, and against Redis where it speaks of the same: what they expect is true there. */

import { setImmediate } from 'node:timers/promises'
import { type Test, test } from 'tap'
import type { ConfigValues } from '../../src/index.js'
import { RawClient } from './raw-client.js'
import { REDIS_MISSING, REDIS_VERSION, startRedisServer } from './redis-server.js'
import { startServer } from './server.js'
import { parseTranscript, renderReply, type Step, sortedReply, WAITS } from './transcript.js'

export interface TranscriptOptions {
  /** Each transcript is run with each of these. */
  readonly configs?: readonly Partial<ConfigValues>[]
  /** Why no transcript is run with Redis. */
  readonly withoutRedis?: string
}

/** Transactions seen by one context or by many: a setting of Kvrocks that no client may notice. */
export const TXN_CONTEXTS: readonly Partial<ConfigValues>[] = [
  { 'txn-context-enabled': false },
  { 'txn-context-enabled': true },
]

/** Those, each also where HELLO 3 is not understood. */
export const TXN_CONTEXTS_AND_RESP3: readonly Partial<ConfigValues>[] = TXN_CONTEXTS.flatMap((config) => [
  config,
  { ...config, 'resp3-enabled': false },
])

/** Cursors of SCAN and its kin as numbers, and as the names of keys and elements. */
export const CURSORS: readonly Partial<ConfigValues>[] = [
  { 'redis-cursor-compatible': true },
  { 'redis-cursor-compatible': false },
]

/** A comment in a transcript that speaks of this server alone. */
const NOT_IN_REDIS = /^ *# Not in Redis/m

/** What a transcript is run against. */
interface Subject {
  readonly protocol: 2 | 3
  readonly isRedis: boolean
  connect(): Promise<RawClient>
  advance(ms: number): void
  blockedCount(): Promise<number>
}

/** Declares a test for each protocol and configuration, and in it one for each transcript, by name. */
export function transcripts(title: string, options: TranscriptOptions, texts: Readonly<Record<string, string>>): void {
  for (const config of options.configs ?? [{}]) {
    for (const protocol of config['resp3-enabled'] === false ? ([2] as const) : ([2, 3] as const)) {
      const settings = Object.entries(config).map(([name, value]) => `, ${name} ${String(value)}`)
      test(`${title}, RESP${protocol}${settings.join('')}`, (t) => runHere(t, protocol, config, texts))
    }
  }
  const common = Object.entries(texts).filter(([, text]) => !NOT_IN_REDIS.test(text) && !/ pass(?:es)?\)$/m.test(text))
  if (options.withoutRedis !== undefined || common.length === 0) return
  const skip =
    REDIS_MISSING || (REDIS_VERSION.startsWith('7.0.') ? false : 'the transcripts tell the replies of Redis 7.0')
  for (const protocol of [2, 3] as const) {
    test(`${title}, redis-server with RESP${protocol}`, { skip }, (t) =>
      runInRedis(t, protocol, Object.fromEntries(common)),
    )
  }
}

async function runHere(
  t: Test,
  protocol: 2 | 3,
  config: Partial<ConfigValues>,
  texts: Readonly<Record<string, string>>,
) {
  await using server = await startServer({ config })
  const subject: Subject = {
    protocol,
    isRedis: false,
    connect: () => server.connect(),
    advance: (ms) => server.advance(ms),
    blockedCount: async () => server.server.clients.blockedCount,
  }
  for (const [name, text] of Object.entries(texts)) await t.test(name, (one) => runTranscript(one, subject, text))
  t.same(server.logged, [])
}

async function runInRedis(t: Test, protocol: 2 | 3, texts: Readonly<Record<string, string>>) {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  const subject: Subject = {
    protocol,
    isRedis: true,
    connect: () => RawClient.connect(redis.port),
    advance: () => {
      throw new Error('no clock of Redis can be moved')
    },
    blockedCount: async () => Number(/blocked_clients:(\d+)/.exec(await redis.client.info('clients'))?.[1]),
  }
  for (const [name, text] of Object.entries(texts)) await t.test(name, (one) => runTranscript(one, subject, text))
}

async function runTranscript(t: Test, subject: Subject, text: string): Promise<void> {
  const clients = new Map<string, RawClient>()
  let passedMs = 0
  const clientOf = async (name: string): Promise<RawClient> => {
    const known = clients.get(name)
    if (known !== undefined) return known
    const client = await subject.connect()
    if (subject.protocol === 3) await client.run('hello', 3)
    clients.set(name, client)
    return client
  }
  await (await clientOf('')).run('flushall')
  try {
    for (const step of parseTranscript(text)) {
      if (step.kind === 'time') {
        passedMs += step.ms
        subject.advance(step.ms)
      } else await runStep(t, subject, await clientOf(step.client), step)
    }
  } finally {
    for (const client of clients.values()) client.close()
    if (passedMs > 0) subject.advance(-passedMs)
  }
}

type Command = Extract<Step, { kind: 'command' }>

async function runStep(t: Test, subject: Subject, client: RawClient, step: Command): Promise<void> {
  const expected = subject.protocol === 2 ? step.resp2 : step.resp3
  if (expected === WAITS) {
    const blockedBefore = await subject.blockedCount()
    client.send(...step.words)
    while ((await subject.blockedCount()) <= blockedBefore && client.pending === '') await setImmediate()
    t.equal(client.pending, '', step.line)
    return
  }
  if (step.words.length > 0) client.send(...step.words)
  const reply = renderReply((await client.nextReply()).bytes)
  if (subject.isRedis) compareInRedis(t, reply, step, expected)
  else if (typeof expected === 'string') t.equal(reply, expected, step.line)
  else t.match(reply, expected, step.line)
}

/** Commands whose replies are in byte order here, and in that of hash tables in Redis. */
const UNORDERED = /^(?:h(?:keys|vals|getall)|smembers|keys|s(?:inter|union|diff))$/i

/** How much later than meant a time to live may be read, in its unit: the machine may be busy, and the clock is real. */
const LATE_MAX: Readonly<Record<string, number>> = { ttl: 2, pttl: 2000 }

function isLate(reply: string, step: Command, expected: string): boolean {
  const late = Number(expected) - Number(reply)
  return Number(reply) >= 0 && late > 0 && late <= (LATE_MAX[String(step.words[0]).toLowerCase()] ?? 0)
}

function compareInRedis(t: Test, reply: string, step: Command, expected: string | RegExp): void {
  const { redis = expected } = step
  if (redis === '*') return
  if (typeof redis !== 'string') t.match(reply, redis, step.line)
  else if (isLate(reply, step, redis)) t.pass(step.line)
  else if (UNORDERED.test(String(step.words[0]))) t.equal(sortedReply(reply), sortedReply(redis), step.line)
  else t.equal(reply, redis, step.line)
}
