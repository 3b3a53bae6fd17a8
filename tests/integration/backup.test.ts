/** Backups: made of a running and of a stopped server, brought back to a sequence or a time, and checked. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type Test, test } from 'tap'
import { runBackup } from '../../src/cli/backup.js'
import { readArchive } from '../../src/replication/archive.js'
import { cutBatch } from '../../src/replication/restore.js'
import { eventually } from '../support/eventually.js'
import { BIN } from '../support/process.js'
import { startServer, type TestServer } from '../support/server.js'

function temporary(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'backup-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

interface Outcome {
  readonly code: number
  readonly text: string
}

async function run(action: string, ...words: string[]): Promise<Outcome> {
  let text = ''
  const target = {
    write(line: string) {
      text += line
    },
  }
  const code = await runBackup(action, words, { output: target, errors: target, signal: new AbortController().signal })
  return { code, text }
}

/** A key of each type, and what changes each of them. */
const WRITES: readonly (readonly (string | number)[])[] = [
  ['set', 'string', 'one'],
  ['set', 'brief', 'x', 'px', 3_600_000],
  ['hset', 'hash', 'a', 1, 'b', 2],
  ['rpush', 'list', 'a', 'b', 'c'],
  ['sadd', 'set', 'a', 'b'],
  ['zadd', 'zset', '0.1', 'a', '2e300', 'b'],
  ['setbit', 'bitmap', 9000, 1],
  ['pfadd', 'log', 'a', 'b'],
  ['xadd', 'stream', '1-1', 'f', 'v'],
  ['xgroup', 'create', 'stream', 'g', 0],
  ['siadd', 'ints', 5, 6],
  ['append', 'string', '+two'],
  ['hdel', 'hash', 'a'],
  ['linsert', 'list', 'before', 'b', 'x'],
  ['rename', 'set', 'renamed'],
  ['zincrby', 'zset', '1e-9', 'a'],
  ['xreadgroup', 'group', 'g', 'c', 'streams', 'stream', '>'],
  ['mset', 'm1', 1, 'm2', 2],
  ['del', 'list', 'hash'],
  ['persist', 'brief'],
]

/** What DUMP says of each key, and what the types without it hold. */
async function contents(server: TestServer): Promise<Record<string, string>> {
  const client = await server.connect()
  const keys = ((await client.value('keys', '*')) as unknown as Buffer[]).map(String).sort()
  const found: Record<string, string> = {}
  for (const key of keys) {
    const dumped = key === 'ints' ? await client.run('sirange', key, 0, -1) : await client.run('dump', key)
    found[key] = `${await client.run('pexpiretime', key)}${dumped}`
  }
  client.close()
  return found
}

async function sequenceOf(server: TestServer): Promise<number> {
  return Number((await server.run('sequence')).slice(1))
}

test('a backup is restored to exactly the state at each sequence', { timeout: 600_000 }, async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer({ usesRealClock: true })
  const url = `redis://127.0.0.1:${source.port}`
  await source.run('set', 'before', 'the backup')
  const made = await run('backup', backup, '--url', url)
  t.equal(made.code, 0, made.text)
  const states = new Map<number, Record<string, string>>()
  states.set(await sequenceOf(source), await contents(source))
  for (const [index, words] of WRITES.entries()) {
    await source.run(...words)
    states.set(await sequenceOf(source), await contents(source))
    // In several runs, each of which goes on where the last one ended.
    if (index % 7 === 0) t.equal((await run('backup', backup, '--url', url, '--catch-up')).code, 0)
  }
  await source.run('flushall')
  await source.run('set', 'after', 'the damage')
  t.equal((await run('backup', backup, '--url', url, '--catch-up')).code, 0)
  const last = await sequenceOf(source)
  t.equal((await run('verify', backup)).code, 0)
  for (const [sequence, expected] of states) {
    const to = join(directory, String(sequence))
    const restored = await run('restore', '--from', backup, '--to', to, '--sequence', String(sequence))
    t.match(restored, { code: 0, text: `restored to sequence ${sequence} ` })
    await using server = await startServer({ dir: to, usesRealClock: true })
    t.equal(await sequenceOf(server), sequence)
    t.same(await contents(server), expected, `the state at ${sequence}`)
  }
  const whole = join(directory, 'whole')
  t.match(await run('restore', '--from', backup, '--to', whole), { code: 0, text: `restored to sequence ${last} ` })
  t.match(await run('restore', '--from', backup, '--to', whole), { code: 1, text: /holds a database already/ })
  const later = String(last + 1)
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'later'), '--sequence', later), {
    code: 1,
    text: `the archive ends at sequence ${last}: ${later} is not in it\n`,
  })
  t.notOk(existsSync(join(directory, 'later', 'db')))
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'early'), '--sequence', '0'), {
    code: 1,
    text: /the backup was made at sequence \d+: 0 needs an older one/,
  })
  t.same(source.logged, [])
})

test('a backup is restored to a time', async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer()
  const url = `redis://127.0.0.1:${source.port}`
  const catchUp = async (): Promise<unknown> =>
    t.match(await run('backup', backup, '--url', url, '--catch-up'), { code: 0 })
  await source.run('set', 'k', 0)
  // BGSAVE's file must not be older than the clock says.
  t.equal((await run('backup', backup, '--url', url)).code, 0)
  for (const value of [1, 2, 3]) {
    source.advance(10_000)
    await source.run('set', 'k', value)
    await catchUp()
  }
  const [seconds] = (await (await source.connect()).value('time')) as unknown as Buffer[]
  const endMs = Number(seconds) * 1000
  for (const [timeMs, expected] of [
    [endMs - 20_001, '0'],
    [endMs - 20_000, '1'],
    [endMs - 1, '2'],
    [endMs, '3'],
  ] as const) {
    const to = join(directory, String(timeMs))
    t.match(await run('restore', '--from', backup, '--to', to, '--time', String(timeMs)), { code: 0 })
    await using server = await startServer({ dir: to })
    t.equal(await server.run('get', 'k'), `$1\r\n${expected}\r\n`)
  }
  const before = new Date(endMs - 40_000).toISOString()
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'x'), '--time', before), {
    code: 1,
    text: /needs an older one/,
  })
})

test('damage is told, and never restored', async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer({ usesRealClock: true })
  const url = `redis://127.0.0.1:${source.port}`
  await source.run('set', 'k', 'x'.repeat(5000))
  await source.server.store.rocks.flush()
  await source.run('set', 'logged', 'x'.repeat(5000))
  t.equal((await run('backup', backup, '--url', url)).code, 0)
  for (let i = 0; i < 5; i++) await source.run('set', `k${i}`, 'y'.repeat(100))
  t.equal((await run('backup', backup, '--url', url, '--catch-up')).code, 0)
  const last = await sequenceOf(source)
  t.match(await run('backup', backup, '--url', url), { code: 1, text: /holds a backup already/ })

  const damaged = (name: string): string => {
    const copy = join(directory, name)
    cpSync(backup, copy, { recursive: true })
    return copy
  }
  const cut = damaged('cut')
  const [segment = ''] = readdirSync(join(cut, 'wal'))
  const path = join(cut, 'wal', segment)
  truncateSync(path, statSync(path).size - 3)
  t.match(await run('restore', '--from', cut, '--to', join(cut, 'to'), '--sequence', String(last)), {
    code: 1,
    text: /the archive ends at sequence \d+ \(.* is cut in the record at offset \d+\): \d+ is not in it/,
  })
  t.match(await run('restore', '--from', cut, '--to', join(cut, 'to')), { code: 0, text: /restored to sequence/ })
  t.match(await run('backup', cut, '--url', url, '--catch-up'), { code: 0 }, 'an archiver goes on behind the cut')
  t.match(await run('verify', cut), { code: 0 })

  const flipped = damaged('flipped')
  const bytes = readFileSync(join(flipped, 'wal', segment))
  bytes[60] = (bytes[60] as number) ^ 1
  writeFileSync(join(flipped, 'wal', segment), bytes)
  const told = { code: 1, text: /the record at offset 8 is damaged \(wrong checksum\)/ }
  t.match(await run('restore', '--from', flipped, '--to', join(flipped, 'to')), told)
  t.match(await run('verify', flipped), told)

  const gone = damaged('gone')
  const table = readdirSync(join(gone, 'db')).find((name) => name.endsWith('.sst')) as string
  rmSync(join(gone, 'db', table))
  t.match(await run('restore', '--from', gone, '--to', join(gone, 'to')), { code: 1, text: `${table} is missing` })
  t.match(await run('verify', gone), { code: 1, text: `${table} is missing` })

  const rotten = damaged('rotten')
  const rows = readFileSync(join(rotten, 'db', table))
  rows[20] = (rows[20] as number) ^ 1
  writeFileSync(join(rotten, 'db', table), rows)
  t.match(await run('verify', rotten), { code: 1, text: /Corruption/ })
  const [log = ''] = readdirSync(join(rotten, 'db')).filter((name) => name.endsWith('.log'))
  const logged = readFileSync(join(rotten, 'db', log))
  logged[100] = (logged[100] as number) ^ 1
  writeFileSync(join(rotten, 'db', log), logged)
  copyFileSync(join(backup, 'db', table), join(rotten, 'db', table))
  t.match(await run('verify', rotten), { code: 1, text: /the checkpoint is at sequence \d+ instead of \d+/ })
  t.match(await run('restore', '--from', rotten, '--to', join(rotten, 'to')), { code: 1, text: /log is damaged/ })
  copyFileSync(join(backup, 'db', log), join(rotten, 'db', log))
  t.match(await run('verify', rotten), { code: 0, text: /whole/ })
})

test('a stopped server is backed up, and its directory verified; a running one is refused', async (t) => {
  const directory = temporary(t)
  const dir = join(directory, 'data')
  {
    await using server = await startServer({ dir, usesRealClock: true })
    await server.run('rpush', 'list', 'a', 'b')
    await server.run('set', 'k', 'v')
    t.match(await run('backup', join(directory, 'x'), '--dir', dir), { code: 1, text: /is in use/ })
  }
  t.match(await run('verify', dir), { code: 0, text: /keys: 1 string, 1 list|keys: 1 list, 1 string/ })
  const backup = join(directory, 'backup')
  t.match(await run('backup', backup, '--dir', dir), { code: 0 })
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'to')), { code: 0 })
  await using server = await startServer({ dir: join(directory, 'to') })
  t.equal(await server.run('lrange', 'list', 0, -1), '*2\r\n$1\r\na\r\n$1\r\nb\r\n')
})

test('no operation is cut in two', async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer({ usesRealClock: true })
  const url = `redis://127.0.0.1:${source.port}`
  t.equal((await run('backup', backup, '--url', url)).code, 0)
  const client = await source.connect()
  client.write(
    '*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n*6\r\n$4\r\nhset\r\n$1\r\nh\r\n$1\r\nf\r\n$1\r\n1\r\n$1\r\ng\r\n$1\r\n2\r\n',
  )
  await client.nextReply()
  await client.nextReply()
  t.equal((await run('backup', backup, '--url', url, '--catch-up')).code, 0)
  const [batch] = [...readArchive(join(backup, 'wal'))]
  if (batch === undefined) throw new Error('a batch is archived')
  t.equal(batch.count, 4)
  const inside = `sequence 3 lies within one operation, 2 to 4: restore to 1 or to 4`
  t.throws(() => cutBatch(batch.data, 3), { message: inside })
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'to'), '--sequence', '3'), {
    code: 1,
    text: inside,
  })
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'to'), '--sequence', '1'), { code: 0 })
  await using server = await startServer({ dir: join(directory, 'to') })
  t.equal(await server.run('keys', '*'), '*1\r\n$1\r\na\r\n')
})

test('where a server keeps its files by a path of its own, it says to fetch them', async (t) => {
  const directory = temporary(t)
  await using source = await startServer({ dir: relative(process.cwd(), join(directory, 'data')) })
  t.match(await run('backup', join(directory, 'x'), '--url', `redis://127.0.0.1:${source.port}`), {
    code: 1,
    text: /below the directory that it was started in: take --remote/,
  })
})

test('the files of a server elsewhere are fetched as a replica does, and its log up to now', async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer({ usesRealClock: true, config: { requirepass: 'secret' } })
  await source.run('auth', 'secret')
  await source.run('set', 'before', 1)
  await source.server.store.rocks.flush()
  const url = `redis://:secret@127.0.0.1:${source.port}`
  t.match(await run('backup', join(directory, 'x'), '--url', `redis://:wrong@127.0.0.1:${source.port}`, '--remote'), {
    code: 1,
    text: /refuses AUTH/,
  })
  t.match(await run('backup', backup, '--url', url, '--remote'), { code: 0 })
  await source.run('set', 'after', 1)
  // The checkpoint that the server still has is used again.
  const second = join(directory, 'second')
  t.match(await run('backup', second, '--url', url, '--remote'), { code: 0 })
  t.match(await run('verify', second), { code: 0 })
  const to = join(directory, 'to')
  t.match(await run('restore', '--from', second, '--to', to), { code: 0 })
  await using server = await startServer({ dir: to })
  t.equal(await server.run('mget', 'before', 'after'), '*2\r\n$1\r\n1\r\n$1\r\n1\r\n')
})

test('a slot keeps the log for an archive', async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer({
    usesRealClock: true,
    config: { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 },
  })
  const url = `redis://127.0.0.1:${source.port}`
  t.match(await run('backup', backup, '--url', url, '--catch-up', '--slot', 'archive'), { code: 0 })
  const writeAndPrune = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await source.run('set', `k${i}`, 'x')
      await source.server.store.rocks.flush()
    }
    source.server.store.retention.prune(Date.now())
  }
  await writeAndPrune()
  t.match(await run('backup', backup, '--url', url, '--catch-up', '--slot', 'archive'), { code: 0 })
  const last = await sequenceOf(source)
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'to')), {
    code: 0,
    text: `restored to sequence ${last} `,
  })
  await source.run('cdc', 'slot', 'drop', 'archive')
  await writeAndPrune()
  t.match(await run('backup', backup, '--url', url, '--catch-up'), { code: 1, text: /no longer holds sequence/ })
})

test('an archiver that is killed goes on where it was, and ends at a signal', { timeout: 600_000 }, async (t) => {
  const directory = temporary(t)
  const backup = join(directory, 'backup')
  await using source = await startServer({ usesRealClock: true })
  const url = `redis://127.0.0.1:${source.port}`
  const follow = (): ChildProcess => spawn(process.execPath, [BIN, 'backup', backup, '--url', url, '--follow'])
  const archived = (key: string): Promise<true> =>
    eventually(() => {
      const folder = join(backup, 'wal')
      const files = existsSync(folder) ? readdirSync(folder) : []
      return files.some((name) => readFileSync(join(folder, name)).includes(key)) ? true : undefined
    })
  const first = follow()
  t.teardown(() => first.kill('SIGKILL'))
  await eventually(() => (existsSync(join(backup, 'backup.json')) ? true : undefined))
  await source.run('set', 'before the kill', 1)
  await archived('before the kill')
  first.kill('SIGKILL')
  await source.run('set', 'meanwhile', 1)
  const second = follow()
  t.teardown(() => second.kill('SIGKILL'))
  await source.run('set', 'at last', 1)
  await archived('at last')
  second.kill('SIGINT')
  const [code] = (await once(second, 'exit')) as [number | null]
  t.equal(code, 0)
  t.match(await run('restore', '--from', backup, '--to', join(directory, 'to')), { code: 0 })
  await using server = await startServer({ dir: join(directory, 'to') })
  t.equal(await server.run('dbsize'), ':3\r\n')
})

test('words that make no sense get the usage', async (t) => {
  for (const words of [
    [],
    ['a', 'b'],
    ['a', '--dir', 'b', '--follow'],
    ['a', '--link', '--url'],
    ['a', '--link', '--remote'],
    ['a', '--slot', 'b'],
    ['a', '--what', 'b'],
  ]) {
    t.match(await run('backup', ...words), { code: 1, text: /^Usage:/ })
  }
  for (const words of [
    ['--from', 'a'],
    ['--from', 'a', '--to', 'b', '--time', 'soon'],
    ['--from', 'a', '--to', 'b', '--sequence', '-1'],
  ]) {
    t.match(await run('restore', ...words), { code: 1, text: /^Usage:/ })
  }
  t.match(await run('verify', '/nowhere/at/all'), { code: 1, text: /holds neither a backup nor a database/ })
})
