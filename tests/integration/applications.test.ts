/** What people run on Redis, unmodified, against this server with its default options. */

import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createAdapter } from '@socket.io/redis-adapter'
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq'
import { RedisStore } from 'connect-redis'
import type { SessionData } from 'express-session'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { Server as SocketServer } from 'socket.io'
import { io } from 'socket.io-client'
import { type Test, test } from 'tap'
import { startServer } from '../support/server.js'

const HOST = '127.0.0.1'
const WAIT_MS = 10_000

test('BullMQ adds, processes, delays, retries, repeats and flows', async (t) => {
  await using s = await startServer({ nowMs: Date.now() })
  const connection = { host: HOST, port: s.port, maxRetriesPerRequest: null }
  const queue = new Queue('work', { connection })
  const events = new QueueEvents('work', { connection })
  const attempts: string[] = []
  const worker = new Worker<{ n: number }, number>(
    'work',
    async (job) => {
      attempts.push(job.name)
      if (job.name === 'flaky' && job.attemptsMade === 0) throw new Error('once')
      return job.data.n * 2
    },
    { connection },
  )
  const flows = new FlowProducer({ connection })
  try {
    await events.waitUntilReady()
    const plain = await queue.add('plain', { n: 21 })
    t.equal(await plain.waitUntilFinished(events, WAIT_MS), 42)
    const delayed = await queue.add('delayed', { n: 5 }, { delay: 50 })
    t.equal(await delayed.waitUntilFinished(events, WAIT_MS), 10)
    const flaky = await queue.add('flaky', { n: 7 }, { attempts: 3, backoff: 20 })
    t.equal(await flaky.waitUntilFinished(events, WAIT_MS), 14)
    t.equal(attempts.filter((name) => name === 'flaky').length, 2)
    const flow = await flows.add({
      name: 'parent',
      queueName: 'work',
      data: { n: 1 },
      children: [
        { name: 'child', queueName: 'work', data: { n: 2 } },
        { name: 'child', queueName: 'work', data: { n: 3 } },
      ],
    })
    t.equal(await flow.job.waitUntilFinished(events, WAIT_MS), 2)
    t.same(Object.values(await flow.job.getChildrenValues()).sort(), [4, 6])
    await queue.upsertJobScheduler('tick', { every: 50 }, { name: 'tick', data: { n: 0 } })
    while (attempts.filter((name) => name === 'tick').length < 3) await new Promise((done) => setTimeout(done, 10))
    t.ok(await queue.removeJobScheduler('tick'))
    t.equal((await queue.getJobCounts())['failed'], 0)
  } finally {
    await Promise.all([worker.close(), events.close(), queue.close(), flows.close()])
  }
  t.same(s.logged, [])
})

test('connect-redis keeps sessions', async (t) => {
  await using s = await startServer({ nowMs: Date.now() })
  const client = createClient({ url: `redis://${HOST}:${s.port}` })
  await client.connect()
  try {
    const store = new RedisStore({ client, ttl: 60 })
    const session = { cookie: { originalMaxAge: 60_000 }, user: 'ann' } as unknown as SessionData
    await store.set('one', session)
    t.match(await new Promise((resolve) => void store.get('one', (_error, found) => resolve(found))), { user: 'ann' })
    await store.touch('one', session)
    t.equal(await client.ttl('sess:one'), 60)
    t.equal(await new Promise((resolve) => void store.length((_error, length) => resolve(length))), 1)
    await store.destroy('one')
    t.equal(await client.exists('sess:one'), 0)
  } finally {
    client.destroy()
  }
})

interface Lock {
  unlock(): Promise<void>
  extend(ms: number): Promise<Lock>
}
type RedlockClass = new (clients: Redis[], options: object) => { lock(name: string, ms: number): Promise<Lock> }

test('redlock locks, extends, excludes and unlocks', async (t) => {
  await using s = await startServer({ nowMs: Date.now() })
  const client = new Redis(s.port, HOST)
  // The package has no types of its own.
  const Redlock = createRequire(import.meta.url)('redlock') as RedlockClass
  const locks = new Redlock([client], { retryCount: 1, retryDelay: 10 })
  try {
    const lock = await locks.lock('resource', 5000)
    await t.rejects(locks.lock('resource', 5000), { name: 'LockError' })
    const extended = await lock.extend(5000)
    await extended.unlock()
    await (await locks.lock('resource', 5000)).unlock()
  } finally {
    client.disconnect()
  }
})

test('two socket.io servers share their rooms through the adapter', async (t) => {
  await using s = await startServer({ nowMs: Date.now() })
  const nodes = await Promise.all([socketNode(t, s.port), socketNode(t, s.port)])
  const received = new Promise((resolve) => nodes[1]?.client.once('news', resolve))
  await nodes[1]?.server.in('everybody').fetchSockets()
  while ((await nodes[0]?.server.in('everybody').fetchSockets())?.length !== 2) {
    await new Promise((done) => setTimeout(done, 10))
  }
  nodes[0]?.server.to('everybody').emit('news', { text: 'hello' })
  t.same(await received, { text: 'hello' })
})

/** A socket.io server with one client in the room `everybody`. */
async function socketNode(t: Test, port: number) {
  const http = createServer()
  const server = new SocketServer(http)
  const publisher = new Redis(port, HOST)
  const subscriber = new Redis(port, HOST)
  server.adapter(createAdapter(publisher, subscriber))
  server.on('connection', (socket) => void socket.join('everybody'))
  await new Promise<void>((done) => http.listen(0, HOST, done))
  const address = http.address()
  const client = io(`http://${HOST}:${typeof address === 'object' ? address?.port : 0}`)
  await new Promise<void>((done) => client.on('connect', () => done()))
  t.teardown(async () => {
    client.close()
    await server.close()
    publisher.disconnect()
    subscriber.disconnect()
  })
  return { server, client }
}
