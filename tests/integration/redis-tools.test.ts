/** Replicas of replicas, namespaces, and the tools that speak as a Redis replica. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import * as hashes from '../../src/types/hash.js'
import * as strings from '../../src/types/string.js'
import { eventually } from '../support/eventually.js'
import { RandomWrites, runWrites } from '../support/random-writes.js'
import { caughtUp, clientOf, fillLarge, sameContents, startReplica } from '../support/redis-replicas.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { startServer } from '../support/server.js'

const run = promisify(execFile)
const SLOW = { skip: REDIS_MISSING, timeout: 600_000 }

test('a replica of a replica follows', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const client = await s.connect()
  const writes = new RandomWrites(13)
  await runWrites(client, writes, 500)
  const replica = await startReplica(t, s, '--repl-diskless-sync-delay', '0')
  await caughtUp(s, replica)
  const second = await startRedisServer('--replicaof', '127.0.0.1', String(replica.port))
  t.teardown(second.stop)
  await runWrites(client, writes, 500)
  await caughtUp(s, second)
  await sameContents(t, clientOf(t, s), second.client, 'the second')
})

test('redis-cli --rdb writes a file that redis-server loads', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await runWrites(await s.connect(), new RandomWrites(17), 800)
  await fillLarge(s)
  const target = await startRedisServer()
  t.teardown(target.stop)
  const file = join(target.directory, 'copy.rdb')
  await run('redis-cli', ['-p', String(s.port), '--rdb', file], { timeout: 180_000 })
  const loaded = await startRedisServer('--dir', target.directory, '--dbfilename', 'copy.rdb')
  t.teardown(() => loaded.stop().catch(() => {}))
  await sameContents(t, clientOf(t, s), loaded.client, 'the file')
})

test('redis-cli --replica shows the commands', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await s.run('set', 'before', 1)
  const cli = spawn('redis-cli', ['-p', String(s.port), '--replica'])
  t.teardown(() => cli.kill())
  let shown = ''
  cli.stdout.on('data', (data) => {
    shown += data
  })
  await eventually(() =>
    s.server.replication.feeds.redis.feeds.some(({ state }) => state === 'online') ? true : undefined,
  )
  await s.run('set', 'k', 'v')
  await eventually(() => (shown.includes('\n') ? true : undefined))
  t.match(shown, /"SET","k","v"\n$/)
  cli.kill()
  await once(cli, 'close')
})

test('a reader without EOF is told the length of the file', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await s.run('set', 'k', 'v')
  const client = await s.connect()
  client.write('PSYNC ? -1\r\n')
  const received = await eventually(() =>
    client.pending.includes('select') || client.pending.includes('SELECT') ? client.pending : undefined,
  )
  const parts = /^\+FULLRESYNC [0-9a-f]{40} 0\r\n\n*\$(\d+)\r\n(REDIS.*)$/s.exec(received)
  t.ok(parts)
  const rest = parts?.[2] ?? ''
  t.equal(rest.slice(Number(parts?.[1])), '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n')
  await s.run('set', 'k', 'w')
  await eventually(() => (client.pending.endsWith('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nw\r\n') ? true : undefined))
})

test('what Redis has nothing like is said by what it has', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const farMs = Date.now() + 3_600_000
  await s.run('hset', 'h', 'f', 'v')
  await s.run('hpexpireat', 'h', farMs, 'fields', 1, 'f')
  const client = await s.connect()
  client.write('PSYNC ? -1\r\n')
  const late = request('HPEXPIREAT', 'h', String(farMs), 'FIELDS', '1', 'f')
  await eventually(() => (client.pending.endsWith(`${request('SELECT', '0')}${late}`) ? true : undefined))
  const sent = async (...words: (string | number)[]): Promise<string> => {
    const before = client.pending.length
    await s.run(...words)
    await s.run('set', 'end', 1)
    const end = request('SET', 'end', '1')
    await eventually(() => (client.pending.length > before && client.pending.endsWith(end) ? true : undefined))
    return client.pending.slice(before, -end.length)
  }
  const [multi, exec] = [request('MULTI'), request('EXEC')]
  t.equal(
    await sent('hpexpireat', 'h', farMs + 1, 'fields', 1, 'f'),
    `${multi}${request('DEL', 'h')}${request('HSET', 'h', 'f', 'v')}${request('HPEXPIREAT', 'h', String(farMs + 1), 'FIELDS', '1', 'f')}${exec}`,
  )
  t.equal(await sent('siadd', 'ints', 5), `${multi}${request('DEL', 'ints')}${request('SADD', 'ints', '5')}${exec}`)
  t.match(await sent('pfadd', 'log', 'x'), `${request('BITFIELD', 'log', 'INCRBY', 'u8', '#12303', '0')}`)
  t.equal(await sent('flushdb'), request('FLUSHDB'))
  t.equal(await sent('publish', 'channel', 'message'), request('PUBLISH', 'channel', 'message'))
})

test('a replica that says its version gets the RDB file of that version', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  for (const [version, magic] of [
    ['7.0.15', 'REDIS0010'],
    ['7.2.4', 'REDIS0011'],
    ['8.0.0', 'REDIS0012'],
  ] as const) {
    const client = await s.connect()
    t.equal(await client.run('replconf', 'version', version), '+OK\r\n')
    client.write('SYNC\r\n')
    t.ok(await eventually(() => (client.pending.includes(magic) ? true : undefined)), version)
    client.close()
  }
})

test('keys of a cluster are sent without their slots', { skip: REDIS_MISSING }, async (t) => {
  await using s = await startServer({ usesRealClock: true, config: { 'cluster-enabled': true } })
  const { defaultDatabase: db, store } = s.server
  const write = (value: string): void => {
    strings.write(db, Buffer.from('string'), Buffer.from(value))
    hashes.set(db, Buffer.from('hash'), [[Buffer.from('field'), Buffer.from(value)]])
    store.commit()
  }
  write('first')
  const replica = await startReplica(t, s)
  const read = async (): Promise<string> =>
    `${await replica.client.get('string')} ${await replica.client.hget('hash', 'field')}`
  await eventually(async () => ((await read()) === 'first first' ? true : undefined))
  write('second')
  await eventually(async () => ((await read()) === 'second second' ? true : undefined))
  t.same((await replica.client.keys('*')).sort(), ['hash', 'string'])
})

function request(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

test('a replica sees the keys of its own namespace alone', SLOW, async (t) => {
  await using s = await startServer({
    usesRealClock: true,
    config: { requirepass: 'root', 'repl-namespace-enabled': true },
  })
  const client = await s.connect()
  await client.run('auth', 'root')
  await client.run('namespace', 'add', 'ns', 'token')
  await client.run('set', 'other', 1)
  await client.run('auth', 'token')
  await client.run('set', 'mine', 1)
  const replica = await startReplica(t, s, '--masterauth', 'token')
  await eventually(async () => ((await replica.client.get('mine')) === '1' ? true : undefined))
  await client.run('set', 'mine', 2)
  await eventually(async () => ((await replica.client.get('mine')) === '2' ? true : undefined))
  await client.run('auth', 'root')
  await client.run('set', 'other', 2)
  await client.run('auth', 'token')
  await client.run('set', 'mine', 3)
  await eventually(async () => ((await replica.client.get('mine')) === '3' ? true : undefined))
  t.same(await replica.client.keys('*'), ['mine'])
})
