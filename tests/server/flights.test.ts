/** Turns that RocksDB commits on a thread of its own while the next one runs. */

import { test } from 'tap'
import { RocksDBError } from '../../src/rocksdb/errors.js'
import { startServer, type TestServer } from '../support/server.js'

const REFUSED = '-MISCONF the database cannot be written: no space\r\n'

interface Tower {
  /** Turns that took off. */
  readonly flights: number
  /** Lets the flight under way end, well or not. */
  land(failure?: Error): void
  /** Lets the flight under way fail as soon as somebody waits for it. */
  failNext(failure: Error): void
}

/** Keeps flights in the air until the test lets them land. */
function controlFlights(s: TestServer): Tower {
  const { rocks } = s.server.store
  let flights = 0
  let failure: Error | undefined
  let batch = Buffer.alloc(0)
  let flags = 0
  let isFlying = false
  Object.assign(rocks, {
    beginWrite(bytes: Buffer, length: number, writeFlags: number) {
      flights++
      isFlying = true
      batch = Buffer.from(bytes.subarray(0, length))
      flags = writeFlags
    },
    hasWritten: () => !isFlying,
    endWrite() {
      isFlying = false
      const thrown = failure
      failure = undefined
      if (thrown !== undefined) throw thrown
      rocks.write(batch, batch.length, flags)
    },
  })
  return {
    get flights() {
      return flights
    },
    land(reason) {
      failure = reason
      isFlying = false
      rocks.writtenListener?.()
    },
    failNext(reason) {
      failure = reason
    },
  }
}

/** Lets `count` more writes succeed, and none after them. */
function failWritesAfter(s: TestServer, count: number): void {
  const { rocks } = s.server.store
  const write = rocks.write.bind(rocks)
  let left = count
  Object.assign(rocks, {
    write(batch: Buffer, length: number, flags: number) {
      if (left-- <= 0) throw NO_SPACE
      write(batch, length, flags)
    },
  })
}

const NO_SPACE = new RocksDBError('IOError', 'NoSpace', 'none', true, 'no space')

function sets(count: number, value: string): string {
  return Array.from({ length: count }, (_, index) => `SET k${index} ${value}\r\n`).join('')
}

/** Gives the server's loop time to read what was sent. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done))
}

test('no reply of a flying turn, nor of one that saw it, leaves before it has landed', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  const tower = controlFlights(s)
  writer.write(sets(64, 'v'))
  await turns()
  t.equal(tower.flights, 1)
  reader.write('GET k63\r\nPING\r\n')
  writer.write('GET k0\r\n')
  await turns()
  t.equal(writer.pending + reader.pending, '')
  tower.land()
  for (let i = 0; i < 64; i++) t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.equal((await writer.nextReply()).bytes, '$1\r\nv\r\n')
  t.equal((await reader.nextReply()).bytes, '$1\r\nv\r\n')
  t.equal((await reader.nextReply()).bytes, '+PONG\r\n')
})

test('a flight that fails refuses its writes and all that was built on them, and nothing before', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  await writer.run('set', 'k0', 'old')
  const tower = controlFlights(s)
  writer.write(`GET k0\r\n${sets(64, 'new')}`)
  await turns()
  reader.write('GET k0\r\nSET other 1\r\n')
  await turns()
  tower.land(NO_SPACE)
  t.equal((await writer.nextReply()).bytes, '$3\r\nold\r\n')
  for (let i = 0; i < 64; i++) t.equal((await writer.nextReply()).bytes, REFUSED)
  t.equal((await reader.nextReply()).bytes, REFUSED)
  t.equal((await reader.nextReply()).bytes, REFUSED)
  t.equal(await reader.run('get', 'k0'), '$3\r\nold\r\n')
  t.equal(await reader.run('get', 'other'), '$-1\r\n')
  t.equal(await reader.run('ping'), '+PONG\r\n')
  t.equal(await reader.run('keys', '*'), '*1\r\n$2\r\nk0\r\n')
  t.equal(await reader.run('set', 'x', '1'), REFUSED)
  t.ok(await s.server.store.recover())
  t.equal(await reader.run('set', 'x', '1'), '+OK\r\n')
})

test('a command that has to wait for a flight that fails is refused with it', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  const tower = controlFlights(s)
  writer.write(sets(64, 'new'))
  await turns()
  t.equal(tower.flights, 1)
  Object.assign(s.server.store.rocks, {
    endWrite() {
      throw NO_SPACE
    },
  })
  reader.write('SET other 1\r\nKEYS *\r\nPING\r\n')
  for (let i = 0; i < 64; i++) t.equal((await writer.nextReply()).bytes, REFUSED)
  t.equal((await reader.nextReply()).bytes, REFUSED)
  t.equal((await reader.nextReply()).bytes, REFUSED)
  t.equal((await reader.nextReply()).bytes, '+PONG\r\n')
  s.server.store.rocks.writtenListener?.()
  t.equal(await reader.run('exists', 'k1', 'other'), ':0\r\n')
})

test('commands see the rows of every type that a flying turn wrote', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  const tower = controlFlights(s)
  const members = Array.from({ length: 40 }, (_, index) => `m${index}`)
  writer.write(
    `HSET h ${members.join(' ')}\r\nRPUSH l ${members.join(' ')}\r\nSADD s ${members.join(' ')}\r\nSET k v\r\nDEL k\r\n`,
  )
  await turns()
  t.equal(tower.flights, 1)
  reader.write(
    'HGET h m0\r\nHMGET h m2 m4\r\nLINDEX l 39\r\nSISMEMBER s m7\r\nMGET k l\r\nHSET h m0 new\r\nHGET h m0\r\nDBSIZE\r\n',
  )
  await turns()
  tower.land()
  const expected = [
    '$2\r\nm1\r\n',
    '*2\r\n$2\r\nm3\r\n$2\r\nm5\r\n',
    '$3\r\nm39\r\n',
    ':1\r\n',
    '*2\r\n$-1\r\n$-1\r\n',
    ':0\r\n',
    '$3\r\nnew\r\n',
  ]
  for (const reply of expected) t.equal((await reader.nextReply()).bytes, reply)
})

/** Clients that track keys, wait and watch, and a writer. */
async function observers(s: TestServer) {
  const all = { writer: await s.connect(), cache: await s.connect(), caches: await s.connect() }
  const waiting = { waiter: await s.connect(), watcher: await s.connect() }
  await s.run('set', 'k63', 'old')
  for (const client of [all.cache, all.caches]) await client.run('hello', 3)
  await all.cache.run('client', 'tracking', 'on')
  for (const key of ['k63', 'other']) await all.cache.run('get', key)
  await all.caches.run('client', 'tracking', 'on', 'bcast', 'prefix', 'k6')
  await waiting.watcher.run('watch', 'k1')
  waiting.waiter.send('blpop', 'list', 0)
  while (s.server.clients.blockedCount === 0) await turns()
  return { ...all, ...waiting }
}

test('a turn flies with what it tells those who track, wait for and watch its keys', async (t) => {
  await using s = await startServer()
  const { writer, cache, caches, waiter, watcher } = await observers(s)
  const tower = controlFlights(s)
  writer.write(`${sets(64, 'new')}RPUSH list a\r\n`)
  await turns()
  t.equal(tower.flights, 1)
  watcher.write('MULTI\r\nGET k1\r\nEXEC\r\n')
  await turns()
  for (const client of [writer, cache, caches, waiter, watcher]) t.equal(client.pending, '')
  tower.land()
  t.equal((await cache.nextReply()).bytes, '>2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nk63\r\n')
  t.same((await caches.nextReply()).value, ['invalidate', ['k6', 'k60', 'k61', 'k62', 'k63']])
  t.equal((await waiter.nextReply()).bytes, '*2\r\n$4\r\nlist\r\n$1\r\na\r\n')
  for (const reply of ['+OK\r\n', '+QUEUED\r\n', '*-1\r\n']) t.equal((await watcher.nextReply()).bytes, reply)
  for (let i = 0; i < 64; i++) t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.equal((await writer.nextReply()).bytes, ':1\r\n')
  t.equal(await cache.run('get', 'other'), '_\r\n')
})

test('a flight that fails serves nobody who waited, and has those who track keys forget all', async (t) => {
  await using s = await startServer()
  const { writer, cache, caches, waiter } = await observers(s)
  const tower = controlFlights(s)
  writer.write(`${sets(64, 'new')}RPUSH list a\r\n`)
  await turns()
  cache.write('GET k63\r\n')
  await turns()
  t.equal(tower.flights, 1)
  tower.land(NO_SPACE)
  for (let i = 0; i < 65; i++) t.equal((await writer.nextReply()).bytes, REFUSED)
  t.equal((await waiter.nextReply()).bytes, REFUSED)
  const told: string[] = []
  while (!told.includes('>2\r\n$10\r\ninvalidate\r\n_\r\n')) told.push((await cache.nextReply()).bytes)
  t.ok(told.includes(REFUSED), 'its answer tells of what is not there')
  while ((await caches.nextReply()).bytes !== '>2\r\n$10\r\ninvalidate\r\n_\r\n') {}
  t.equal(await cache.run('get', 'k63'), '$3\r\nold\r\n')
  t.equal(await cache.run('exists', 'list'), ':0\r\n')
})

test('a client that goes away, and a server that closes, leave no write of a flight behind', async (t) => {
  const first = await startServer()
  const { dir } = first
  const gone = await first.connect()
  controlFlights(first)
  gone.write(`${sets(64, 'v')}`)
  await turns()
  gone.close()
  await turns()
  const { rocks, turn } = first.server.store
  t.equal(turn.isFlying, true)
  t.equal(rocks.hasWritten(), false)
  await first.server.close()
  await using second = await startServer({ dir })
  t.equal(await second.run('get', 'k63'), '$1\r\nv\r\n')
})

test('a command that is taken back uncovers what a flying turn wrote, not what is stored', async (t) => {
  await using s = await startServer({ config: { 'rocksdb.write_options.write_batch_max_bytes': 200 } })
  const [writer, reader] = [await s.connect(), await s.connect()]
  await writer.run('set', 'k0', 'old')
  const tower = controlFlights(s)
  writer.write(sets(64, 'new'))
  await turns()
  t.equal(tower.flights, 1)
  reader.write(`SET k0 ${'x'.repeat(300)}\r\nGET k0\r\n`)
  await turns()
  tower.land()
  t.match((await reader.nextReply()).bytes, /^-ERR /)
  t.equal((await reader.nextReply()).bytes, '$3\r\nnew\r\n')
  t.equal(await reader.run('get', 'k0'), '$3\r\nnew\r\n')
})

test('a transaction and a script that have to wait for a flight that fails are refused whole', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  const script = "redis.call('set', KEYS[1], 1); redis.pcall('keys', '*'); return redis.pcall('set', KEYS[2], 1)"
  for (const request of [
    'MULTI\r\nSET x 1\r\nKEYS *\r\nSET y 1\r\nEXEC\r\nPING\r\n',
    `GET x\r\nMULTI\r\nSET x 1\r\nKEYS *\r\nSET y 1\r\nEXEC\r\nPING\r\n`,
    `EVAL "${script}" 2 x y\r\nPING\r\n`,
    `GET x\r\nEVAL "${script}" 2 x y\r\nPING\r\n`,
  ]) {
    const tower = controlFlights(s)
    writer.write(sets(64, 'new'))
    await turns()
    t.equal(tower.flights, 1)
    tower.failNext(NO_SPACE)
    reader.write(request)
    for (let i = 0; i < 64; i++) t.equal((await writer.nextReply()).bytes, REFUSED)
    const replies: string[] = []
    for (let i = 0; i < request.split('\r\n').length - 1; i++) replies.push((await reader.nextReply()).bytes)
    t.ok(
      replies.every((reply) => reply === REFUSED),
      replies.join(''),
    )
    t.ok(await s.server.store.recover())
    t.equal(await reader.run('exists', 'x', 'y', 'k1'), ':0\r\n')
    t.equal(await reader.run('ping'), '+PONG\r\n')
  }
})

test('replies between a flight that landed and a write that fails are refused one by one', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  controlFlights(s)
  writer.write(sets(64, 'v'))
  await turns()
  failWritesAfter(s, 1)
  reader.write('GET k0\r\nDBSIZE\r\nKEYS none\r\nPING\r\nSET other 1\r\n')
  for (let i = 0; i < 64; i++) t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  for (let i = 0; i < 5; i++) t.equal((await reader.nextReply()).bytes, REFUSED)
  t.ok(await s.server.store.recover())
  t.equal(await reader.run('exists', 'k0', 'other'), ':1\r\n')
})

test('the stream of a replica begins after the replies that wait for a flight', async (t) => {
  await using s = await startServer()
  const [writer, replica] = [await s.connect(), await s.connect()]
  await writer.run('set', 'a', '1')
  const tower = controlFlights(s)
  replica.write('PING\r\nPSYNC 1\r\n')
  writer.write(sets(64, 'v'))
  await turns()
  t.equal(tower.flights, 1)
  tower.land()
  t.equal((await replica.nextReply()).bytes, '+PONG\r\n')
  t.equal((await replica.nextReply()).bytes, '+OK\r\n')
  t.match((await replica.nextReply()).bytes, /^\$\d+\r\n/)
})
