import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { RdbWriter } from '../../src/storage/rdb/file-writer.js'
import { createPayload } from '../../src/storage/rdb/payload.js'
import { deleteConsumerRow, openGroup, openStream } from '../../src/types/stream/rows.js'
import { eventually } from '../support/eventually.js'
import type { RawClient } from '../support/raw-client.js'
import { parseReply } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'
import { rdb } from './dump-fixture.js'

const OK = '+OK\r\n'
const BAD_PAYLOAD = '-ERR DUMP payload version or checksum are wrong\r\n'

/** The payload that DUMP gives, as bytes. */
async function dump(s: TestServer, key: string): Promise<Buffer> {
  const parsed = parseReply(Buffer.from(await s.run('dump', key), 'latin1'))
  return Buffer.from(parsed?.value as string, 'latin1')
}

test('DUMP and RESTORE bring every type back, byte for byte', async (t) => {
  await using s = await startServer()
  await s.run('set', 'string', 'v\0\xff')
  await s.run('hset', 'hash', 'f', '1', 'g', '')
  await s.run('rpush', 'list', 'b', 'a', 'b')
  await s.run('sadd', 'set', '1', '2', 'x')
  await s.run('zadd', 'zset', '1.5', 'a', '-inf', 'b')
  await s.run('setbit', 'bits', '9', '1')
  await s.run('pfadd', 'log', 'a', 'b', 'c')
  const reads = [
    ['get', 'string'],
    ['hgetall', 'hash'],
    ['lrange', 'list', '0', '-1'],
    ['smembers', 'set'],
    ['zrange', 'zset', '0', '-1', 'withscores'],
    ['getbit', 'bits', '9'],
    ['pfcount', 'log'],
  ] as const
  for (const [command, key, ...rest] of reads) {
    const before = await s.run(command, key, ...rest)
    const payload = await dump(s, key)
    t.equal(await s.run('restore', `${key}2`, '0', payload), OK, key)
    t.equal(await s.run(command, `${key}2`, ...rest), before, key)
    t.equal(await s.run('ttl', `${key}2`), ':-1\r\n')
  }
  t.equal(await s.run('type', 'log2'), '+hyperloglog\r\n')
  t.equal(await s.run('dump', 'absent'), '$-1\r\n')
})

test('RESTORE overwrites with REPLACE alone, and sets the expiry', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', 'a')
  const payload = await dump(s, 'l')
  t.equal(await s.run('restore', 'l', '0', payload), '-BUSYKEY Target key name already exists.\r\n')
  await s.run('set', 'k', 'v')
  t.equal(await s.run('restore', 'k', '5000', payload, 'replace'), OK)
  t.equal(await s.run('lrange', 'k', '0', '-1'), '*1\r\n$1\r\na\r\n')
  t.equal(await s.run('pttl', 'k'), ':5000\r\n')
  t.equal(await s.run('restore', 'k', '1700000009000', payload, 'ABSTTL', 'REPLACE'), OK)
  t.equal(await s.run('pttl', 'k'), ':9000\r\n')
  t.equal(await s.run('restore', 'k', '1699999999999', payload, 'absttl', 'replace', 'idletime', '7'), OK)
  t.equal(await s.run('exists', 'k'), ':0\r\n', 'a time that is over leaves no key')
  t.equal(await s.run('restore', 'k', '0', payload, 'freq', '255'), OK)
})

test('RESTORE refuses what makes no sense', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  const payload = await dump(s, 'k')
  t.equal(await s.run('restore', 'x', '-1', payload), '-ERR Invalid TTL value, must be >= 0\r\n')
  t.equal(await s.run('restore', 'x', 'y', payload), '-ERR value is not an integer or out of range\r\n')
  t.equal(await s.run('restore', 'x', '0', payload, 'foo'), '-ERR syntax error\r\n')
  t.equal(await s.run('restore', 'x', '0', payload, 'freq', '1', 'idletime', '1'), '-ERR syntax error\r\n')
  t.equal(await s.run('restore', 'x', '0', payload, 'idletime', '-1'), '-ERR Invalid IDLETIME value, must be >= 0\r\n')
  t.equal(
    await s.run('restore', 'x', '0', payload, 'freq', '256'),
    '-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n',
  )
  t.equal(await s.run('restore', 'x', '0', 'short'), BAD_PAYLOAD)
  const damaged = Buffer.from(payload)
  damaged[1] = (damaged[1] as number) ^ 1
  t.equal(await s.run('restore', 'x', '0', damaged), BAD_PAYLOAD)
  t.equal(await s.run('exists', 'x'), ':0\r\n')
  t.same(s.logged, [])
})

test('RESTORE leaves out hash fields whose time is over, and keeps the expiry of the others', async (t) => {
  await using s = await startServer()
  const payload = (expireMs: number): Buffer => {
    const entries: [Buffer, Buffer, number?][] = [
      [Buffer.from('f'), Buffer.from('1')],
      [Buffer.from('g'), Buffer.from('2'), expireMs],
    ]
    return createPayload({ type: 'hash', entries })
  }
  t.equal(await s.run('restore', 'h', '0', payload(1_600_000_000_000)), OK)
  t.equal(await s.run('hgetall', 'h'), '*2\r\n$1\r\nf\r\n$1\r\n1\r\n')
  t.equal(await s.run('restore', 'h', '0', payload(1_800_000_000_000), 'replace'), OK)
  t.equal(await s.run('hexpiretime', 'h', 'fields', '2', 'f', 'g'), '*2\r\n:-1\r\n:1800000000\r\n')
})

test('streams are dumped and restored with their groups', async (t) => {
  await using s = await startServer()
  await s.run('xadd', 'x', '1-1', 'f', 'v')
  await s.run('xgroup', 'create', 'x', 'g', '0')
  await s.run('xreadgroup', 'group', 'g', 'c', 'streams', 'x', '>')
  t.equal(await s.run('restore', 'y', '0', await dump(s, 'x')), OK)
  t.equal(await s.run('xrange', 'y', '-', '+'), await s.run('xrange', 'x', '-', '+'))
  t.equal(await s.run('xpending', 'y', 'g'), await s.run('xpending', 'x', 'g'))
})

test('entries that are pending for a consumer with the empty name are dumped; those without a consumer are not', async (t) => {
  await using s = await startServer()
  for (const id of [1, 2]) await s.run('xadd', 'x', id, 'f', 'v')
  await s.run('xgroup', 'create', 'x', 'g', '0')
  await s.run('xreadgroup', 'group', 'g', '', 'count', 1, 'streams', 'x', '>')
  await s.run('xreadgroup', 'group', 'g', 'c', 'streams', 'x', '>')
  t.equal(await s.run('restore', 'y', '0', await dump(s, 'x')), OK)
  const both = '*4\r\n:2\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n*2\r\n*2\r\n$0\r\n\r\n$1\r\n1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n'
  t.equal(await s.run('xpending', 'y', 'g'), both)
  const stream = openStream(s.server.defaultDatabase, Buffer.from('x'))
  const group = stream === undefined ? undefined : openGroup(stream, Buffer.from('g'))
  if (group === undefined) throw new Error('the group exists')
  deleteConsumerRow(group, Buffer.alloc(0))
  t.equal(await s.run('restore', 'y', '0', await dump(s, 'x'), 'replace'), OK)
  t.equal(await s.run('xpending', 'y', 'g'), '*4\r\n:1\r\n$3\r\n2-0\r\n$3\r\n2-0\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n')
})

test('RDB LOAD reads one database of a file that redis-server wrote', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'dump.rdb')
  writeFileSync(path, rdb)
  await using s = await startServer()
  await s.run('set', 's', 'mine')
  t.equal(await s.run('rdb', 'load', path, 'nx'), OK)
  t.equal(await s.run('get', 's'), '$4\r\nmine\r\n')
  t.equal(await s.run('lrange', 'l', '0', '-1'), '*2\r\n$1\r\na\r\n$1\r\nb\r\n')
  t.equal(await s.run('exists', 'other'), ':0\r\n')
  t.equal(await s.run('rdb', 'load', path), OK)
  t.equal(await s.run('get', 's'), '$5\r\nhello\r\n')
  t.equal(await s.run('hget', 'h', 'f'), '$1\r\nv\r\n')
  t.equal(await s.run('rdb', 'load', path, 'db', '1'), OK)
  t.equal(await s.run('get', 'other'), '$1\r\n1\r\n')
  writeFileSync(path, 'nonsense that is no RDB file')
  t.equal(await s.run('rdb', 'load', path), '-ERR Wrong signature trying to load DB from file\r\n')
  t.match(await s.run('rdb', 'load', join(directory, 'absent')), /^-ERR Can't read the RDB file: ENOENT/)
  t.match(await s.run('rdb', 'save', path), /^-ERR unknown subcommand 'save'/)
  t.same(s.logged, [])
})

interface SlowLoad {
  readonly loading: RawClient
  /** Gives the rest of the file, whose key `b` is yet to come. Waits for nothing that the load may wait for. */
  rest(): Promise<void>
}

/** A load that has got as far as key `a` of its file. */
async function slowLoad(t: Test, s: TestServer): Promise<SlowLoad> {
  const path = join(s.dir, 'pipe.rdb')
  execFileSync('mkfifo', [path])
  const loading = await s.connect()
  loading.send('rdb', 'load', path)
  const pipe: FileHandle = await open(path, 'w')
  t.teardown(() => pipe.close())
  const writer = new RdbWriter()
  writer.database(0)
  for (const key of ['a', 'b']) writer.entry(Buffer.from(key), { type: 'string', value: Buffer.from('v') }, undefined)
  const bytes = Buffer.concat([writer.take(), writer.end()])
  const half = bytes.indexOf('\0\x01b')
  await pipe.write(bytes.subarray(0, half))
  await eventually(async () => ((await s.run('exists', 'a')) === ':1\r\n' ? true : undefined))
  return {
    loading,
    async rest() {
      await pipe.write(bytes.subarray(half))
      await pipe.close()
    },
  }
}

test('RDB LOAD stops where the server has become a replica', async (t) => {
  await using s = await startServer()
  const { loading, rest } = await slowLoad(t, s)
  t.equal(await s.run('slaveof', '127.0.0.1', '1'), OK)
  await rest()
  t.equal((await loading.nextReply()).bytes, "-READONLY You can't write against a read only slave.\r\n")
  t.equal(await s.run('exists', 'b'), ':0\r\n')
  t.equal(await s.run('slaveof', 'no', 'one'), OK)
})

test('RDB LOAD waits while writes are paused', async (t) => {
  await using s = await startServer()
  const { loading, rest } = await slowLoad(t, s)
  t.equal(await s.run('client', 'pause', '100000', 'write'), OK)
  await rest()
  // More turns than a load needs.
  for (let i = 0; i < 300; i++) t.equal(await s.run('exists', 'b'), ':0\r\n')
  t.equal(await s.run('client', 'unpause'), OK)
  t.equal((await loading.nextReply()).bytes, OK)
  t.equal(await s.run('exists', 'b'), ':1\r\n')
})
