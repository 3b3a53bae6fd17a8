import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { DEFAULT_NAMESPACE } from '../../src/storage/keys.js'
import { eventually } from '../support/eventually.js'
import { archived, archiveOne, NO_ARCHIVE } from '../support/logged-writes.js'
import type { RawClient } from '../support/raw-client.js'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type TestServer, type TestServerOptions } from '../support/server.js'

/** A server that prunes the log and saves slots when it is told so, not by the clock. */
async function start(options?: TestServerOptions): Promise<TestServer> {
  const s = await startServer(options)
  s.server.cron.stop()
  return s
}

/** What CDC SLOT INFO says, by name. */
async function info(client: RawClient, ...words: string[]): Promise<Record<string, ReplyValue>> {
  const reply = await client.value('cdc', 'slot', 'info', ...words)
  if (!Array.isArray(reply)) throw new Error(JSON.stringify(reply))
  return Object.fromEntries(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1]]] : [])))
}

/** The changes of a poll, and where it goes on. */
async function poll(client: RawClient, ...words: (string | number)[]): Promise<{ next: number; commands: string[] }> {
  const reply = await client.value('pollupdates', ...words, 'format', 'json')
  if (!Array.isArray(reply)) throw new Error(JSON.stringify(reply))
  const commands = (reply[5] as string[]).map((text) => JSON.parse(text).command.join(' '))
  return { next: reply[1] as number, commands }
}

function prune(s: TestServer): void {
  s.server.store.retention.prune(s.server.nowMs())
}

function temporaryDirectory(t: { teardown(work: () => void): unknown }): string {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

test('a slot is read from its position, which the next poll or ACK moves on', async (t) => {
  await using s = await start()
  const client = await s.connect()
  await client.run('set', 'a', 1)
  t.equal(await client.run('cdc', 'slot', 'create', 'orders'), ':1\r\n')
  t.equal(await client.run('cdc', 'slot', 'create', 'all', 'at', 0), ':0\r\n')
  t.equal(await client.run('cdc', 'slot', 'create', 'oldest', 'at', 'oldest'), ':0\r\n')
  await client.run('set', 'a', 2)
  await client.run('set', 'a', 3)
  t.same(await poll(client, '>', 'slot', 'orders', 'max', 1), { next: 2, commands: ['SET a 2'] })
  t.same(await poll(client, '>', 'slot', 'orders'), { next: 3, commands: ['SET a 2', 'SET a 3'] })
  t.same(await poll(client, 2, 'slot', 'orders'), { next: 3, commands: ['SET a 3'] })
  t.equal((await info(client, 'orders'))['position'], 2)
  t.same(await poll(client, 1, 'slot', 'orders'), { next: 3, commands: ['SET a 2', 'SET a 3'] })
  t.equal((await info(client, 'orders'))['position'], 2, 'reading again does not move it back')
  t.equal(await client.run('cdc', 'slot', 'ack', 'orders', 3), '+OK\r\n')
  t.equal(await client.run('cdc', 'slot', 'ack', 'orders', 3), '+OK\r\n')
  t.same(await poll(client, '>', 'slot', 'orders'), { next: 3, commands: [] })
  t.same((await poll(client, '>', 'slot', 'all')).commands, ['SET a 1', 'SET a 2', 'SET a 3'])
})

test('a slot begins at a time, to the second', async (t) => {
  await using s = await start()
  const client = await s.connect()
  const before = s.server.nowMs()
  for (let i = 1; i <= 3; i++) {
    s.advance(10_000)
    await client.run('set', 'a', i)
    s.server.sequenceTimes.note(s.server.store.latestSequence(), s.server.nowMs())
  }
  t.equal(await client.run('cdc', 'slot', 'create', 'a', 'at', 'time', before + 15_000), ':1\r\n')
  t.equal(await client.run('cdc', 'slot', 'create', 'b', 'at', 'time', before + 60_000), ':3\r\n')
  t.match(await client.run('cdc', 'slot', 'create', 'c', 'at', 'time', before - 1), /^-WALGAP that time is before /)
})

test('a slot is read as whole batches too', async (t) => {
  await using s = await start()
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'raw')
  await client.run('mset', 'a', 1, 'b', 2)
  const reply = (await client.value('pollupdates', '>', 'slot', 'raw')) as ReplyValue[]
  t.same([reply[1], (reply[5] as string[]).length], [2, 1])
  const again = (await client.value('pollupdates', 1, 'slot', 'raw', 'format', 'resp')) as ReplyValue[]
  t.same(again[5], [
    'default',
    [
      ['SET', 'a', '1'],
      ['SET', 'b', '2'],
    ],
  ])
})

test('CDC SLOT refuses what makes no sense', async (t) => {
  await using s = await start({ config: { 'cdc-slot-max-bytes': 1000, 'cdc-slot-max-age': 60, 'cdc-slots-max': 2 } })
  const client = await s.connect()
  await client.run('set', 'a', 1)
  await client.run('set', 'a', 2)
  await client.run('cdc', 'slot', 'create', 'a')
  const cases: [string, string][] = [
    ['create a', 'SLOTEXISTS the slot already exists'],
    ['create', 'ERR syntax error'],
    ['create a/b', 'ERR a slot name is 1 to 64 letters, digits, dots, colons, hyphens and underscores'],
    ['create b at 3', 'ERR next sequence is out of range'],
    ['create b at soon', 'ERR value is not an integer or out of range'],
    ['create b maxbytes 0', 'ERR value is not an integer or out of range'],
    ['create b maxbytes 1001', 'ERR MAXBYTES is more than cdc-slot-max-bytes'],
    ['create b maxage 60001', 'ERR MAXAGE is more than cdc-slot-max-age'],
    ['create b op burn', 'ERR unknown OP, see COMMAND DOCS of POLLUPDATES'],
    ['create b for ever', 'ERR syntax error'],
    ['ack a 1', 'ERR sequence 1 lies before the slot, which is at 2'],
    ['ack a 3', 'ERR next sequence is out of range'],
    ['ack a', 'ERR syntax error'],
    ['ack b 2', 'NOSLOT no such slot'],
    ['info b', 'NOSLOT no such slot'],
    ['drop b', 'NOSLOT no such slot'],
    ['list all', 'ERR syntax error'],
    ['keep a', 'ERR syntax error'],
  ]
  for (const [words, text] of cases) {
    t.equal(await client.run('cdc', 'slot', ...words.split(' ')), `-${text}\r\n`, words)
  }
  t.equal(await client.run('cdc', 'slot'), "-ERR wrong number of arguments for 'cdc|slot' command\r\n")
  t.equal(await client.run('cdc', 'slot', 'create', 'b', 'maxbytes', 1000, 'maxage', 60_000), ':2\r\n')
  const full = '-ERR the namespace has as many slots as cdc-slots-max allows\r\n'
  t.equal(await client.run('cdc', 'slot', 'create', 'c'), full)
  t.equal(await client.run('cdc', 'slot', 'drop', 'b'), '+OK\r\n')
  t.equal(await client.run('cdc', 'slot', 'create', 'c'), ':2\r\n')
  t.equal(await client.run('pollupdates', 0, 'slot', 'b'), '-NOSLOT no such slot\r\n')
  t.equal(await client.run('pollupdates', '>'), '-ERR the position > needs SLOT\r\n')
  t.equal(await client.run('pollupdates', 3, 'slot', 'c'), '-ERR next sequence is out of range\r\n')
  await client.run('multi')
  t.match(await client.run('cdc', 'slot', 'list'), /^-ERR /)
})

test('CDC SLOT INFO and LIST say where a slot stands, and LIST in RESP3 is of maps', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'a', 'maxage', 5000, 'match', 'k*', 'type', 'string', 'op', 'put')
  await archiveOne(s)
  s.server.sequenceTimes.note(s.server.store.latestSequence(), s.server.nowMs())
  await s.server.slots.tick()
  await client.run('set', 'k', 1)
  s.advance(61_000)
  const { created, last_active, lag_bytes, held_bytes, ...rest } = await info(client, 'a')
  t.same(rest, {
    name: 'a',
    namespace: 'default',
    state: 'idle',
    position: 0,
    lag_changes: 2,
    lag_seconds: 61,
    max_bytes: 16 * 1024 ** 3,
    max_age: 5000,
    match: ['k*'],
    types: ['string'],
    ops: ['put'],
    namespaces: [],
    lost_reason: '',
    lost_sequence: 0,
  })
  t.equal(last_active, created)
  t.ok((held_bytes as number) > 1000 && (lag_bytes as number) > (held_bytes as number))
  await client.run('cdc', 'slot', 'ack', 'a', 2)
  const done = await info(client, 'a')
  t.same([done['state'], done['lag_changes'], done['lag_bytes'], done['lag_seconds']], ['active', 0, 0, 0])
  t.match(
    await client.run('info', 'cdc'),
    /cdc_slots:1\r\ncdc_slots_lost:0\r\n(?:.*\r\n)*cdc_slot0:name=a,namespace=default,state=active,position=2,lag_changes=0,/,
  )
  await client.run('hello', 3)
  const list = (await client.value('cdc', 'slot', 'list')) as Map<string, ReplyValue>[]
  t.same(
    list.map((slot) => [slot.get('name'), slot.get('position')]),
    [['a', 2]],
  )
})

test('the filter of a slot holds for every poll, together with that of the poll', async (t) => {
  await using s = await start()
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'f', 'match', 'a*', 'type', 'string')
  await client.run('mset', 'a', 1, 'ab', 2, 'b', 3)
  await client.run('sadd', 'abc', 'x')
  t.same((await poll(client, '>', 'slot', 'f')).commands, ['SET a 1', 'SET ab 2'])
  t.same(await poll(client, '>', 'slot', 'f', 'match', '*b'), { next: 5, commands: ['SET ab 2'] })
  t.equal(await client.run('pollupdates', '>', 'slot', 'f'), '-ERR filters and BYTES need FORMAT JSON\r\n')
})

test('a slot passes over what is filtered out while its consumer waits, and not over what it was not given', async (t) => {
  await using s = await start()
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'f', 'match', 'a')
  const waiting = await s.connect()
  waiting.send('pollupdates', '>', 'slot', 'f', 'format', 'json', 'block', 0)
  for (let i = 1; i <= 3; i++) await client.run('set', 'b', i)
  await eventually(() => (s.server.slots.list()[0]?.position === 3 ? true : undefined))
  await client.run('set', 'a', 1)
  await waiting.nextReply()
  t.same(await poll(client, 4, 'slot', 'f', 'match', 'none'), { next: 4, commands: [] })
  await client.run('mset', 'a', 2, 'b', 4)
  t.same(await poll(client, 5, 'match', 'none'), { next: 6, commands: [] })
  t.equal((await info(client, 'f'))['position'], 4, 'a poll without the slot does not move it')
})

test('the log is kept from the first change that is not acknowledged', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'slow')
  for (let i = 0; i < 4; i++) await archiveOne(s)
  await client.run('set', 'k', 'last')
  prune(s)
  t.equal(archived(s).length, 4)
  t.equal((await poll(client, '>', 'slot', 'slow')).commands.length, 5)
  await client.run('cdc', 'slot', 'ack', 'slow', 3)
  prune(s)
  t.equal(archived(s).length, 4, 'the position is not saved yet, and a crash would set it back')
  await s.server.slots.tick()
  prune(s)
  t.equal(archived(s).length, 1)
  t.equal((await poll(client, '>', 'slot', 'slow')).commands.length, 2)
  await client.run('cdc', 'slot', 'drop', 'slow')
  prune(s)
  t.equal(archived(s).length, 0)
})

test('past its limits a slot is lost and says so, and others are unharmed', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'small', 'maxbytes', 2500)
  await client.run('cdc', 'slot', 'create', 'large')
  for (let i = 0; i < 3; i++) await archiveOne(s)
  prune(s)
  const lost =
    '-SLOTLOST slot small has lost its place at sequence 1: it held back more bytes of the log than it may\r\n'
  t.equal(await client.run('pollupdates', '>', 'slot', 'small'), lost)
  t.equal(await client.run('cdc', 'slot', 'ack', 'small', 3), lost)
  await client.run('set', 'k', 'last')
  const { state, position, held_bytes, lost_reason, lost_sequence } = await info(client, 'small')
  t.same([state, position, held_bytes, lost_sequence], ['lost', 0, 0, 1])
  t.equal(lost_reason, 'it held back more bytes of the log than it may')
  t.match(await client.run('info', 'cdc'), /cdc_wal_holders:1\r\n(?:.*\r\n)*cdc_slots:2\r\ncdc_slots_lost:1\r\n/)
  t.equal((await poll(client, '>', 'slot', 'large')).commands.length, 4)
  await client.run('cdc', 'slot', 'ack', 'large', 4)
  await s.server.slots.tick()
  prune(s)
  t.equal(archived(s).length, 0)
  t.equal(await client.run('cdc', 'slot', 'drop', 'small'), '+OK\r\n')
})

test('a consumer that waits is told that its slot is lost, or gone', async (t) => {
  await using s = await start()
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'a')
  const waiting = await s.connect()
  waiting.send('pollupdates', '>', 'slot', 'a', 'format', 'json', 'block', 0)
  await eventually(() => (s.server.blocking.count === 1 ? true : undefined))
  s.server.slots.databaseReplaced()
  await client.run('set', 'k', 'wakes it')
  const lost = 'slot a has lost its place at sequence 1: the database was replaced by another'
  t.equal((await waiting.nextReply()).bytes, `-SLOTLOST ${lost}\r\n`)
  await client.run('cdc', 'slot', 'create', 'b')
  waiting.send('pollupdates', '>', 'slot', 'b', 'format', 'json', 'block', 0)
  await eventually(() => (s.server.blocking.count === 1 ? true : undefined))
  await client.run('cdc', 'slot', 'drop', 'b')
  await client.run('set', 'k', 'wakes it')
  t.equal((await waiting.nextReply()).bytes, '-NOSLOT no such slot\r\n')
})

test('a slot is lost by age, and CONFIG SET makes it so for all', async (t) => {
  await using s = await start({ config: NO_ARCHIVE, nowMs: Date.now() })
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'brief', 'maxage', 60_000)
  await client.run('cdc', 'slot', 'create', 'long')
  await archiveOne(s)
  s.advance(59_000)
  prune(s)
  t.same([(await info(client, 'brief'))['state'], (await info(client, 'long'))['state']], ['active', 'active'])
  s.advance(2000)
  prune(s)
  t.same([(await info(client, 'brief'))['state'], (await info(client, 'long'))['state']], ['lost', 'idle'])
  await client.run('config', 'set', 'cdc-slot-max-age', 60)
  prune(s)
  t.equal((await info(client, 'long'))['lost_reason'], 'it held back older changes than it may')
})

test('a slot is lost where all archived files together are too many, or the disk is too full', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const client = await s.connect()
  for (const name of ['a', 'b', 'c']) {
    await client.run('cdc', 'slot', 'create', name)
    await archiveOne(s)
  }
  await client.run('config', 'set', 'wal-retention-max-bytes', 2500)
  prune(s)
  t.equal((await info(client, 'a'))['lost_reason'], 'the log reached wal-retention-max-bytes')
  t.same([(await info(client, 'b'))['state'], (await info(client, 'c'))['state']], ['active', 'active'])
  await client.run('cdc', 'slot', 'ack', 'c', 3)
  await s.server.slots.tick()
  await client.run('config', 'set', 'wal-retention-min-free-bytes', '1000000g')
  prune(s)
  t.equal((await info(client, 'b'))['lost_reason'], 'the disk had less than wal-retention-min-free-bytes left')
  t.equal((await info(client, 'c'))['state'], 'active', 'it holds nothing that could be freed')
})

test('slots survive a restart with all that belongs to them, and their part of the log too', async (t) => {
  const dir = temporaryDirectory(t)
  const binary = Buffer.from('k\xff', 'latin1')
  {
    await using s = await start({ dir, config: NO_ARCHIVE })
    const client = await s.connect()
    await client.run('cdc', 'slot', 'create', 'a', 'maxbytes', 1e6, 'maxage', 1e8, 'match', binary, 'op', 'put')
    await client.run('cdc', 'slot', 'create', 'b')
    await client.run('cdc', 'slot', 'create', 'c', 'maxbytes', 1)
    for (let i = 0; i < 3; i++) await archiveOne(s)
    await client.run('cdc', 'slot', 'ack', 'b', 1)
    prune(s)
  }
  await using s = await start({ dir, config: NO_ARCHIVE })
  const client = await s.connect()
  prune(s)
  const a = await info(client, 'a')
  t.same([a['position'], a['max_bytes'], a['max_age'], a['match'], a['ops']], [0, 1e6, 1e8, ['k\xff'], ['put']])
  t.same((await info(client, 'c'))['state'], 'lost')
  await client.run('cdc', 'slot', 'drop', 'a')
  await s.server.slots.tick()
  prune(s)
  t.equal(s.server.store.wal.range(s.server.nowMs()).oldest, 2)
  t.equal((await poll(client, '>', 'slot', 'b')).commands.length, 2)
})

test('a slot whose changes are gone after a restart, or that is ahead of the database, is lost', async (t) => {
  const dir = temporaryDirectory(t)
  {
    await using s = await start({ dir, config: NO_ARCHIVE })
    await s.run('cdc', 'slot', 'create', 'behind')
    for (let i = 0; i < 2; i++) await archiveOne(s)
    await s.run('cdc', 'slot', 'create', 'ahead')
  }
  for (const name of ['archive']) rmSync(join(dir, 'db', name), { recursive: true })
  const path = join(dir, 'cdc-slots.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"position":2', '"position":20'))
  await using s = await start({ dir, config: NO_ARCHIVE })
  const client = await s.connect()
  await client.run('set', 'k', 1)
  const behind = 'slot behind has lost its place at sequence 1: its files of the log are gone'
  t.equal(await client.run('pollupdates', '>', 'slot', 'behind'), `-SLOTLOST ${behind}\r\n`)
  const ahead = 'slot ahead has lost its place at sequence 21: the database was set back behind it'
  t.equal(await client.run('pollupdates', '>', 'slot', 'ahead'), `-SLOTLOST ${ahead}\r\n`)
})

test('a damaged file of slots keeps the server from starting, and is named', async (t) => {
  const dir = temporaryDirectory(t)
  writeFileSync(join(dir, 'cdc-slots.json'), '{"version":1,"slots":[{}]}')
  await t.rejects(start({ dir }), /cdc-slots\.json holds no slots/)
})

test('a namespace has slots of its own, which see its changes alone', async (t) => {
  await using s = await start({ config: { requirepass: 'admin', 'repl-namespace-enabled': true } })
  const admin = await s.connect()
  await admin.run('auth', 'admin')
  const users: RawClient[] = []
  for (const name of ['shop', 'bank']) {
    s.server.namespaces.add(Buffer.from(name), Buffer.from(`${name}-token`))
    const user = await s.connect()
    await user.run('auth', `${name}-token`)
    users.push(user)
  }
  const [shop, bank] = users as [RawClient, RawClient]
  // The rows of the two namespaces come first.
  t.equal(await shop.run('cdc', 'slot', 'create', 'mine'), ':2\r\n')
  t.equal(await admin.run('cdc', 'slot', 'create', 'mine'), ':2\r\n')
  await shop.run('set', 'a', 'shop')
  await bank.run('set', 'a', 'bank')
  t.same((await poll(shop, '>', 'slot', 'mine')).commands, ['SET a shop'])
  t.same((await poll(admin, '>', 'slot', 'mine')).commands, ['SET a shop', 'SET a bank'])
  t.equal(await bank.run('cdc', 'slot', 'info', 'mine'), '-NOSLOT no such slot\r\n')
  t.same(await bank.value('cdc', 'slot', 'list'), [])
  t.notMatch(await bank.run('info', 'cdc'), /name=mine/)
  t.equal(((await admin.value('cdc', 'slot', 'list')) as ReplyValue[]).length, 2)
  const refused = '-ERR only the administrator names the namespace of a slot\r\n'
  t.equal(await bank.run('cdc', 'slot', 'drop', 'mine', 'namespace', 'shop'), refused)
  t.equal((await info(admin, 'mine', 'namespace', 'shop'))['namespace'], 'shop')
  t.equal(await admin.run('cdc', 'slot', 'drop', 'mine', 'namespace', 'shop'), '+OK\r\n')
  t.same(await shop.value('cdc', 'slot', 'list'), [])
  t.equal(((await admin.value('cdc', 'slot', 'list')) as ReplyValue[]).length, 1)
})

test('a slot that cannot be dropped stays, and its name is taken until that is known', async (t) => {
  await using s = await start()
  const { slots, store } = s.server
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'a')
  mkdirSync(join(s.dir, 'cdc-slots.json.new'))
  const slot = slots.get(DEFAULT_NAMESPACE, 'a')
  const dropped = slots.drop(slot)
  t.throws(() => slots.get(DEFAULT_NAMESPACE, 'a'), { message: 'no-slot' })
  t.same(slots.list(), [])
  t.throws(() => slots.create(slot.spec, () => 0), { message: 'exists' })
  await t.rejects(dropped, { code: 'EISDIR' })
  t.same(slots.list(), [slot])
  t.equal(store.retention.holderCount, 1)
  rmSync(join(s.dir, 'cdc-slots.json.new'), { recursive: true })
  t.equal(await client.run('cdc', 'slot', 'drop', 'a'), '+OK\r\n')
  t.equal(await client.run('cdc', 'slot', 'create', 'a'), ':0\r\n')
  t.equal(store.retention.holderCount, 1)
})

test('what cannot be saved is refused, and nothing has changed', async (t) => {
  await using s = await start()
  const client = await s.connect()
  await client.run('cdc', 'slot', 'create', 'a')
  const before = readFileSync(join(s.dir, 'cdc-slots.json'), 'utf8')
  // No file can be written where a directory stands.
  mkdirSync(join(s.dir, 'cdc-slots.json.new'))
  t.match(await client.run('cdc', 'slot', 'create', 'b'), /^-ERR the slots cannot be saved: EISDIR/)
  t.match(await client.run('cdc', 'slot', 'drop', 'a'), /^-ERR the slots cannot be saved: EISDIR/)
  t.equal(((await client.value('cdc', 'slot', 'list')) as ReplyValue[]).length, 1)
  await client.run('set', 'k', 1)
  await client.run('cdc', 'slot', 'ack', 'a', 1)
  for (let i = 0; i < 2; i++) await s.server.slots.tick()
  t.equal(s.logged.length, 1, 'it is logged once')
  t.equal(readFileSync(join(s.dir, 'cdc-slots.json'), 'utf8'), before)
  rmSync(join(s.dir, 'cdc-slots.json.new'), { recursive: true })
  await s.server.slots.tick()
  t.match(readFileSync(join(s.dir, 'cdc-slots.json'), 'utf8'), /"position":1/)
})
