/** When sequences were written, and which history they belong to. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { SequenceTimes } from '../../src/cdc/sequence-times.js'
import { History } from '../../src/storage/history.js'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

const START_MS = 1_700_000_000_000

/** A second passes. */
function tick(s: TestServer, ms = 1000): void {
  s.advance(ms)
  s.server.cron.run('note the time of sequences')
}

test('SEQUENCE AT and TIME tell to the second what was written when', async (t) => {
  await using s = await startServer({ nowMs: START_MS })
  await s.run('set', 'a', 1)
  tick(s)
  await s.run('set', 'a', 2)
  await s.run('set', 'a', 3)
  tick(s)
  tick(s, 60_000)
  await s.run('set', 'a', 4)
  tick(s)
  t.equal(await s.run('sequence', 'at', START_MS), ':0\r\n')
  t.equal(await s.run('sequence', 'at', START_MS + 999), ':0\r\n')
  t.equal(await s.run('sequence', 'at', START_MS + 1000), ':1\r\n')
  t.equal(await s.run('sequence', 'at', START_MS + 30_000), ':3\r\n')
  t.equal(await s.run('sequence', 'at', START_MS + 99_000), ':4\r\n')
  t.equal(await s.run('sequence', 'time', 1), `:${START_MS + 1000}\r\n`)
  t.equal(await s.run('sequence', 'time', 3), `:${START_MS + 2000}\r\n`)
  t.equal(await s.run('sequence', 'time', 4), `:${START_MS + 63_000}\r\n`)
  t.equal(await s.run('sequence', 'time', 5), '-ERR next sequence is out of range\r\n')
  t.equal(await s.run('sequence', 'at', START_MS - 1), '-WALGAP that time is before all that is known of the log\r\n')
  t.equal(await s.run('sequence', 'time', 0), '$-1\r\n')
  t.match(await s.run('sequence', 'at', 'x'), /^-ERR/)
})

test('times survive a restart, a torn end, and a tail of nonsense', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'times')
  const first = new SequenceTimes(path)
  for (let i = 0; i <= 10; i++) first.note(i * 10, 1000 * i)
  first.note(100, 99_000)
  first.note(200, 5)
  first.close()
  t.equal(statSync(path).size, 11 * 20)
  truncateSync(path, 10 * 20 + 13)
  const second = new SequenceTimes(path)
  t.equal(second.lastSequence, 90)
  second.note(110, 12_000)
  second.close()
  appendFileSync(path, Buffer.alloc(20, 7))
  const third = new SequenceTimes(path)
  t.equal(third.timeOf(95), 12_000)
  t.equal(third.sequenceAt(11_999), 90)
  third.prune(55)
  t.notOk(third.covers(50))
  t.equal(third.timeOf(55), 6000)
  t.equal(third.sequenceAt(5000), 50)
  third.close()
})

/** No file of this process may grow beyond `bytes`, until it is called with 'unlimited'. */
function limitFiles(bytes: number | 'unlimited'): void {
  const { status } = spawnSync('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:unlimited`])
  if (status !== 0) throw new Error('prlimit has failed')
}

// It would end the process; and it is delivered late, when a test is over.
process.on('SIGXFSZ', () => {})
const LACKS_PRLIMIT = process.platform === 'linux' ? false : 'prlimit is of Linux'

test('a note that was written in part is no end: the next takes its place', { skip: LACKS_PRLIMIT }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'times')
  const times = new SequenceTimes(path)
  for (let i = 0; i < 5; i++) times.note(i, 1000 * i)
  limitFiles(110)
  try {
    t.throws(() => times.note(5, 5000), { code: 'EFBIG' })
    t.equal(statSync(path).size, 110)
    t.throws(() => times.note(6, 6000), { code: 'EFBIG' })
  } finally {
    limitFiles('unlimited')
  }
  t.equal(times.lastSequence, 6, 'known until the end')
  times.note(7, 7000)
  times.close()
  t.equal(statSync(path).size, 6 * 20)
  const again = new SequenceTimes(path)
  t.equal(again.lastSequence, 7)
  t.equal(again.timeOf(5), 7000)
  again.close()
})

test('what stands behind half a note is read, and the file made whole', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'times')
  const first = new SequenceTimes(path)
  for (let i = 1; i <= 6; i++) first.note(i, 1000 * i)
  first.close()
  const whole = readFileSync(path)
  writeFileSync(path, Buffer.concat([whole.subarray(0, 60), whole.subarray(60, 73), whole.subarray(60)]))
  const second = new SequenceTimes(path)
  second.note(7, 7000)
  second.close()
  t.equal(statSync(path).size, 7 * 20)
  t.same(readFileSync(path).subarray(0, 120), whole)
  const third = new SequenceTimes(path)
  t.equal(third.lastSequence, 7)
  t.equal(third.timeOf(2), 2000)
  third.close()
})

test('the file of times is written anew when most of it is of no use', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'times')
  const times = new SequenceTimes(path)
  for (let i = 0; i <= 3000; i++) times.note(i, 1000 * i)
  times.prune(2990)
  t.equal(statSync(path).size, 12 * 20)
  times.note(3001, 4_000_000)
  times.close()
  const again = new SequenceTimes(path)
  t.equal(again.timeOf(3001), 4_000_000)
  again.close()
})

test('POLLUPDATES REPLID refuses positions of another history', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  const { id } = s.server.history
  t.match(await s.run('sequence', 'range'), new RegExp(`replid\\r\\n\\$40\\r\\n${id}`))
  t.match(await s.run('pollupdates', 0, 'replid', id, 'format', 'json'), /"sequence":1/)
  t.equal(
    await s.run('pollupdates', 0, 'replid', 'f'.repeat(40), 'format', 'json'),
    `-DIVERGED the position is of another history than ${id}: begin anew with a snapshot\r\n`,
  )
  await s.run('slaveof', '127.0.0.1', 1)
  await s.run('slaveof', 'no', 'one')
  await s.run('set', 'a', 2)
  t.match(await s.run('pollupdates', 1, 'replid', id), /^\*8/)
  t.match(await s.run('pollupdates', 2, 'replid', id), /^-DIVERGED /)
  t.match(await s.run('pollupdates', 2, 'replid', s.server.history.id), /^\*8/)
})

test('with use-rsid-psync the id of the batches counts', async (t) => {
  await using s = await startServer({ config: { 'use-rsid-psync': true } })
  await s.run('set', 'a', 1)
  const range = await s.run('sequence', 'range')
  const id = /replid\r\n\$16\r\n(.{16})/.exec(range)?.[1] ?? ''
  t.match(await s.run('pollupdates', 1, 'replid', id), /^\*8/)
  t.match(await s.run('pollupdates', 1, 'replid', 'X'.repeat(16)), /^-DIVERGED /)
})

test('with use-rsid-psync a reader goes on from page to page through the histories of the log', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const config = { 'use-rsid-psync': true }
  for (let start = 0; start < 2; start++) {
    await using s = await startServer({ dir, config })
    for (let i = 0; i < 20; i++) await s.run('set', `${start}:${i}`, i)
  }
  await using s = await startServer({ dir, config })
  await s.run('set', 'last', 1)
  const client = await s.connect()
  const range = (await client.value('sequence', 'range')) as ReplyValue[]
  let position = 0
  let id = range[range.indexOf('replid') + 1] as string
  const ids = new Set<string>()
  const keys: string[] = []
  while (position < s.server.store.latestSequence()) {
    const words = ['pollupdates', position, 'replid', id, 'max', 3, 'format', 'json'] as const
    const poll = (await client.value(...words)) as ReplyValue[]
    if (!Array.isArray(poll)) throw poll
    position = poll[1] as number
    id = poll[7] as string
    ids.add(id)
    for (const text of poll[5] as string[]) {
      const { key } = JSON.parse(text) as { key?: string }
      if (key !== undefined && key !== 'replication_id_') keys.push(key)
    }
  }
  t.equal(ids.size, 3)
  const written = [0, 1].flatMap((start) => Array.from({ length: 20 }, (_, i) => `${start}:${i}`))
  t.same(keys, [...written, 'last'])
})

test('a history goes on after a restart, and ends where the log may have lost its end', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const first = await startServer({ dir })
  await first.run('set', 'a', 1)
  const { id } = first.server.history
  await first.close()
  const second = await startServer({ dir })
  t.equal(second.server.history.id, id)
  second.server.sequenceTimes.note(1_000_000, 2_000_000_000_000)
  await second.close()
  // As after a crash of the machine: nothing says where the log ended.
  const path = join(dir, 'history')
  const left = readFileSync(path, 'utf8')
  t.match(left, /^[0-9a-f]{40} 0\nleft \d+\n$/)
  writeFileSync(path, left.replace(/left .*\n/, 'open of-before\n'))
  await using third = await startServer({ dir })
  t.not(third.server.history.id, id)
  t.equal(third.server.sequenceTimes.lastSequence, third.server.store.latestSequence())
  t.match(await third.run('pollupdates', 1, 'replid', id), /^\*8/)
  await third.run('set', 'a', 2)
  t.match(await third.run('pollupdates', 2, 'replid', id), /^-DIVERGED /)
  t.match(await third.run('pollupdates', 0, 'replid', id), /^\*8/)
  t.match(readFileSync(path, 'utf8'), /^[0-9a-f]{40} 0\n[0-9a-f]{40} \d+\n(?:open \S+\n)?$/)
  const history = new History(path, 2)
  history.replace()
  t.notOk(history.holds(id, 0))
})

test('a history outlives a server that is killed, but not the machine, nor a log that has lost its end', (t) => {
  const path = join(t.testdir(), 'history')
  const { id } = new History(path, 0, undefined, 'boot-1')
  t.equal(new History(path, 9, 9, 'boot-1').id, id, 'killed')
  const cut = new History(path, 8, 9, 'boot-1')
  t.not(cut.id, id, 'the log ends before what was seen')
  const rebooted = new History(path, 8, 8, 'boot-2')
  t.not(rebooted.id, cut.id, 'the machine began anew')
  rebooted.leave(8)
  t.equal(new History(path, 8, 8, 'boot-3').id, rebooted.id, 'closed in order')
  t.end()
})

test('POLLUPDATES REPLID tells the history to ask with next, for it may be a new one', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  const { id } = s.server.history
  await s.run('slaveof', '127.0.0.1', 1)
  await s.run('slaveof', 'no', 'one')
  await s.run('set', 'a', 2)
  for (const format of ['raw', 'resp', 'json']) {
    const reply = await s.run('pollupdates', 1, 'replid', id, 'format', format)
    t.match(reply, /^\*8\r\n\$13\r\nnext_sequence\r\n:2\r\n/)
    t.ok(reply.endsWith(`$6\r\nreplid\r\n$40\r\n${s.server.history.id}\r\n`), format)
  }
})
