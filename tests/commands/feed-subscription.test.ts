import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type TestServer } from '../support/server.js'

/** A push in RESP2, and in RESP3 with `>`. */
function push(kind: string, value: number | string, start = '*'): string {
  const shown = typeof value === 'number' ? `:${value}\r\n` : `$${value.length}\r\n${value}\r\n`
  return `${start}3\r\n$3\r\ncdc\r\n$${kind.length}\r\n${kind}\r\n${shown}`
}

function setChange(sequence: number, key: string, value: string, namespace = 'default'): string {
  return (
    `{"sequence":${sequence},"batch":${sequence},"namespace":"${namespace}","type":"string","key":"${key}","op":"put",` +
    `"command":["SET","${key}","${value}"]}`
  )
}

async function next(client: RawClient): Promise<string> {
  return (await client.nextReply()).bytes
}

function tick(s: TestServer, ms = 1000): void {
  s.advance(ms)
  s.server.cron.run('tell subscribers of progress')
}

test('changes are pushed as they are committed, in RESP2 and RESP3', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  for (const start of ['*', '>']) {
    const client = await s.connect()
    if (start === '>') await client.run('hello', 3)
    const latest = s.server.store.latestSequence()
    t.equal(await client.run('cdc', 'subscribe', latest - 1), push('subscribe', latest - 1, start))
    t.match(await next(client), /"sequence":/)
    await s.run('set', 'b', start)
    t.equal(await next(client), push('change', setChange(latest + 1, 'b', start), start))
    t.equal(await client.run('cdc', 'unsubscribe'), push('unsubscribe', latest + 1, start))
    await s.run('set', 'b', 'more')
    t.match(await client.run('ping'), /PONG/)
  }
})

test('no more changes come than there is credit for', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(await client.run('cdc', 'subscribe', 'now', 'credit', 2), push('subscribe', 0))
  for (let i = 1; i <= 5; i++) await s.run('set', 'a', i)
  t.equal(await next(client), push('change', setChange(1, 'a', '1')))
  t.equal(await next(client), push('change', setChange(2, 'a', '2')))
  tick(s, 5000)
  t.equal(await next(client), push('progress', 2))
  t.equal(await client.run('cdc', 'credit', 1), push('credit', 1))
  t.equal(await next(client), push('change', setChange(3, 'a', '3')))
  t.equal(await client.run('cdc', 'credit', 10), push('credit', 10))
  t.equal(await next(client), push('change', setChange(4, 'a', '4')))
  t.equal(await next(client), push('change', setChange(5, 'a', '5')))
  t.equal(await client.run('cdc', 'credit', 0), push('credit', 8))
})

test('all filters apply, and progress tells of what they leave out', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('cdc', 'subscribe', 'oldest', 'match', 'a*', 'type', 'string', 'op', 'put', 'namespace', 'default')
  await s.run('set', 'b', 1)
  await s.run('sadd', 'a', 1)
  await s.run('del', 'a')
  s.server.subscriptions.pump()
  const latest = s.server.store.latestSequence()
  tick(s)
  t.equal(await next(client), push('progress', latest))
  tick(s)
  await s.run('set', 'a1', 'x')
  t.equal(await next(client), push('change', setChange(latest + 1, 'a1', 'x')))
})

test('a subscriber of a namespace sees that alone', async (t) => {
  await using s = await startServer({ config: { requirepass: 'p' } })
  ;(s.server.config.namespaces as Map<string, string>).set('token', 'ns')
  await s.run('auth', 'p')
  const client = await s.connect()
  await client.run('auth', 'token')
  t.equal(await client.run('cdc', 'subscribe', 0), push('subscribe', 0))
  await s.run('set', 'secret', 1)
  const other = await s.connect()
  await other.run('auth', 'token')
  await other.run('set', 'a', 1)
  t.equal(await next(client), push('change', setChange(2, 'a', '1', 'ns')))
  const opened = await other.run('cdc', 'snapshot', 'open')
  const id = /\$16\r\n([0-9a-f]{16})/.exec(opened)?.[1] ?? ''
  const page = await other.run('cdc', 'snapshot', 'read', id, 0)
  t.match(page, /"key":"a"/)
  t.notMatch(page, /secret/)
})

test('a slot says where to begin, and CREDIT acknowledges to it', async (t) => {
  await using s = await startServer()
  await s.run('cdc', 'slot', 'create', 'one', 'match', 'a')
  const client = await s.connect()
  await s.run('mset', 'a', 1, 'b', 2)
  t.equal(await client.run('cdc', 'subscribe', '>', 'slot', 'one'), push('subscribe', 0))
  t.match(await next(client), /"key":"a"/)
  t.equal(await client.run('cdc', 'credit', 1, 'ack', 2), push('credit', 1000))
  t.match(await s.run('cdc', 'slot', 'info', 'one'), /position\r\n:2\r\n/)
  await s.run('cdc', 'slot', 'drop', 'one')
  await s.run('set', 'a', 2)
  t.match(await next(client), /^\*3\r\n\$3\r\ncdc\r\n\$5\r\nerror\r\n\$\d+\r\nNOSLOT /)
})

test('what cannot be is refused', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('cdc', 'credit', 1), '-ERR the connection has not subscribed: CDC SUBSCRIBE first\r\n')
  t.equal(await s.run('cdc', 'unsubscribe'), push('unsubscribe', 0))
  t.equal(await s.run('cdc', 'subscribe', 5), '-ERR next sequence is out of range\r\n')
  t.equal(await s.run('cdc', 'subscribe', '>'), '-ERR the position > needs SLOT\r\n')
  t.match(await s.run('cdc', 'subscribe', 0, 'replid', 'x'), /^-DIVERGED /)
  t.match(await s.run('cdc', 'subscribe', 0, 'credit', -1), /^-ERR/)
  t.match(await s.run('cdc', 'subscribe', 0, 'word'), /^-ERR syntax/)
  const client = await s.connect()
  await client.run('cdc', 'subscribe', 0)
  t.match(await client.run('get', 'a'), /^-ERR Can't execute 'get'/)
  t.equal(await client.run('cdc', 'credit', 0, 'ack', 1), '-ERR ACK needs a subscription with SLOT\r\n')
  await client.run('reset')
  t.equal(await client.run('get', 'a'), '$-1\r\n')
  t.equal(s.server.subscriptions.count, 0)
})

test('a subscriber that does not read makes nothing pile up', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('cdc', 'subscribe', 0, 'credit', 1_000_000)
  client.socket.pause()
  const value = 'x'.repeat(100_000)
  for (let i = 0; i < 300; i++) await s.run('set', 'a', value)
  const [connection] = [...s.server.clients.all()].filter(({ feedSubscriptions }) => feedSubscriptions > 0)
  t.ok(connection !== undefined && connection.outputBytes < 4 * 1024 * 1024, `${connection?.outputBytes}`)
  client.socket.resume()
  for (let i = 0; i < 300; i++) {
    t.match(await next(client), /^\*3\r\n\$3\r\ncdc\r\n\$6\r\nchange/)
  }
})

test('a log that has a gap ends the subscription with an error', async (t) => {
  await using s = await startServer({ config: { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 } })
  await s.run('set', 'a', 1)
  await s.server.store.rocks.flush()
  await s.run('set', 'a', 2)
  s.server.store.retention.prune(s.server.nowMs())
  const client = await s.connect()
  t.equal(await client.run('cdc', 'subscribe', 0), push('subscribe', 0))
  t.match(await next(client), /error\r\n\$\d+\r\nWALGAP sequence 1 has left the log/)
})
