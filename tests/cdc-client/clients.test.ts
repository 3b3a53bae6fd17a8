/** The feed through clients of other libraries, and checkpoints in a key of theirs. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { test } from 'tap'
import { changes, keyCheckpoint } from '../../src/cdc-client/changes.js'
import { RedisConnection, ServerError } from '../../src/cdc-client/redis-connection.js'
import { startServer, type TestServer } from '../support/server.js'

interface Given {
  readonly client: Parameters<typeof keyCheckpoint>[0]
  close(): unknown
}

const LIBRARIES: Readonly<Record<string, (s: TestServer) => Promise<Given>>> = {
  ioredis: async ({ port }) => {
    const client = new Redis(port, '127.0.0.1', { lazyConnect: true })
    await client.connect()
    return { client, close: () => client.disconnect() }
  },
  'node-redis': async ({ port }) => {
    const client = createClient({ socket: { port, host: '127.0.0.1' } })
    await client.connect()
    return { client: client as unknown as Given['client'], close: () => client.destroy() }
  },
  'its own connection': async ({ port }) => {
    const client = await RedisConnection.open(`redis://127.0.0.1:${port}`)
    return { client: client as Given['client'], close: () => client.close() }
  },
}

for (const [library, open] of Object.entries(LIBRARIES)) {
  test(`${library} reads the feed, and keeps a checkpoint in a key`, async (t) => {
    await using s = await startServer()
    await using other = await startServer()
    await s.run('hset', 'h', 'f', Buffer.from([0xff, 0x00]))
    await s.run('set', 'a', '1')
    const feed = await open(s)
    const keeper = await open(other)
    const checkpoint = keyCheckpoint(keeper.client, 'position')
    const seen: string[] = []
    const controller = new AbortController()
    const options = { client: feed.client, snapshot: true, checkpoint, signal: controller.signal }
    for await (const change of changes(options)) {
      seen.push((change.command ?? []).map((word) => word.toString('latin1')).join(' '))
      if (seen.length === 2) await s.run('set', 'a', '2')
      if (seen.length === 3) break
    }
    t.same(seen, ['SET a 1', 'HSET h f \xff\x00', 'SET a 2'])
    t.same(await checkpoint.load(), { sequence: 3, replid: s.server.history.id })
    const later: string[] = []
    setTimeout(() => controller.abort(), 100)
    for await (const change of changes(options)) later.push(change.op)
    t.same(later, ['put'], 'what was not asked past is repeated, and the signal ends the wait')
    const lost = changes({ client: feed.client, since: 99 })
    await t.rejects(lost.next(), new ServerError('ERR next sequence is out of range'))
    feed.close()
    keeper.close()
  })
}

test('a position of another history is an error', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  const url = `redis://127.0.0.1:${s.port}`
  const checkpoint = { load: async () => ({ sequence: 1, replid: 'f'.repeat(40) }), save: async () => {} }
  await t.rejects(changes({ url, checkpoint }).next(), /^DIVERGED /)
})

test('what is no reply ends the connection, not the program', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await t.rejects(RedisConnection.open(`redis://127.0.0.1:${port}`), {
    message: 'not a reply: HTTP/1.1 400 Bad Request',
  })
})
