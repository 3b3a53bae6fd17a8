/** What a replica of Kvrocks sends to its master, and the bytes that it gets. */

import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { SILENT_LOG } from '../../src/log/log.js'
import { nothingAnnounced, type Peer } from '../../src/replication/peer.js'
import { ReplicaFeed } from '../../src/replication/replica-feed.js'
import { DatabaseSwap } from '../../src/server/database-swap.js'
import { CF_METADATA } from '../../src/storage/column-family.js'
import { eventually } from '../support/eventually.js'
import { startNode } from '../support/nodes.js'
import type { RawClient } from '../support/raw-client.js'
import { encodeRequest } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'
import { Wire, WireListener } from './wire.js'

const HANDSHAKE =
  '*1\r\n$8\r\n_db_name\r\n' +
  '*5\r\n$8\r\nreplconf\r\n$14\r\nlistening-port\r\n$4\r\n6789\r\n$10\r\nip-address\r\n$8\r\n10.1.2.3\r\n'

/** A connection that has asked for the changes from `sequence` on and was told that it gets them. */
async function following(node: TestServer, sequence: number): Promise<Wire> {
  const wire = await Wire.connect(node.port)
  wire.write(HANDSHAKE)
  await wire.takeLike('change.me.db\r\n+OK\r\n')
  wire.write(encodeRequest(['PSYNC', String(sequence)]))
  const answer = await wire.takeLike('+OK\r\n')
  if (answer !== '+OK\r\n') throw new Error(answer)
  return wire
}

const BATCH_OF_SET =
  // sequence and count, then log data `1`, then the row of `k` in column family 1.
  '01000000000000000100000003013105010d0b5f5f6e616d6573706163656b0a8100000000000000'

test('the handshake, and each batch of the log as a bulk string with its sequence', async (t) => {
  await using node = await startServer()
  await node.run('set', 'k', 'v')
  const wire = await Wire.connect(node.port)
  wire.write(HANDSHAKE)
  t.equal(await wire.takeLike('change.me.db\r\n+OK\r\n'), 'change.me.db\r\n+OK\r\n')
  wire.write('*2\r\n$5\r\nPSYNC\r\n$1\r\n1\r\n')
  t.equal(await wire.takeLike('+OK\r\n'), '+OK\r\n')
  const header = await wire.takeLine()
  t.equal(header, '$42\r\n')
  const batch = Buffer.from(await wire.take(42), 'latin1').toString('hex')
  t.equal(batch, `${BATCH_OF_SET}0076`)
  t.equal(await wire.take(2), '\r\n')
  await node.run('del', 'k')
  t.equal((await wire.takeBulk()).readUInt32LE(0), 2)
  t.equal(
    /^slave0.*\r$/m.exec(await node.run('info', 'replication'))?.[0],
    'slave0:ip=10.1.2.3,port=6789,state=online,offset=2,lag=0\r',
  )
  t.equal(await node.run('role'), '*3\r\n$6\r\nmaster\r\n:2\r\n*1\r\n*3\r\n$8\r\n10.1.2.3\r\n$4\r\n6789\r\n$1\r\n2\r\n')
  t.match(await node.run('client', 'list', 'type', 'replica'), / flags=S /)
  t.match(await node.run('info', 'stats'), /sync_partial_ok:1\r\nsync_partial_err:0\r\n/)
})

test('a replica that confirms is asked to when somebody waits, and one of an old version is not', async (t) => {
  await using node = await startServer()
  await node.run('set', 'k', 'v')
  const old = await following(node, 2)
  const client = await node.connect()
  t.equal(await client.run('wait', 1, 1), ':0\r\n')
  await node.run('set', 'k', 'w')
  t.equal((await old.takeBulk()).readUInt32LE(0), 2)
  old.close()
  await eventually(() => (node.server.replication.replicas.length === 0 ? true : undefined))
  const wire = await following(node, 3)
  wire.write('*3\r\n$8\r\nreplconf\r\n$3\r\nack\r\n$1\r\n2\r\n')
  await eventually(() => (node.server.replication.feeds.confirmedBy(2) === 1 ? true : undefined))
  client.send('set', 'k', 'x')
  client.send('wait', 1, 0)
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal((await wire.takeBulk()).readUInt32LE(0), 3)
  t.equal(await wire.takeLike('$7\r\n_getack\r\n$4\r\nping\r\n'), '$7\r\n_getack\r\n$4\r\nping\r\n')
  wire.write('*3\r\n$8\r\nreplconf\r\n$3\r\nack\r\n$1\r\n3\r\n')
  t.equal((await client.nextReply()).bytes, ':1\r\n')
})

test('a replica with nothing to get is sent pings', async (t) => {
  await using node = await startServer()
  const wire = await following(node, 1)
  t.equal(await wire.takeLike('$4\r\nping\r\n$4\r\nping\r\n'), '$4\r\nping\r\n$4\r\nping\r\n')
})

test('with replication-enable-sequence-padding a replica that ends within a batch gets blanks for its rest', async (t) => {
  await using node = await startServer({ config: { 'replication-enable-sequence-padding': true } })
  await node.run('mset', 'a', 1, 'b', 2, 'c', 3)
  await node.run('set', 'k', 'v')
  const wire = await following(node, 2)
  const key = '\0 __kvrocks_internal_padding_seq__'
  const blanks = `\0\0\0\0\0\0\0\0\x02\0\0\0${key}${key}`
  t.equal((await wire.takeBulk()).toString('latin1'), blanks)
  const next = await wire.takeBulk()
  t.equal(next.readUInt32LE(0), 4)
  t.equal(next.toString('hex').slice(16), BATCH_OF_SET.slice(16).concat('0076'))
  t.match(await node.run('info', 'replication'), /offset=4,lag=0/)
  t.match(await node.run('info', 'stats'), /sync_partial_ok:1\r\nsync_partial_err:0\r\n/)
  t.equal(await node.run('psync', 6), '-ERR sequence out of range, please use fullsync\r\n')
})

test('replication-delay-bytes and replication-delay-updates bound what is written to a socket at once', async (t) => {
  await using node = await startServer()
  await node.run('set', 'k', Buffer.alloc(5000))
  for (let i = 2; i <= 10; i++) await node.run('set', 'k', Buffer.alloc(1000))
  await node.run('mset', ...Array.from({ length: 20 }, (_, i) => [`k${i}`, 'v']).flat())
  await node.run('set', 'last', 'v')
  t.same(await piecesOf(node), [30, 1], 'the default: 16 KiB, or 16 updates')
  await node.run('config', 'set', 'replication-delay-updates', 5)
  t.same(await piecesOf(node), [5, 5, 20, 1])
  await node.run('config', 'set', 'replication-delay-bytes', 5500, 'replication-delay-updates', 1000)
  t.same(await piecesOf(node), [2, 6, 23])
  await node.run('config', 'set', 'replication-delay-bytes', 1)
  t.same(await piecesOf(node), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 20, 1])
})

const NO_LIMITS = { bytesMax: Number.POSITIVE_INFINITY, ageMsMax: Number.POSITIVE_INFINITY }

/** How many updates each write to the socket of a replica has that begins at sequence 1. */
async function piecesOf({ server }: TestServer): Promise<number[]> {
  const { store } = server
  const hold = store.retention.hold({ name: 'a test', sequence: 0, limits: () => NO_LIMITS })
  const pieces: number[] = []
  const peer: Peer = {
    address: '127.0.0.1:1',
    announced: nothingAnnounced(),
    outputBytes: 0,
    takeOver() {},
    finish() {},
    kill() {},
    transmit(bytes) {
      pieces.push([...bulksOf(bytes)].reduce((sum, batch) => sum + batch.readUInt32LE(8), 0))
      return true
    },
  }
  const feed = new ReplicaFeed({
    peer,
    store,
    hold,
    config: server.config,
    log: SILENT_LOG,
    nowMs: () => 0,
    from: 1,
    blanks: 0,
    onAcknowledged() {},
    onClosed: () => hold.release(),
  })
  feed.begin()
  await eventually(() => (feed.sent === store.latestSequence() ? true : undefined))
  feed.close()
  return pieces
}

function* bulksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const from = bytes.indexOf('\r\n', at) + 2
    const end = from + Number(bytes.toString('latin1', at + 1, from - 2))
    yield bytes.subarray(from, end)
    at = end + 2
  }
}

test('REPLCONF and PSYNC refuse what they cannot take, in the words that replicas look for', async (t) => {
  await using node = await startServer()
  await node.run('set', 'k', 'v')
  await node.run('mset', 'a', 1, 'b', 2)
  for (const [words, reply] of [
    [['replconf', 'listening-port'], "-ERR wrong number of arguments for 'replconf' command\r\n"],
    [['replconf', 'listening-port', 1, 'x'], '-ERR wrong number of arguments\r\n'],
    [['replconf', 'listening-port', 0], '-ERR listening-port should be number or out of range\r\n'],
    [['replconf', 'listening-port', 65535], '-ERR listening-port should be number or out of range\r\n'],
    [['replconf', 'ip-address', ''], '-ERR ip-address should not be empty\r\n'],
    [['replconf', 'something', 1], '-ERR unknown option\r\n'],
    [['psync', 'x'], '-ERR value is not an unsigned long long or out of range\r\n'],
    [['psync', 'short', 1], '-ERR Wrong replication id length\r\n'],
    [['psync', 5], '-ERR sequence out of range, please use fullsync\r\n'],
    [['psync', 0], '-ERR sequence out of range, please use fullsync\r\n'],
    // Within the batch of MSET.
    [['psync', 3], '-ERR sequence out of range, please use fullsync\r\n'],
  ] as const) {
    t.equal(await node.run(...words), reply, words.join(' '))
  }
  t.match(await node.run('info', 'stats'), /sync_partial_ok:0\r\nsync_partial_err:3\r\n/)
})

test('with use-rsid-psync each batch ends with the id, and one of another history is refused', async (t) => {
  await using node = await startServer({ config: { 'use-rsid-psync': true } })
  await node.run('set', 'k', 'v')
  const id = /master_replid:(\w+)/.exec(await node.run('info', 'replication'))?.[1] ?? ''
  t.match(id, /^[0-9A-Z]{16}$/)
  const wire = await Wire.connect(node.port)
  wire.write(encodeRequest(['psync', id, '1']))
  t.equal(await wire.takeLike('+OK\r\n'), '+OK\r\n')
  for (const sequence of [1, 2]) {
    const batch = await wire.takeBulk()
    t.equal(batch.readUInt32LE(0), sequence)
    t.equal(batch.subarray(-20).toString('latin1'), `\x03\x12r ${id}`)
  }
  t.equal(await node.run('psync', 'ABCDEFGHIJKLMNOP', 3), '-ERR wrong replication id of the last log\r\n')
  t.equal(await node.run('psync', 'ABCDEFGHIJKLMNOP', 4), '-ERR sequence out of range, please use fullsync\r\n')
})

test('a full sync: the names of the checkpoint, then sizes and contents of files', async (t) => {
  await using node = await startNode()
  await node.run('set', 'k', 'v')
  await node.server.store.rocks.flush()
  const meta = await Wire.connect(node.port)
  meta.write('*1\r\n$11\r\n_fetch_meta\r\n')
  const line = await meta.takeRest()
  t.match(line, /^[A-Za-z0-9.,_-]+\r\n$/)
  const names = line.trimEnd().split(',')
  const directory = join(node.dir, 'checkpoint')
  t.same(names.toSorted(), readdirSync(directory).toSorted())
  t.ok(names.includes('CURRENT'))
  const wire = await Wire.connect(node.port)
  wire.write(encodeRequest(['_fetch_file', names.join(',')]))
  let expected = ''
  for (const name of names) {
    const content = readFileSync(join(directory, name)).toString('latin1')
    expected += `${content.length}\r\n${content}`
  }
  t.equal(await wire.takeRest(), expected)
  t.match(await node.run('info', 'stats'), /sync_full:1\r\n/)
})

test('a file that is not in the checkpoint ends the connection, also where a name leads out of it', async (t) => {
  await using node = await startNode()
  await node.run('set', 'k', 'v')
  const meta = await Wire.connect(node.port)
  meta.write(encodeRequest(['_fetch_meta']))
  await meta.takeRest()
  for (const name of ['nothing', '../db/CURRENT', '/etc/hostname', '..', '']) {
    const wire = await Wire.connect(node.port)
    wire.write(encodeRequest(['_fetch_file', name]))
    t.equal(await wire.takeRest(), '', name)
  }
})

test('replicas that come soon share a checkpoint; it goes when nobody has used it for half a minute', async (t) => {
  await using node = await startServer()
  await node.run('set', 'k', 'v')
  const names = async (): Promise<string> => {
    const wire = await Wire.connect(node.port)
    wire.write(encodeRequest(['_fetch_meta']))
    return await wire.takeRest()
  }
  const first = await names()
  await node.run('set', 'l', 'v')
  t.equal(await names(), first)
  node.advance(30_001)
  node.server.cron.run('expire the checkpoint of replicas')
  await eventually(() => (existsSync(join(node.dir, 'checkpoint')) ? undefined : true))
  t.match(await names(), /^[^-]/)
  node.advance(601_000)
  // Too old to be shared, and in nobody's use: another one is made.
  t.match(await names(), /^[^-]/)
})

test('who asks for a checkpoint when another database is about to take its place gets none of the old one', async (t) => {
  await using node = await startServer()
  for (const key of ['a', 'b', 'c']) await node.run('set', key, 'v')
  const copy = join(t.testdir({}), 'copy')
  await using source = await startServer()
  await source.run('set', 'copied', 'v')
  await source.server.store.rocks.checkpoint(copy)
  const { feeds } = node.server.replication
  const { sendFileNames } = feeds
  const loaded = new Promise<void>((resolve, reject) => {
    feeds.sendFileNames = (peer) => {
      feeds.sendFileNames = sendFileNames
      const { takeOver } = peer
      peer.takeOver = (link) => {
        const begin = (): void => {
          new DatabaseSwap(node.server).load(copy).then(resolve, reject)
          link.begin()
        }
        takeOver.call(peer, { ...link, begin })
      }
      feeds.sendFileNames(peer)
    }
  })
  const late = await Wire.connect(node.port)
  late.write(encodeRequest(['_fetch_meta']))
  t.equal(await late.takeRest(), '')
  await loaded
  t.equal(await node.run('get', 'copied'), '$1\r\nv\r\n')
  t.equal(feeds.checkpoint.sequence, undefined)
  const wire = await Wire.connect(node.port)
  wire.write(encodeRequest(['_fetch_meta']))
  t.match(await wire.takeRest(), /^[^-]/)
  t.equal(feeds.checkpoint.sequence, 1)
})

test('max-replication-mb bounds how fast files are sent', async (t) => {
  await using node = await startNode({ config: { 'max-replication-mb': 4 } })
  const client = await node.connect()
  for (let i = 0; i < 2; i++) await client.run('set', `k${i}`, randomBytes(1 << 20))
  const meta = await Wire.connect(node.port)
  meta.write(encodeRequest(['_fetch_meta']))
  const names = (await meta.takeRest()).trimEnd()
  const wire = await Wire.connect(node.port)
  const startMs = performance.now()
  wire.write(encodeRequest(['_fetch_file', names]))
  const { length } = await wire.takeRest()
  t.ok(length > 2 << 20)
  t.ok(performance.now() - startMs >= 450)
})

test('a replica that lags too far, or takes nothing, is dropped', async (t) => {
  await using node = await startServer({ config: { 'max-replication-lag': 5, 'replication-send-timeout-ms': 1000 } })
  const client = await node.connect()
  const wire = await following(node, 1)
  wire.socket.pause()
  for (let i = 0; i < 40; i++) await client.run('set', 'k', Buffer.alloc(1 << 20))
  node.server.cron.run('check replicas')
  await eventually(async () => (node.server.replication.replicas.length === 0 ? true : undefined))
  await client.run('config', 'set', 'max-replication-lag', 0)
  const stuck = await following(node, 41)
  stuck.socket.pause()
  for (let i = 0; i < 40; i++) await client.run('set', 'k', Buffer.alloc(1 << 20))
  node.server.cron.run('check replicas')
  t.equal(node.server.replication.replicas.length, 1)
  node.advance(1000)
  node.server.cron.run('check replicas')
  t.equal(node.server.replication.replicas.length, 0)
  for (const each of [wire, stuck]) each.close()
})

test('a replica that stops to read in the middle of a file is dropped: others need the next checkpoint', async (t) => {
  await using node = await startServer({ config: { 'replication-send-timeout-ms': 1000 } })
  const client = await node.connect()
  for (let i = 0; i < 24; i++) await client.run('set', `k${i}`, randomBytes(1 << 20))
  const meta = await Wire.connect(node.port)
  meta.write(encodeRequest(['_fetch_meta']))
  const names = (await meta.takeRest()).trimEnd()
  const wire = await Wire.connect(node.port)
  wire.socket.pause()
  wire.write(encodeRequest(['_fetch_file', names]))
  const { checkpoint } = node.server.replication.feeds
  await eventually(() => (checkpoint.readers === 1 ? true : undefined))
  await eventually(() => {
    node.server.cron.run('check replicas')
    node.advance(1000)
    return checkpoint.readers === 0 ? true : undefined
  })
  node.advance(601_000)
  const other = await Wire.connect(node.port)
  other.write(encodeRequest(['_fetch_meta']))
  t.match(await other.takeRest(), /^[^-]/)
  wire.close()
})

test('what a replica sends is bounded, whoever may be one', async (t) => {
  await using node = await startServer({ config: { requirepass: 'pw', 'repl-namespace-enabled': true } })
  await node.run('auth', 'pw')
  await node.run('namespace', 'add', 'ns', 'token')
  const { replication } = node.server
  for (const [password, words] of [
    ['pw', ['psync', 1]],
    ['token', ['psync', '?', -1]],
    ['token', ['sync']],
  ] as const) {
    const wire = await Wire.connect(node.port)
    wire.write(Buffer.concat([encodeRequest(['auth', password]), encodeRequest(words)]))
    await eventually(() => (replication.replicas.length === 1 ? true : undefined))
    wire.write('*1048576\r\n')
    for (let i = 0; i < 5; i++) wire.write(`$1000\r\n${'x'.repeat(1000)}\r\n`)
    await eventually(() => (replication.replicas.length === 0 ? true : undefined))
    t.match(await wire.takeRest(), '+OK\r\n')
  }
  const wire = await Wire.connect(node.port)
  wire.write(Buffer.concat([encodeRequest(['auth', 'pw']), encodeRequest(['psync', 1])]))
  // Many at once are no more than one after the other.
  for (let i = 0; i < 2000; i++) wire.write(encodeRequest(['replconf', 'ack', i]))
  await eventually(() => (replication.feeds.confirmedBy(1999) === 1 ? true : undefined))
  wire.close()
})

test('a Redis replica whose history cannot be told on begins anew when it comes back', async (t) => {
  await using node = await startServer({ config: { 'cluster-enabled': true } })
  const { store, replication } = node.server
  const ask = async (...words: (string | number)[]): Promise<Wire> => {
    const wire = await Wire.connect(node.port)
    wire.write(encodeRequest(['psync', ...words]))
    return wire
  }
  const first = await ask('?', -1)
  const [, id] = /^\+FULLRESYNC ([0-9a-f]{40}) 0\r\n$/.exec(await first.takeLine()) ?? []
  await eventually(() => (replication.feeds.redis.feeds[0]?.state === 'online' ? true : undefined))
  first.close()
  await eventually(() => (replication.replicas.length === 0 ? true : undefined))
  const second = await ask(id as string, 1)
  t.equal(await second.takeLine(), `+CONTINUE ${id}\r\n`)
  // The keys of a slot: no command of Redis says that.
  store.turn.deleteRange(CF_METADATA, Buffer.from([0, 0, 7]), Buffer.from([0, 0, 8]))
  store.turn.commit()
  t.equal((await second.takeRest()).slice(-2), '\r\n')
  const third = await ask(id as string, 1)
  t.match(await third.takeLine(), /^\+FULLRESYNC [0-9a-f]{40} 0\r\n$/)
  third.close()
})

test('the commands of the link need the administrator', async (t) => {
  await using node = await startServer({ config: { requirepass: 'pw', 'repl-namespace-enabled': true } })
  await node.run('auth', 'pw')
  await node.run('namespace', 'add', 'ns', 'token')
  await node.run('auth', 'token')
  for (const words of [
    ['_db_name'],
    ['psync', 1],
    ['_fetch_meta'],
    ['_fetch_file', 'CURRENT'],
    ['slaveof', 'no', 'one'],
  ]) {
    t.equal(await node.run(...words), '-ERR admin permission required to perform the command\r\n')
  }
})

test('FAILOVER gives up when no replica confirms in time, or when it is aborted, and writes go on', async (t) => {
  await using node = await startNode()
  const wire = await following(node, 1)
  wire.write('*3\r\n$8\r\nreplconf\r\n$3\r\nack\r\n$1\r\n0\r\n')
  const client = await node.connect()
  client.send('set', 'k', 'v')
  client.send('failover', 'timeout', 50)
  client.send('set', 'k', 'w')
  for (let i = 0; i < 3; i++) t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.match(await node.run('info', 'replication'), /role:master\r\n[\s\S]*master_failover_state:no-failover\r\n/)
  t.equal(await client.run('failover'), '+OK\r\n')
  t.equal(await client.run('failover'), '-ERR FAILOVER already in progress.\r\n')
  client.send('set', 'k', 'x')
  t.match(await node.run('info', 'replication'), /master_failover_state:waiting-for-sync\r\n/)
  t.equal(await node.run('failover', 'abort'), '+OK\r\n')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal(
    await node.run('failover', 'to', '10.1.2.3', 6789, 'force'),
    '-ERR FAILOVER with force option requires both a timeout and target HOST and IP.\r\n',
  )
  t.equal(await node.run('failover', 'timeout', 0), '-ERR FAILOVER timeout must be greater than 0\r\n')
  t.equal(await node.run('failover', 'timeout', 'x'), '-ERR value is not an integer or out of range\r\n')
})

test('SLAVEOF is refused while a failover waits, and taken after it', async (t) => {
  await using node = await startNode()
  const wire = await following(node, 1)
  wire.write(encodeRequest(['replconf', 'ack', '0']))
  await node.run('set', 'k', 'v')
  t.equal(await node.run('failover'), '+OK\r\n')
  const refusal = '-ERR REPLICAOF not allowed while failing over.\r\n'
  t.equal(await node.run('slaveof', '127.0.0.1', 1), refusal)
  t.equal(await node.run('slaveof', 'localhost', 1), refusal)
  t.equal(await node.run('replicaof', 'no', 'one'), refusal)
  t.match(await node.run('info', 'replication'), /role:master\r\n[\s\S]*master_failover_state:waiting-for-sync\r\n/)
  t.equal(await node.run('failover', 'abort'), '+OK\r\n')
  t.equal(await node.run('slaveof', '127.0.0.1', 1), '+OK\r\n')
  t.match(await node.run('info', 'replication'), /role:slave\r\n[\s\S]*master_failover_state:no-failover\r\n/)
})

interface UnknownOutcome {
  readonly node: TestServer
  /** A client whose SET waits. */
  readonly writer: RawClient
  /** The replica is asked for its role. */
  readonly asked: () => Promise<Wire>
}

/** A failover whose replica was told to become master, and has gone without an answer to that and to a first ROLE. */
async function failoverWithoutAnswer(t: Test): Promise<UnknownOutcome> {
  const node = await startNode()
  const listener = await WireListener.open()
  t.teardown(async () => {
    await node.close()
    await listener[Symbol.asyncDispose]()
  })
  const wire = await Wire.connect(node.port)
  for (const [words, answer] of [
    [['replconf', 'listening-port', listener.port, 'ip-address', '127.0.0.1'], '+OK\r\n'],
    [['psync', 1], '+OK\r\n'],
  ] as const) {
    wire.write(encodeRequest(words))
    t.equal(await wire.takeLike(answer), answer)
  }
  wire.write(encodeRequest(['replconf', 'ack', 0]))
  const accept = async (...words: string[]): Promise<Wire> => {
    const connection = await listener.accept()
    const request = encodeRequest(words).toString('latin1')
    t.equal(await connection.takeLike(request), request)
    return connection
  }
  t.equal(await node.run('failover', 'to', '127.0.0.1', listener.port), '+OK\r\n')
  for (const words of [['SLAVEOF', 'NO', 'ONE'], ['ROLE']]) (await accept(...words)).close()
  const writer = await node.connect()
  writer.send('set', 'k', 'v')
  return { node, writer, asked: () => accept('ROLE') }
}

test('a failover whose replica was told, and does not answer, goes on when it says that it is master', async (t) => {
  const { node, writer, asked } = await failoverWithoutAnswer(t)
  const question = await asked()
  t.match(await node.run('info', 'replication'), /master_failover_state:failover-in-progress\r\n/)
  t.equal(await node.run('get', 'k'), '$-1\r\n')
  t.equal(writer.pending, '')
  // Of a server that cannot tell yet.
  question.write('-LOADING the dataset is being loaded\r\n')
  const again = await asked()
  again.write('*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n')
  t.equal((await writer.nextReply()).bytes, "-READONLY You can't write against a read only slave.\r\n")
  t.match(await node.run('info', 'replication'), /role:slave\r\n[\s\S]*master_failover_state:no-failover\r\n/)
})

test('a failover whose replica was told, and says that it is none, ends, and writes go on', async (t) => {
  const { node, writer, asked } = await failoverWithoutAnswer(t)
  const question = await asked()
  t.equal(writer.pending, '')
  question.write('*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0\r\n')
  t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.match(await node.run('info', 'replication'), /role:master\r\n[\s\S]*master_failover_state:no-failover\r\n/)
})

test('a failover whose replica is master, and cannot be followed, ends, and the server goes on', async (t) => {
  const { node, writer, asked } = await failoverWithoutAnswer(t)
  const follow = (): never => {
    throw new Error('no space')
  }
  Object.defineProperty(node.server.replication, 'follow', { value: follow })
  const question = await asked()
  question.write('*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n')
  t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.match(await node.run('info', 'replication'), /role:master\r\n[\s\S]*master_failover_state:no-failover\r\n/)
})

test('FAILOVER ABORT ends a failover whose replica was told and does not answer', async (t) => {
  const { node, writer, asked } = await failoverWithoutAnswer(t)
  await asked()
  t.equal(writer.pending, '')
  t.equal(await node.run('failover', 'abort'), '+OK\r\n')
  t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.match(await node.run('info', 'replication'), /role:master\r\n[\s\S]*master_failover_state:no-failover\r\n/)
  t.equal(await node.run('failover', 'abort'), '-ERR No failover in progress.\r\n')
})
