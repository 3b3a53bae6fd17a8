/** What a replica of this server sends to a master of Kvrocks, and what it makes of the answers. */

import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { crc32c } from '../../src/bytes/crc32c.js'
import type { ConfigValues } from '../../src/index.js'
import { backupFiles } from '../../src/replication/sync-files.js'
import { eventually } from '../support/eventually.js'
import { infoField, SHORT_DELAYS, startNode } from '../support/nodes.js'
import { encodeRequest } from '../support/resp.js'
import type { TestServer } from '../support/server.js'
import { type Wire, WireListener } from './wire.js'

const NAME = '*1\r\n$8\r\n_db_name\r\n'
const NAME_ANSWER = 'change.me.db\r\n'

interface Link extends AsyncDisposable {
  readonly node: TestServer
  readonly master: WireListener
}

/** A replica that has been told to follow a master that is the test itself. */
async function link(config: Partial<ConfigValues> = {}): Promise<Link> {
  const master = await WireListener.open()
  const node = await startNode({ config })
  await node.run('slaveof', '127.0.0.1', master.port)
  return {
    node,
    master,
    async [Symbol.asyncDispose]() {
      await node.close()
      await master[Symbol.asyncDispose]()
    },
  }
}

/** Expects the words as a request. */
async function expectRequest(t: Test, wire: Wire, ...words: string[]): Promise<void> {
  const request = encodeRequest(words).toString('latin1')
  t.equal(await wire.takeLike(request), request)
}

/** The handshake up to PSYNC, which the caller answers. */
async function shakeHands(t: Test, wire: Wire, node: TestServer, sequence: number): Promise<void> {
  t.equal(await wire.takeLike(NAME), NAME)
  wire.write(NAME_ANSWER)
  await expectRequest(t, wire, 'replconf', 'listening-port', String(node.port))
  wire.write('+OK\r\n')
  await expectRequest(t, wire, 'PSYNC', String(sequence))
}

/** A batch that sets a string, as a master's log has it. */
function batchOfSet(sequence: number, key: string, value: string): Buffer {
  const row = Buffer.from(`\x81\0\0\0\0\0\0\0\0${value}`, 'latin1')
  const nsKey = Buffer.from(`\x0b__namespace${key}`, 'latin1')
  const batch = Buffer.concat([
    Buffer.alloc(12),
    Buffer.from('03013105', 'hex'),
    Buffer.from([1, nsKey.length]),
    nsKey,
    Buffer.from([row.length]),
    row,
  ])
  batch.writeUInt32LE(sequence, 0)
  batch.writeUInt32LE(1, 8)
  return batch
}

function bulk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
}

test('the handshake, changes in any pieces, pings, and acknowledgements', async (t) => {
  await using pair = await link()
  const { node, master } = pair
  const wire = await master.accept()
  await shakeHands(t, wire, node, 1)
  wire.write('+OK\r\n')
  await expectRequest(t, wire, 'replconf', 'ack', '0')
  const stream = Buffer.concat([
    bulk(batchOfSet(1, 'a', 'one')),
    bulk(Buffer.from('ping')),
    bulk(batchOfSet(2, 'b', 'two')),
    bulk(Buffer.from('_getack')),
    bulk(Buffer.from('ping')),
  ])
  wire.write(stream.subarray(0, 60))
  await expectRequest(t, wire, 'replconf', 'ack', '1')
  for (const byte of stream.subarray(60)) {
    wire.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await eventually(() => (node.server.store.latestSequence() === 2 ? true : undefined))
  t.equal(await node.run('mget', 'a', 'b'), '*2\r\n$3\r\none\r\n$3\r\ntwo\r\n')
  await expectRequest(t, wire, 'replconf', 'ack', '2')
  t.equal(
    await node.run('role'),
    `*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:${master.port}\r\n$9\r\nconnected\r\n:2\r\n`,
  )
  t.equal(await infoField(node, 'master_link_status'), 'up')
  wire.close()
  await shakeHands(t, await master.accept(), node, 3)
  t.equal(await infoField(node, 'master_link_status'), 'down')
})

test('AUTH goes first, an announced address goes along, and masters that do not know it are asked without', async (t) => {
  await using pair = await link({
    masterauth: 'secret',
    'replica-announce-ip': '10.9.9.9',
    'replica-announce-port': 7001,
  })
  const wire = await pair.master.accept()
  await expectRequest(t, wire, 'AUTH', 'secret')
  wire.write('+OK\r\n')
  t.equal(await wire.takeLike(NAME), NAME)
  wire.write(NAME_ANSWER)
  await expectRequest(t, wire, 'replconf', 'listening-port', '7001', 'ip-address', '10.9.9.9')
  wire.write('-ERR unknown option\r\n')
  await expectRequest(t, wire, 'replconf', 'listening-port', '7001')
  wire.write("-ERR unknown command 'replconf'\r\n")
  await expectRequest(t, wire, 'PSYNC', '1')
})

test('with use-rsid-psync the id goes along, and masters that do not know it are asked without', async (t) => {
  await using pair = await link({ 'use-rsid-psync': true })
  const { node, master } = pair
  const id = await infoField(node, 'master_replid')
  const wire = await master.accept()
  t.equal(await wire.takeLike(NAME), NAME)
  wire.write(NAME_ANSWER)
  await expectRequest(t, wire, 'replconf', 'listening-port', String(node.port))
  wire.write('+OK\r\n')
  await expectRequest(t, wire, 'PSYNC', id ?? '', '2')
  wire.write('-ERR wrong number of arguments\r\n')
  await expectRequest(t, wire, 'PSYNC', '2')
})

test('answers that rule the master out are told by INFO, and asked for again later', async (t) => {
  for (const [answer, reason] of [
    ['-NOAUTH Authentication required.\r\n', 'Failed to get the db name, -NOAUTH Authentication required.'],
    ['another.db\r\n', 'Mismatched the db name, local: change.me.db, remote: another.db'],
    ['-LOADING kvrocks is restoring the db from backup\r\n', 'The master was restoring the db, retry later'],
  ]) {
    await using pair = await link()
    const wire = await pair.master.accept()
    await wire.takeLike(NAME)
    wire.write(answer ?? '')
    t.equal(await wire.takeRest(), '')
    t.equal(await infoField(pair.node, 'last_sync_error'), reason)
    t.equal(await (await pair.master.accept()).takeLike(NAME), NAME)
  }
})

test('a link that breaks again and again for one reason is told in the log once, and another reason too', async (t) => {
  await using pair = await link()
  const { node, master } = pair
  for (let i = 0; i < 5; i++) {
    const broken = await master.accept()
    await broken.takeLike(NAME)
    broken.socket.end()
  }
  const wire = await master.accept()
  const ended = '[replication] the connection has ended, reconnect the master'
  t.same(node.logged, [ended])
  t.equal(await infoField(node, 'last_sync_error'), 'the connection has ended')
  await shakeHands(t, wire, node, 1)
  wire.write('+OK\r\n')
  await eventually(async () => ((await infoField(node, 'master_link_status')) === 'up' ? true : undefined))
  wire.socket.end()
  const again = await master.accept()
  t.same(node.logged, [ended, ended], 'it was made in between')
  again.write('another.db\r\n')
  t.equal(await again.takeRest(), NAME)
  const mismatch = '[replication] Mismatched the db name, local: change.me.db, remote: another.db, reconnect the master'
  t.same(node.logged, [ended, ended, mismatch])
})

test('changes that do not follow on, or are none, break the link', async (t) => {
  for (const [bytes, reason] of [
    [bulk(batchOfSet(7, 'a', 'v')), 'the master has sent sequence 7 where 1 was expected'],
    [bulk(batchOfSet(1, 'a', 'v').subarray(0, 20)), /no write batch/],
    [Buffer.from('$0\r\n\r\n'), /Invalid increment data size/],
  ] as const) {
    await using pair = await link()
    const wire = await pair.master.accept()
    await shakeHands(t, wire, pair.node, 1)
    wire.write('+OK\r\n')
    wire.write(bytes)
    await wire.takeRest()
    const told = await infoField(pair.node, 'last_sync_error')
    if (typeof reason === 'string') t.equal(told, reason)
    else t.match(told, reason)
    t.equal(pair.node.server.store.latestSequence(), 0)
  }
})

test('blank sequences of a master that enables padding are taken as such, and readers of changes pass them', async (t) => {
  await using pair = await link()
  const { node } = pair
  const wire = await pair.master.accept()
  await shakeHands(t, wire, node, 1)
  wire.write('+OK\r\n')
  const blank = '\0 __kvrocks_internal_padding_seq__'
  wire.write(bulk(Buffer.from(`\0\0\0\0\0\0\0\0\x02\0\0\0${blank}${blank}`, 'latin1')))
  wire.write(bulk(batchOfSet(3, 'a', 'v')))
  await eventually(() => (node.server.store.latestSequence() === 3 ? true : undefined))
  t.equal(await node.run('get', 'a'), '$1\r\nv\r\n')
  t.equal(await node.run('dbsize'), ':1\r\n')
  const changes = await node.run('pollupdates', 0, 'max', 10, 'format', 'json')
  t.match(changes, /next_sequence\r\n:3\r\n[\s\S]*"key":"a","op":"put"/)
  t.same(node.logged, [])
})

/** Files of a database with one key, as a master's checkpoint has them. */
async function checkpointFiles(t: Test): Promise<Map<string, Buffer>> {
  const source = await startNode()
  await source.run('set', 'copied', 'v')
  await source.server.store.rocks.flush()
  const path = join(source.dir, 'copy')
  await source.server.store.rocks.checkpoint(path)
  const files = new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]))
  await source.close()
  t.ok([...files.keys()].some((name) => name.endsWith('.sst')))
  return files
}

async function sendFile(wire: Wire, content: Buffer): Promise<void> {
  wire.write(`${content.length}\r\n`)
  wire.write(content)
  await new Promise((resolve) => setImmediate(resolve))
}

test('a refused PSYNC: names, files, the swap; a download that was cut goes on with the files that are missing', async (t) => {
  const files = await checkpointFiles(t)
  await using pair = await link()
  const { node, master } = pair
  const first = await master.accept()
  await shakeHands(t, first, node, 1)
  first.write('-ERR sequence out of range, please use fullsync\r\n')
  const names = [...files.keys()].toSorted()
  const table = names.find((name) => name.endsWith('.sst')) ?? ''
  const listed = [table, ...names.filter((name) => name !== table)]
  const meta = await master.accept()
  await expectRequest(t, meta, '_fetch_meta')
  meta.write(`${listed.join(',')}\r\n`)
  const cut = await master.accept()
  await expectRequest(t, cut, '_fetch_file', listed.join(','))
  await sendFile(cut, files.get(table) as Buffer)
  cut.write('999999\r\npart')
  await eventually(() => (existsSync(join(node.dir, 'sync_checkpoint', table)) ? true : undefined))
  t.equal(await infoField(node, 'master_sync_in_progress'), '1')
  cut.close()

  const second = await master.accept()
  await shakeHands(t, second, node, 1)
  second.write('-ERR sequence out of range, please use fullsync\r\n')
  const again = await master.accept()
  await expectRequest(t, again, '_fetch_meta')
  again.write(`${listed.join(',')}\r\n`)
  const rest = await master.accept()
  await expectRequest(t, rest, '_fetch_file', listed.slice(1).join(','))
  for (const name of listed.slice(1)) await sendFile(rest, files.get(name) as Buffer)
  const last = await master.accept()
  await shakeHands(t, last, node, 2)
  t.equal(await node.run('get', 'copied'), '$1\r\nv\r\n')
  t.notOk(existsSync(join(node.dir, 'sync_checkpoint')))
  t.notOk(existsSync(join(node.dir, 'db.tmp')))
  last.write('+OK\r\n')
  last.write(bulk(batchOfSet(2, 'next', 'w')))
  await eventually(async () => ((await node.run('get', 'next')) === '$1\r\nw\r\n' ? true : undefined))
})

test('files that are no database leave the old one in use, and the next attempt begins anew, later and later', async (t) => {
  await using pair = await link()
  const { node, master } = pair
  let previousMs = 0
  for (let attempt = 0; attempt < 3; attempt++) {
    const ask = await master.accept()
    await shakeHands(t, ask, node, 1)
    ask.write('-ERR sequence out of range, please use fullsync\r\n')
    const startMs = performance.now()
    const meta = await master.accept()
    const waitedMs = performance.now() - startMs
    if (attempt > 0) t.ok(waitedMs >= SHORT_DELAYS.fullSyncMs * 2 ** (attempt - 1) - 5)
    t.ok(attempt < 2 || waitedMs > previousMs)
    previousMs = waitedMs
    await expectRequest(t, meta, '_fetch_meta')
    meta.write('CURRENT,MANIFEST-000001\r\n')
    const wire = await master.accept()
    await expectRequest(t, wire, '_fetch_file', 'CURRENT,MANIFEST-000001')
    await sendFile(wire, Buffer.from('MANIFEST-000001\n'))
    await sendFile(wire, Buffer.from('no manifest'))
    await eventually(async () => {
      const error = await infoField(node, 'last_sync_error')
      return error?.startsWith('Failed to restore backup') ? true : undefined
    })
  }
  t.equal(await node.run('set', 'k', 'v'), "-READONLY You can't write against a read only slave.\r\n")
  t.equal(await node.run('dbsize'), ':0\r\n')
})

test('a master without a checkpoint is asked again, and names that lead elsewhere are refused', async (t) => {
  for (const [answer, reason] of [
    ["-can't create db checkpoint\r\n", "Failed to fetch meta info: -can't create db checkpoint"],
    ['CURRENT,../../evil\r\n', "the master has a file of the name '../../evil'"],
  ] as const) {
    await using pair = await link()
    const ask = await pair.master.accept()
    await shakeHands(t, ask, pair.node, 1)
    ask.write('-ERR sequence out of range, please use fullsync\r\n')
    const meta = await pair.master.accept()
    await expectRequest(t, meta, '_fetch_meta')
    meta.write(answer)
    await eventually(async () => ((await infoField(pair.node, 'last_sync_error')) === reason ? true : undefined))
    t.equal(await (await pair.master.accept()).takeLike(NAME), NAME)
  }
})

test('CLIENT KILL TYPE master ends a full sync that does not go on, wherever it is, and another begins', async (t) => {
  await using pair = await link()
  const { node, master } = pair
  const askForFiles = async (): Promise<Wire> => {
    const ask = await master.accept()
    await shakeHands(t, ask, node, 1)
    ask.write('-ERR sequence out of range, please use fullsync\r\n')
    const meta = await master.accept()
    await expectRequest(t, meta, '_fetch_meta')
    return meta
  }
  const silent = await askForFiles()
  t.equal(await node.run('client', 'kill', 'type', 'master'), ':1\r\n')
  t.equal(await silent.takeRest(), '')
  const meta = await askForFiles()
  meta.write('CURRENT,MANIFEST-000001\r\n')
  const files = await master.accept()
  await expectRequest(t, files, '_fetch_file', 'CURRENT,MANIFEST-000001')
  t.equal(await node.run('client', 'kill', 'type', 'master'), ':1\r\n')
  t.equal(await files.takeRest(), '')
  await askForFiles()
})

test('more than twenty files come over four connections, and slave-empty-db-before-fullsync makes room first', async (t) => {
  const names = Array.from({ length: 21 }, (_, index) => `${String(index + 10).padStart(6, '0')}.sst`)
  await using pair = await link({ 'slave-empty-db-before-fullsync': true })
  const { node, master } = pair
  const ask = await master.accept()
  await shakeHands(t, ask, node, 1)
  ask.write('-ERR sequence out of range, please use fullsync\r\n')
  const meta = await master.accept()
  await expectRequest(t, meta, '_fetch_meta')
  meta.write(`${names.join(',')}\r\n`)
  const requests: string[] = []
  for (let connection = 0; connection < 4; connection++) {
    const wire = await master.accept()
    const words = (await wire.takeLine()) && (await wire.takeBulk())
    requests.push(`${words} ${await wire.takeBulk()}`)
  }
  const share = (index: number): string => names.filter((_, at) => at % 4 === index).join(',')
  t.same(requests.toSorted(), [0, 1, 2, 3].map((index) => `_fetch_file ${share(index)}`).toSorted())
  t.equal(await node.run('get', 'k'), '-LOADING kvrocks is restoring the db from backup\r\n')
  t.equal(await infoField(node, 'loading'), '1')
  t.equal(await infoField(node, 'role'), 'slave')
  t.notOk(existsSync(join(node.dir, 'db', 'CURRENT')))
})

test('a swap that was cut off by a crash is undone, or finished, at the next start', async (t) => {
  const node = await startNode()
  await node.run('set', 'k', 'v')
  await node.server.close()
  const db = join(node.dir, 'db')
  renameSync(db, `${db}.tmp`)
  const undone = await startNode({ dir: node.dir })
  t.equal(await undone.run('get', 'k'), '$1\r\nv\r\n')
  await undone.server.close()
  cpSync(db, `${db}.tmp`, { recursive: true })
  const finished = await startNode({ dir: node.dir })
  t.equal(await finished.run('get', 'k'), '$1\r\nv\r\n')
  t.ok(await eventually(() => (existsSync(`${db}.tmp`) ? undefined : true)))
  await finished.server.close()
  rmSync(node.dir, { recursive: true, force: true })
})

/** The files of a checkpoint as a backup of RocksDB has them: the path of each, and the list. */
function asBackup(files: ReadonlyMap<string, Buffer>): { paths: Map<string, Buffer>; list: string } {
  const paths = new Map<string, Buffer>()
  // The log may be empty, and an empty file has no damage.
  for (const [name, content] of [...files].sort(([, a], [, b]) => b.length - a.length)) {
    const table = /^(\d+)\.sst$/.exec(name)?.[1]
    paths.set(
      table ? `shared_checksum/${table}_${crc32c(content)}_${content.length}.sst` : `private/3/${name}`,
      content,
    )
  }
  const lines = [...paths].map(([path, content]) => `${path} crc32 ${crc32c(content)}\n`)
  return { paths, list: `1600000000\n1\nmetadata 6b76\n${lines.length}\n${lines.join('')}` }
}

test('a master before 2.0 is asked on its next port, for a backup, file by file and with checksums', async (t) => {
  const { paths, list } = asBackup(await checkpointFiles(t))
  await using master = await WireListener.open()
  await using node = await startNode({ config: { 'master-use-repl-port': true } })
  await node.run('slaveof', '127.0.0.1', master.port - 1)
  const askForAll = async (): Promise<Wire> => {
    const wire = await master.accept()
    await shakeHands(t, wire, node, 1)
    wire.write('-ERR sequence out of range, please use fullsync\r\n')
    const meta = await master.accept()
    await expectRequest(t, meta, '_fetch_meta')
    meta.write(`3\r\n${list.length}\r\n${list.slice(0, 20)}`)
    await new Promise((resolve) => setImmediate(resolve))
    meta.write(list.slice(20))
    return await master.accept()
  }
  const [[first = '', content = Buffer.alloc(0)] = []] = paths
  const damaged = await askForAll()
  await expectRequest(t, damaged, '_fetch_file', first)
  const wrong = Buffer.from(content)
  wrong[0] = ~(wrong[0] ?? 0)
  await sendFile(damaged, wrong)
  await damaged.takeRest()
  t.equal(
    await infoField(node, 'last_sync_error'),
    `fetch file err: ${first}: CRC mismatched, ${crc32c(content)} was expected but got ${crc32c(wrong)}`,
  )
  const wire = await askForAll()
  for (const [path, bytes] of paths) {
    await expectRequest(t, wire, '_fetch_file', path)
    await sendFile(wire, bytes)
  }
  await shakeHands(t, await master.accept(), node, 2)
  t.equal(await node.run('get', 'copied'), '$1\r\nv\r\n')
})

test('lists of backups that are damaged, or lead elsewhere, are refused', (t) => {
  t.same(backupFiles('1\n2\n1\nshared/000007.sst crc32 4294967295\n'), [
    { name: '000007.sst', path: 'shared/000007.sst', crc: 4294967295 },
  ])
  t.same(backupFiles('1\n2\n1\nshared_checksum/000007_sAB12_99.sst crc32 5'), [
    { name: '000007.sst', path: 'shared_checksum/000007_sAB12_99.sst', crc: 5 },
  ])
  for (const [list, reason] of [
    ['1\n2\n2\nshared/000007.sst crc32 1\n', /list of files is not complete/],
    ['1\n2\n', /list of files is not complete/],
    ['1\n2\n1\nprivate/1/../../evil crc32 1\n', /lists a file that no backup has/],
    ['1\n2\n1\nprivate/1/.. crc32 1\n', /a file of the name '\.\.'/],
    ['1\n2\n1\nshared/000007.sst\n', /lists a file that no backup has: shared\/000007\.sst/],
  ] as const) {
    t.throws(() => backupFiles(list), { message: reason }, list)
  }
  t.end()
})

test('slave-serve-stale-data no: without a link only what tells about the server is answered', async (t) => {
  await using pair = await link({ 'slave-serve-stale-data': false })
  t.equal(
    await pair.node.run('get', 'k'),
    "-MASTERDOWN Link with MASTER is down and slave-serve-stale-data is set to 'no'.\r\n",
  )
  t.match(await pair.node.run('info', 'replication'), /master_link_status:down/)
  t.equal(await pair.node.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await pair.node.run('get', 'k'), '$-1\r\n')
})

test('SLAVEOF refuses this server itself, its replicas, ports that are none, and names of nobody', async (t) => {
  await using node = await startNode()
  await using replica = await startNode()
  await replica.run('replicaof', 'localhost', node.port)
  await eventually(() => (node.server.replication.replicas.length === 1 ? true : undefined))
  t.equal(await node.run('slaveof', '127.0.0.1', node.port), "-ERR can't replicate itself\r\n")
  t.equal(await node.run('slaveof', 'localhost', node.port), "-ERR can't replicate itself\r\n")
  t.equal(await node.run('slaveof', '127.0.0.1', replica.port), "-ERR can't replicate your own replicas\r\n")
  t.equal(await node.run('slaveof', '127.0.0.1', 'x'), '-ERR port should be number\r\n')
  t.equal(
    await node.run('slaveof', 'no.such.host.invalid', 1),
    '-ERR Can not resolve hostname: no.such.host.invalid\r\n',
  )
  t.equal(await infoField(node, 'role'), 'master')
  t.equal(
    await replica.run('config', 'get', 'slaveof'),
    `*2\r\n$7\r\nslaveof\r\n$${`localhost ${node.port}`.length}\r\nlocalhost ${node.port}\r\n`,
  )
})

test('SLAVEOF leaves a master that is silent at once, and what was fetched from it', async (t) => {
  const files = await checkpointFiles(t)
  const table = [...files.keys()].find((name) => name.endsWith('.sst')) ?? ''
  await using pair = await link()
  const { node, master } = pair
  const ask = await master.accept()
  await shakeHands(t, ask, node, 1)
  ask.write('-ERR sequence out of range, please use fullsync\r\n')
  const meta = await master.accept()
  await expectRequest(t, meta, '_fetch_meta')
  meta.write(`${table},CURRENT\r\n`)
  const wire = await master.accept()
  await expectRequest(t, wire, '_fetch_file', `${table},CURRENT`)
  await sendFile(wire, files.get(table) as Buffer)
  await eventually(() => (existsSync(join(node.dir, 'sync_checkpoint', table)) ? true : undefined))
  await using other = await WireListener.open()
  t.equal(await node.run('slaveof', '127.0.0.1', other.port), '+OK\r\n')
  t.equal(await (await other.accept()).takeLike(NAME), NAME)
  t.equal(await wire.takeRest(), '')
  t.notOk(existsSync(join(node.dir, 'sync_checkpoint')))
  t.equal(await node.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await node.run('set', 'k', 'v'), '+OK\r\n')
  t.equal(await infoField(node, 'role'), 'master')
})
