/** Where `cdc copy` brings changes to: streams, webhooks, files, a terminal. */
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'tap'
import { runCdc } from '../../src/cli/cdc.js'
import { Progress } from '../../src/cli/copy/progress.js'
import { RedisTarget } from '../../src/cli/copy/redis-target.js'
import { freePort } from '../support/free-port.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { startServer, type TestServer } from '../support/server.js'

async function copy(s: TestServer, ...words: string[]): Promise<{ code: number; output: string; errors: string }> {
  const output = new PassThrough()
  const errors = new PassThrough()
  const given = ['copy', '--url', `redis://127.0.0.1:${s.port}`, '--follow', 'no', ...words]
  const code = await runCdc(given, { output, errors, signal: new AbortController().signal })
  return { code, output: String(output.read() ?? ''), errors: String(errors.read() ?? '') }
}

function setLine(sequence: number, key: string, value: string): string {
  return `{"sequence":${sequence},"batch":${sequence},"namespace":"default","type":"string","key":"${key}","op":"put","command":["SET","${key}","${value}"]}`
}

test('a stream gets an entry a change, and none twice', async (t) => {
  await using s = await startServer()
  await using other = await startServer()
  await s.run('set', 'a', 1)
  const words = ['--to', `redis://127.0.0.1:${other.port}`, '--stream', 'feed']
  t.equal((await copy(s, ...words)).code, 0)
  await s.run('set', 'a', 2)
  t.match((await copy(s, ...words)).errors, /^1 changes copied/)
  t.match((await copy(s, ...words)).errors, /^0 changes copied/)
  const client = await other.connect()
  const entries = (await client.value('xrange', 'feed', '-', '+')) as [string, string[]][]
  t.same(
    entries.map(([, fields]) => fields),
    [
      ['sequence', '1', 'change', setLine(1, 'a', '1').replace(/}$/, ',"fresh":true}')],
      ['sequence', '2', 'change', setLine(2, 'a', '2')],
    ],
  )
})

test('a node of a cluster is refused', { skip: REDIS_MISSING }, async (t) => {
  // Its second port would be one of those that systems give to connections.
  const node = await startRedisServer('--cluster-enabled', 'yes', '--cluster-port', String(await freePort()))
  t.teardown(() => node.stop())
  await using s = await startServer()
  await s.run('set', 'a', 1)
  for (const words of [[], ['--checkpoint-key', 'position'], ['--stream', 'feed']]) {
    t.same(await copy(s, '--to', `redis://127.0.0.1:${node.port}`, ...words), {
      code: 1,
      output: '',
      errors: 'the target is a node of a cluster: cdc copy brings changes to a single server alone\n',
    })
  }
})

test('a webhook is tried again, signed, in batches, and a refusal is final', async (t) => {
  await using s = await startServer()
  for (const key of ['a', 'b', 'c']) await s.run('set', key, 1)
  const checkpoint = join(t.testdir(), 'position')
  const requests: { request: IncomingMessage; body: string }[] = []
  const answers = [503, 200, 429]
  const receiver = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      requests.push({ request, body: Buffer.concat(parts).toString() })
      response.writeHead(answers.shift() ?? 200).end()
    })
  })
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done))
  t.teardown(() => receiver.close())
  const to = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/changes`
  const copied = await copy(s, '--to', to, '--batch', '2', '--secret', 'hush', '--checkpoint', checkpoint)
  t.equal(copied.code, 0)
  t.match(copied.errors, /answered 503\n(.*\n)*.*answered 429\n(.*\n)*3 changes copied\n$/)
  const keysOf = (body: string): string[] => (JSON.parse(body) as { key: string }[]).map(({ key }) => key)
  t.same(
    requests.map(({ body }) => keysOf(body)),
    [['a', 'b'], ['a', 'b'], ['c'], ['c']],
  )
  for (const { request, body } of requests) {
    t.equal(request.headers['x-kvrocks-signature'], `sha256=${createHmac('sha256', 'hush').update(body).digest('hex')}`)
    t.equal(request.headers['x-kvrocks-sequence'], '3', 'the snapshot stands there')
  }
  for (const key of ['d', 'e', 'f']) await s.run('set', key, 1)
  requests.length = 0
  t.equal((await copy(s, '--to', to, '--batch', '2', '--checkpoint', checkpoint)).code, 0)
  t.same(
    requests.map(({ request, body }) => [request.headers['x-kvrocks-sequence'], ...keysOf(body)]),
    [
      ['5', 'd', 'e'],
      ['6', 'f'],
    ],
  )
  answers.push(403)
  const refused = await copy(s, '--to', to)
  t.same([refused.code, refused.errors], [1, `${to} answered 403\n`])
})

test('a file gets a line a change, from where the checkpoint stands', async (t) => {
  await using s = await startServer()
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const words = ['--to', `file:${dir}/changes`, '--checkpoint', join(dir, 'position')]
  await s.run('set', 'a', 1)
  await copy(s, ...words)
  await s.run('set', 'a', 2)
  await copy(s, ...words)
  const lines = readFileSync(join(dir, 'changes'), 'utf8').split('\n')
  t.same(lines, [setLine(1, 'a', '1').replace(/}$/, ',"fresh":true}'), setLine(2, 'a', '2'), ''])
  const printed = await copy(s, '--to', '-')
  t.equal(printed.output, `${setLine(2, 'a', '2').replace(/}$/, ',"fresh":true}')}\n`)
})

test('progress is a bar with rate and time on a terminal, and lines elsewhere', (t) => {
  const page = { position: { sequence: 10 }, latest: 10, isSnapshot: true, texts: ['{"fresh":true}', '{"fresh":true}'] }
  const run = (isTerminal: boolean): string => {
    const output = new PassThrough()
    let nowMs = 0
    const progress = new Progress({ output, isTerminal, keys: 8, now: () => nowMs })
    nowMs = 1000
    progress.add(page, 2)
    nowMs = 2000
    progress.add({ ...page, isSnapshot: false, latest: 110 }, 50)
    nowMs = 3000
    progress.add({ ...page, isSnapshot: false }, 0)
    progress.end()
    return String(output.read())
  }
  t.equal(
    run(true),
    '\r\x1b[K' +
      'snapshot: [######..................] 25 % of 8 keys, 3 s to go, 2 copied, 2/s\r\x1b[K' +
      'changes: 52 copied, 50/s, at sequence 10, lag 100 sequences, 2 s to go\r\x1b[K' +
      'changes: 52 copied, 0/s, at sequence 10, lag none\r\x1b[K' +
      '52 changes copied\n',
  )
  t.equal(
    run(false),
    'snapshot: 25 % of 8 keys, 3 s to go, 2 copied, 2/s\n' +
      'changes: 52 copied, 50/s, at sequence 10, lag 100 sequences, 2 s to go\n' +
      'changes: 52 copied, 0/s, at sequence 10, lag none\n' +
      '52 changes copied\n',
  )
  t.end()
})

test('a page has its effect once, though two copies bring it, and the second sees that it was displaced', async (t) => {
  await using s = await startServer()
  const target = (): RedisTarget =>
    new RedisTarget({
      url: `redis://127.0.0.1:${s.port}`,
      sourceUrl: 'redis://127.0.0.1:1',
      checkpointKey: 'position',
      tell: () => {},
      onRetry: () => {},
      signal: undefined,
    })
  const page = (sequence: number) => ({
    texts: [
      `{"sequence":${sequence},"batch":${sequence},"namespace":"default","type":"list","key":"l","op":"put","command":["RPUSH","l","${sequence}"]}`,
    ],
    position: { sequence, replid: 'x' },
    latest: 100,
    isSnapshot: false,
  })
  const [first, second] = [target(), target()]
  await first.load()
  await first.apply(page(1))
  t.match(await second.load(), { sequence: 1 })
  await first.apply(page(2))
  // It comes out at the same position: that is what it would have done.
  await second.apply(page(2))
  await first.apply(page(3))
  await t.rejects(second.apply(page(4)), { message: 'another copy has moved position on' })
  const third = target()
  t.match(await third.load(), { sequence: 3 })
  // A connection that broke after its transaction had arrived does not bring it again.
  await s.run('client', 'kill', 'type', 'normal')
  await third.apply(page(4))
  await s.run('client', 'kill', 'type', 'normal')
  await third.apply(page(5))
  const client = await s.connect()
  t.same(await client.value('lrange', 'l', 0, -1), ['1', '2', '3', '4', '5'])
  for (const one of [first, second, third]) one.close()
})
