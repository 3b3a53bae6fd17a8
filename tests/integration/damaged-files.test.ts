/** Files of the database that are damaged: the server says so, at the start or when it finds out, and harms nothing. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { BIN, startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

const KEYS = 100
const TIMEOUT = { timeout: 600_000 }
const directory = mkdtempSync(join(tmpdir(), 'kvrocks-ts-damage-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
const original = join(directory, 'original')

/** Hardly compressible, so that a file has many blocks. */
function textOf(name: string): string {
  return createHash('shake256', { outputLength: 3000 }).update(name).digest('base64')
}

/** Data in a table file, and more in the log alone: its server was killed. */
async function makeOriginal(): Promise<void> {
  const server = await startProcess(original)
  const client = await RawClient.connect(server.port)
  for (let at = 0; at < KEYS; at++) await client.run('set', `stored:${at}`, textOf(`stored:${at}`))
  await client.run('flushmemtable')
  for (let at = 0; at < KEYS; at++) await client.run('set', `logged:${at}`, textOf(`logged:${at}`))
  await server.end('SIGKILL')
}

const made = makeOriginal()

/** A copy of the original, in which `damage` has been done to the newest file whose name matches. */
async function damaged(name: string, pattern: RegExp, damage: (path: string) => void): Promise<string> {
  await made
  const dir = join(directory, name)
  cpSync(original, dir, { recursive: true })
  damage(join(dir, 'db', newest(join(dir, 'db'), pattern)))
  return dir
}

function newest(folder: string, pattern: RegExp): string {
  const name = readdirSync(folder)
    .filter((file) => pattern.test(file))
    .toSorted()
    .at(-1)
  if (name === undefined) throw new Error(`no file matches ${pattern}`)
  return name
}

function overwrite(path: string, at: number, bytes: number): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.alloc(bytes, 0xa5), 0, bytes, at)
  closeSync(fd)
}

/** Name and contents of the files that hold data. */
function contents(dir: string): Record<string, string> {
  const files = readdirSync(join(dir, 'db')).filter((file) => /\.sst$|\.log$|^MANIFEST|^CURRENT$/.test(file))
  return Object.fromEntries(
    files.map((file) => [
      file,
      createHash('sha1')
        .update(readFileSync(join(dir, 'db', file)))
        .digest('hex'),
    ]),
  )
}

const REFUSED: readonly [string, RegExp, (path: string) => void, RegExp][] = [
  ['a table file that is cut', /\.sst$/, (path) => truncateSync(path, statSync(path).size - 100), /\.sst/],
  ['a table file that is missing', /\.sst$/, (path) => rmSync(path), /No such file or directory/],
  ['a MANIFEST that is damaged', /^MANIFEST/, (path) => overwrite(path, 300, 50), /Corruption: .*MANIFEST/],
  ['a MANIFEST that is missing', /^MANIFEST/, (path) => rmSync(path), /MANIFEST.*No such file or directory/],
  ['a CURRENT that names none', /^CURRENT$/, (path) => writeFileSync(path, 'MANIFEST-999999\n'), /MANIFEST-999999/],
  ['a CURRENT that is empty', /^CURRENT$/, (path) => truncateSync(path, 0), /CURRENT file does not end with newline/],
  ['a CURRENT that is missing', /^CURRENT$/, (path) => rmSync(path), /no CURRENT/],
]

for (const [name, pattern, damage, message] of REFUSED) {
  test(`${name}: the start is refused with the reason, and changes nothing`, TIMEOUT, async (t) => {
    const dir = await damaged(name.replaceAll(' ', '-'), pattern, damage)
    const before = contents(dir)
    const run = spawnSync(process.execPath, [BIN, '--dir', dir, '--port', '0'], { encoding: 'utf8', timeout: 600_000 })
    t.equal(run.status, 1)
    t.match(run.stderr, /^E.*Failed to start server: /)
    t.match(run.stderr, message)
    t.same(contents(dir), before)
  })
}

/** How many of the keys are there as they were written, in order from the first. */
async function intact(t: Test, client: RawClient, prefix: string): Promise<number> {
  const values = (await client.value(
    'mget',
    ...Array.from({ length: KEYS }, (_, at) => `${prefix}:${at}`),
  )) as unknown[]
  const count = values.findIndex((value, at) => value !== textOf(`${prefix}:${at}`))
  if (count === -1) return KEYS
  t.ok(
    values.slice(count).every((value) => value === null),
    'what is missing is missing to the end',
  )
  return count
}

test('a log whose end was torn off by a crash opens without what was not written whole', TIMEOUT, async (t) => {
  const dir = await damaged('torn', /\.log$/, (path) => truncateSync(path, statSync(path).size - 7))
  const server = await startProcess(dir)
  const client = await RawClient.connect(server.port)
  t.equal(await intact(t, client, 'stored'), KEYS)
  t.equal(await intact(t, client, 'logged'), KEYS - 1)
  client.close()
  t.equal(await server.end(), 0)
  t.notMatch(readdirSync(dir).join(), 'damaged-wal')
})

test('a log that is damaged before its end: the loss is told, and the file kept', TIMEOUT, async (t) => {
  const dir = await damaged('middle', /\.log$/, (path) => overwrite(path, Math.floor(statSync(path).size / 2), 100))
  const file = newest(join(dir, 'db'), /\.log$/)
  const bytes = readFileSync(join(dir, 'db', file))
  const server = await startProcess(dir)
  const client = await RawClient.connect(server.port)
  t.equal(await intact(t, client, 'stored'), KEYS)
  const count = await intact(t, client, 'logged')
  t.ok(count > 0 && count < KEYS, `${count} of ${KEYS} are left`)
  t.match(
    readFileSync(join(dir, 'kvrocks.ERROR'), 'utf8'),
    new RegExp(
      `the write-ahead log ${file} is damaged \\(.*, \\d+ bytes\\): .*; the file is kept as .*/damaged-wal/${file}\n`,
    ),
  )
  t.ok(readFileSync(join(dir, 'damaged-wal', file)).equals(bytes))
  client.close()
  t.equal(await server.end(), 0)
})

test('a block that is damaged: its keys cannot be read, others can, and the log tells it once', TIMEOUT, async (t) => {
  const dir = await damaged('block', /\.sst$/, (path) => overwrite(path, 1000, 100))
  const server = await startProcess(dir)
  const client = await RawClient.connect(server.port)
  const replies = new Map<string, number>()
  for (let at = 0; at < KEYS; at++) {
    const reply = await client.run('get', `stored:${at}`)
    const kind = reply.startsWith('$') ? 'value' : reply.replace(/checksum.*/s, '')
    replies.set(kind, (replies.get(kind) ?? 0) + 1)
  }
  t.same([...replies.keys()].toSorted(), ['-ERR the database cannot be read: Corruption: block ', 'value'])
  t.equal(await intact(t, client, 'logged'), KEYS)
  t.equal(await client.run('set', 'new', 'x'), '+OK\r\n')
  client.close()
  t.equal(await server.end(), 0)
  const told = readFileSync(join(dir, 'kvrocks.ERROR'), 'utf8').match(/a command could not read the database/g)
  t.equal(told?.length, 1)
})
