/** Masters and replicas of one test: writes of all families, waiting for the link, comparing all keys. */

import type { Test } from 'tap'
import type { Server } from '../../src/index.js'
import type { LinkDelays } from '../../src/replication/replica.js'
import { eventually } from './eventually.js'
import type { RawClient } from './raw-client.js'
import { startServer, type TestServer, type TestServerOptions } from './server.js'

/** Delays that a test can wait for. */
export const SHORT_DELAYS: LinkDelays = {
  reconnectMs: 20,
  restartMs: 50,
  fullSyncMs: 50,
  fullSyncMsMax: 400,
  steadyMs: 60_000,
}

export async function startNode(options: TestServerOptions = {}): Promise<TestServer> {
  const node = await startServer({ usesRealClock: true, ...options })
  node.server.replication.delays = SHORT_DELAYS
  return node
}

/** One field of INFO; undefined if it is not there. */
export async function infoField(client: { run: RawClient['run'] }, name: string): Promise<string | undefined> {
  const text = await client.run('info')
  return new RegExp(`^${name}:(.*)\r$`, 'm').exec(text)?.[1]
}

export async function follow(replica: TestServer, master: TestServer): Promise<void> {
  const reply = await replica.run('slaveof', '127.0.0.1', master.port)
  if (reply !== '+OK\r\n') throw new Error(reply)
}

/** Waits until the replica's link is up and it has all that the master has. */
export async function caughtUp(replica: TestServer, master: TestServer): Promise<void> {
  await eventually(() => {
    const isUp = replica.server.replication.linkState === 'connected'
    return isUp && sequenceOf(replica.server) === sequenceOf(master.server) ? true : undefined
  })
}

export function sequenceOf(server: Server): number {
  return server.store.latestSequence()
}

/** What a client can learn of each key: its DUMP and its expiry, by the key. */
export async function allKeys(client: {
  run: RawClient['run']
  value?: RawClient['value']
}): Promise<Map<string, string>> {
  const keys = new Map<string, string>()
  let cursor = '0'
  do {
    const reply = await client.run('scan', cursor, 'count', 1000)
    const [, next, words] = /^\*2\r\n\$\d+\r\n(.*?)\r\n\*\d+\r\n([\s\S]*)$/.exec(reply) ?? []
    cursor = next ?? '0'
    for (const key of bulksOf(words ?? '')) {
      const bytes = Buffer.from(key, 'latin1')
      keys.set(key, `${await client.run('pexpiretime', bytes)}${await client.run('dump', bytes)}`)
    }
  } while (cursor !== '0')
  return keys
}

function bulksOf(reply: string): string[] {
  const words: string[] = []
  for (let at = 0; at < reply.length; ) {
    const end = reply.indexOf('\r\n', at)
    const length = Number(reply.slice(at + 1, end))
    words.push(reply.slice(end + 2, end + 2 + length))
    at = end + 2 + length + 2
  }
  return words
}

/** Writes keys of all types, and changes them; `tag` tells the keys of one call from those of another. */
export async function writeAllFamilies(client: RawClient, tag: string): Promise<void> {
  const commands: (string | number)[][] = [
    ['set', `${tag}:string`, 'v'],
    ['set', `${tag}:expiring`, 'v', 'px', 3_600_000],
    ['append', `${tag}:string`, 'more'],
    ['incrby', `${tag}:counter`, 42],
    ['mset', `${tag}:m1`, 1, `${tag}:m2`, 2],
    ['hset', `${tag}:hash`, 'f', 'v', 'g', 'w'],
    ['hdel', `${tag}:hash`, 'g'],
    ['hexpire', `${tag}:hash`, 3600, 'FIELDS', 1, 'f'],
    ['rpush', `${tag}:list`, 'a', 'b', 'c', 'd'],
    ['lset', `${tag}:list`, 1, 'B'],
    ['linsert', `${tag}:list`, 'before', 'c', 'x'],
    ['lpop', `${tag}:list`],
    ['lmove', `${tag}:list`, `${tag}:list2`, 'left', 'right'],
    ['sadd', `${tag}:set`, 'a', 'b', 'c'],
    ['srem', `${tag}:set`, 'b'],
    ['zadd', `${tag}:zset`, 1.5, 'a', 2, 'b', 3, 'c'],
    ['zincrby', `${tag}:zset`, 5, 'a'],
    ['zrem', `${tag}:zset`, 'b'],
    ['geoadd', `${tag}:geo`, 13.361389, 38.115556, 'Palermo'],
    ['setbit', `${tag}:bitmap`, 70000, 1],
    ['bitfield', `${tag}:bitfield`, 'set', 'u8', 8, 200],
    ['pfadd', `${tag}:hll`, 'a', 'b', 'c'],
    ['siadd', `${tag}:sorted`, 1, 5, 3],
    ['xadd', `${tag}:stream`, '1-1', 'f', 'v'],
    ['xadd', `${tag}:stream`, '2-1', 'f', 'w'],
    ['xgroup', 'create', `${tag}:stream`, 'group', 0],
    ['xreadgroup', 'group', 'group', 'reader', 'count', 1, 'streams', `${tag}:stream`, '>'],
    ['xdel', `${tag}:stream`, '1-1'],
    ['rename', `${tag}:m1`, `${tag}:renamed`],
    ['copy', `${tag}:hash`, `${tag}:copied`],
    ['del', `${tag}:m2`],
    ['expire', `${tag}:set`, 5000],
    ['multi'],
    ['set', `${tag}:tx1`, 1],
    ['rpush', `${tag}:tx2`, 1],
    ['exec'],
    ['eval', `redis.call('set', KEYS[1], 'by script') return redis.call('incr', KEYS[2])`, 2, `${tag}:s1`, `${tag}:s2`],
  ]
  for (const words of commands) {
    const reply = await client.run(...words)
    if (reply.startsWith('-')) throw new Error(`${words.join(' ')}: ${reply}`)
  }
}

/** The replicas come to have the same keys as the master, and the same sequence. */
export async function assertEqual(t: Test, master: TestServer, ...replicas: TestServer[]): Promise<void> {
  const expected = await allKeys(await master.connect())
  t.ok(expected.size > 0)
  for (const replica of replicas) {
    await caughtUp(replica, master)
    t.strictSame(await allKeys(await replica.connect()), expected)
    t.equal(sequenceOf(replica.server), sequenceOf(master.server))
  }
}

const ONE_MIB = 1 << 20

/** Has the log forget all that lies in files, so that a partial sync is possible no longer. */
export async function forgetLog(node: TestServer): Promise<void> {
  const client = await node.connect()
  for (let i = 0; i < 2; i++) {
    await client.run('set', 'padding', Buffer.alloc(ONE_MIB, i))
    await node.server.store.rocks.flush()
  }
  node.server.store.retention.prune(Date.now())
  await node.server.store.retention.settled()
}

/** For a log that is not kept longer than RocksDB needs it. */
export const NO_LOG = { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 }
