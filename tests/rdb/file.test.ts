import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { Crc64 } from '../../src/bytes/crc64.js'
import { type RdbEvent, type RdbFileOptions, RdbFileReader } from '../../src/storage/rdb/file-reader.js'
import { RdbWriter } from '../../src/storage/rdb/file-writer.js'
import { readPayload } from '../../src/storage/rdb/payload.js'
import { RdbError } from '../../src/storage/rdb/rdb-error.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { bytes, GOLDEN } from './golden.js'
import { describeValue } from './support.js'
import '../support/seed.js'

/** Adds the end and the checksum to the text of a file. */
function file(text: string): Buffer {
  const body = bytes(`${text} ff`)
  const whole = Buffer.concat([body, Buffer.alloc(8)])
  new Crc64().update(body).write(whole, body.length)
  return whole
}

async function* chunked(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
}

async function readAll(whole: Buffer, chunkBytes = whole.length, options?: RdbFileOptions): Promise<RdbEvent[]> {
  const events: RdbEvent[] = []
  for await (const event of new RdbFileReader(chunked(whole, chunkBytes), options).events()) events.push(event)
  return events
}

/** An event as plain text and numbers; undefined properties left out. */
function describeEvent(event: RdbEvent): unknown {
  if (event.kind !== 'part') {
    return JSON.parse(JSON.stringify(event, (_, value) => (value?.type === 'Buffer' ? latin1(value.data) : value)))
  }
  const { key, value, expireMs, idleSeconds, frequency, database, first, last } = event
  const attributes = { ...(expireMs !== undefined && { expireMs }), ...(idleSeconds !== undefined && { idleSeconds }) }
  const whole = first && last ? {} : { first, last }
  const described = { key: latin1(key), value: describeValue(value), ...attributes, ...whole }
  return { ...described, ...(frequency !== undefined && { frequency }), ...(database > 0 && { database }) }
}

function latin1(data: Uint8Array): string {
  return Buffer.from(data).toString('latin1')
}

async function fault(whole: Buffer, chunkBytes = whole.length): Promise<string> {
  try {
    await readAll(whole, chunkBytes)
    return 'none'
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    return error.fault
  }
}

const EVERYTHING = file(`"REDIS0012" fa 09 "redis-ver" 05 "7.0.0" fa 05 "ctime" c2 01000000
  f5 04 "code" f7 81 45e25238df912c03 02 02 01 07 00
  fe 00 fb 03 01 f4 05 06 07
  fd 05000000 00 01 "a" 01 "b"
  fc 8813000000000000 f8 4e20 01 02 "li" 02 01 "x" 01 "y"
  f3 01 12345678 02 05 00 f9 09 02 01 "s" 01 01 "m"
  fe 07 04 05 "empty" 00 00 01 "k" c0 05`)

const EVERYTHING_READ = [
  { kind: 'start', version: 12 },
  { kind: 'aux', name: 'redis-ver', value: '7.0.0' },
  { kind: 'aux', name: 'ctime', value: '1' },
  { kind: 'function', library: 'code' },
  { kind: 'module', name: 'ReJSON-RL' },
  { kind: 'database', index: 0 },
  { kind: 'size', keys: 3, expiring: 1 },
  { key: 'a', value: 'b', expireMs: 5000 },
  { key: 'li', value: ['x', 'y'], expireMs: 5000, idleSeconds: 3616 },
  { key: 's', value: ['m'], frequency: 9 },
  { kind: 'database', index: 7 },
  { key: 'k', value: '5', database: 7 },
]

test('a file is read the same in chunks of any size', async (t) => {
  for (const chunkBytes of [1, 2, 3, 7, 64, EVERYTHING.length]) {
    t.same((await readAll(EVERYTHING, chunkBytes)).map(describeEvent), EVERYTHING_READ, `${chunkBytes} bytes`)
  }
})

test('every form of every type is read from single bytes', async (t) => {
  for (const { name, payload, value } of GOLDEN) {
    const hex = payload.subarray(0, -10).toString('hex')
    const events = await readAll(file(`"REDIS0015" ${hex.slice(0, 2)} 01 "k" ${hex.slice(2)}`), 1)
    t.same(events.slice(1).map(describeEvent), [{ key: 'k', value }], name)
  }
})

test('a large collection comes in parts, of elements or of bytes, and each element once', async (t) => {
  const writer = new RdbWriter()
  const members = Array.from({ length: 25 }, (_, index) => Buffer.from(`member-${index}`))
  writer.entry(Buffer.from('set'), { type: 'set', members })
  const whole = writer.end()
  for (const options of [{ partElementsMax: 10 }, { partBytesMax: 10 * 9 }]) {
    const parts = (await readAll(whole, 5, options)).filter((event) => event.kind === 'part')
    t.same(
      parts.map(({ first, last }) => [first, last]),
      [[true, false], [false, false], [false, true]], // biome-ignore format: one row a property
    )
    const read = parts.flatMap(({ value }) => (value.type === 'set' ? value.members : []))
    t.same(read.map(latin1), members.map(latin1))
  }
})

test('a stream in parts has its state in the last', async (t) => {
  const writer = new RdbWriter()
  const id = (ms: number) => ({ ms, seq: 0 })
  const entry = (ms: number) => ({ id: id(ms), fields: [Buffer.from('f'), Buffer.from(`${ms}`)] })
  const state = { lastId: id(9), firstId: id(1), maxDeletedId: id(0), entriesAdded: 9, groups: [] }
  writer.stream(Buffer.from('x'), 3, 77)
  for (const node of [[1, 2], [3, 4], [5]]) writer.streamNode(node.map(entry))
  writer.streamEnd(5, state)
  const events = await readAll(writer.end(), 3, { partElementsMax: 4 })
  const entries = (...ids: number[]) => ids.map((ms) => [`${ms}-0`, 'f', `${ms}`])
  const described = { lastId: '9-0', firstId: '1-0', maxDeletedId: '0-0', entriesAdded: 9, groups: [] }
  t.same(events.slice(1).map(describeEvent), [
    { key: 'x', value: { entries: entries(1, 2, 3, 4), state: undefined }, expireMs: 77, first: true, last: false },
    { key: 'x', value: { entries: entries(5), state: described }, expireMs: 77, first: false, last: true },
  ])
})

test('bytes behind the file are left to the caller', async (t) => {
  const followed = Buffer.concat([EVERYTHING, Buffer.from('*1\r\n')])
  for (const chunkBytes of [EVERYTHING.length + 2, followed.length]) {
    const reader = new RdbFileReader(chunked(followed, chunkBytes))
    for await (const _ of reader.events());
    t.equal(reader.position, EVERYTHING.length)
    t.equal(latin1(reader.rest), '*1\r\n'.slice(0, chunkBytes - EVERYTHING.length))
  }
})

test('a file that is cut off anywhere is refused, and so is one that is not RDB', async (t) => {
  for (let length = 0; length < EVERYTHING.length; length++) {
    t.equal(await fault(EVERYTHING.subarray(0, length), 16), 'truncated', `${length} bytes`)
  }
  t.equal(await fault(Buffer.from('RUBIS0010\xff')), 'magic')
  t.equal(await fault(Buffer.from('REDIS00x0\xff')), 'version')
  t.equal(await fault(Buffer.from('REDIS0000\xff')), 'version')
  t.equal(await fault(Buffer.from('REDIS0016\xff')), 'version')
  t.equal(await fault(file('"REDIS0010" f6 00')), 'feature')
  t.equal(await fault(file('"REDIS0010" 63 01 "k"')), 'type')
})

test('the checksum decides at the end; versions below 5 have none, and zeros switch it off', async (t) => {
  const damaged = Buffer.from(EVERYTHING)
  damaged[damaged.length - 1]! ^= 1
  t.equal(await fault(damaged), 'checksum')
  damaged.fill(0, damaged.length - 8)
  t.equal(await fault(damaged), 'none')
  t.equal(await fault(bytes('"REDIS0004" 00 01 "a" 01 "b" ff')), 'none')
  t.equal(await fault(bytes('"REDIS0005" 00 01 "a" 01 "b" ff')), 'truncated')
})

test('a damaged file is read or refused, and nothing else happens', async (t) => {
  let refused = 0
  const mutation = fc.record({ at: fc.nat(EVERYTHING.length - 1), byte: fc.nat(255) })
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      const damaged = Buffer.from(EVERYTHING)
      for (const { at, byte } of mutations) damaged[at] = byte
      if ((await fault(damaged, 64)) !== 'none') refused++
    }),
    { numRuns: 3000 },
  )
  t.ok(refused > 2500)
})

test('the writer refuses calls out of order', async (t) => {
  const key = Buffer.from('k')
  const writer = new RdbWriter()
  writer.collection(key, 'list', 2)
  t.throws(() => writer.elements({ type: 'set', members: [key] }), TypeError)
  t.throws(() => writer.elements({ type: 'list', elements: [key, key, key] }), TypeError)
  writer.elements({ type: 'list', elements: [key] })
  t.throws(() => writer.end(), TypeError)
  t.throws(() => writer.entry(key, { type: 'string', value: key }), TypeError)
  writer.elements({ type: 'list', elements: [key] })
  t.throws(() => writer.entry(key, { type: 'hash', entries: [[key, key, 5]] }), RdbError)
  t.throws(() => writer.streamEnd(0, {} as never), TypeError)
})

test('redis-server loads what is written from what it saved', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer('--enable-debug-command', 'yes', '--set-max-intset-entries', '10')
  t.teardown(redis.stop)
  const { client } = redis
  await client.function('LOAD', '#!lua name=lib\nredis.register_function("f", function() return 1 end)')
  const numbers = Array.from({ length: 3000 }, (_, index) => String(index))
  await client.set('string', 'x'.repeat(1000), 'PXAT', 4_000_000_000_123)
  await client.rpush('list', ...numbers)
  await client.sadd('set', ...numbers)
  await client.hset('hash', ...numbers)
  await client.zadd('zset', ...numbers)
  for (const number of numbers.slice(0, 300)) await client.xadd('stream', '*', 'n', number)
  await client.xgroup('CREATE', 'stream', 'group', '0')
  await client.xreadgroup('GROUP', 'group', 'consumer', 'COUNT', 50, 'STREAMS', 'stream', '>')
  await client.select(3)
  await client.set('elsewhere', 'yes')
  const before = await client.debug('DIGEST')
  await client.save()

  const path = join(redis.directory, 'dump.rdb')
  await writeFile(path, await rewrite(createReadStream(path, { highWaterMark: 1000 })))
  await client.flushall()
  await client.function('FLUSH')
  t.equal(await client.call('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
  t.equal(await client.debug('DIGEST'), before)
  t.same(await client.fcall('f', 0), 1)
  await client.select(0)
  t.equal(await client.pexpiretime('string'), 4_000_000_000_123)
  t.same(describeValue(readPayload((await client.dumpBuffer('list'))!)), numbers)
})

/** Reads a file and writes it anew, in parts. */
async function rewrite(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const writer = new RdbWriter()
  const pieces: Buffer[] = []
  writer.aux('redis-ver', '7.0.0')
  const sizes = { list: 3000, set: 3000, hash: 1500, zset: 1500 }
  for await (const event of new RdbFileReader(source, { partElementsMax: 400 }).events()) {
    if (event.kind === 'function') writer.functionLibrary(event.library)
    if (event.kind === 'database') writer.database(event.index, 6, 1)
    if (event.kind !== 'part') continue
    const { key, value, expireMs, first, last } = event
    if (value.type === 'string' || value.type === 'module') writer.entry(key, value, expireMs)
    else if (value.type === 'stream') {
      if (first) writer.stream(key, 300, expireMs)
      for (const entry of value.entries) writer.streamNode([entry])
      if (last) writer.streamEnd(300, value.state!)
    } else {
      if (first) writer.collection(key, value.type, sizes[value.type], expireMs)
      writer.elements(value)
    }
    pieces.push(writer.take())
  }
  return Buffer.concat([...pieces, writer.end()])
}
