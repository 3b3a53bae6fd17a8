/** A disk that is full: writes are refused, reads go on, and nothing that was acknowledged is lost. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { eventually } from '../support/eventually.js'
import { BIN, startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

const DISK_MIB = 48
const BALLAST_MIB = 16
const VALUE_BYTES = 20_000
const REFUSAL = /^-MISCONF the database cannot be written: IO error: No space left on device/
/** Small memtables, for what is in them has to fit into the space that is freed. */
const OPTIONS = { 'rocksdb.write_buffer_size': '2', 'rocksdb.wal_ttl_seconds': '3600' }

interface Disk {
  readonly dir: string
  readonly ballast: string
}

/** Mounts a disk of its own; why that cannot be done, or undefined. */
function mountDisk(dir: string): string | undefined {
  const options = ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'kvrocks-ts-test', dir]
  const { status, stderr, error } = spawnSync('mount', options, { encoding: 'utf8' })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}

function unmountDisk(dir: string): void {
  spawnSync('umount', ['-l', dir])
  rmdirSync(dir)
}

/** A small disk, and on it a file that can be removed. */
function smallDisk(t: Test): Disk {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-full-'))
  const failure = mountDisk(dir)
  t.teardown(() => unmountDisk(dir))
  if (failure !== undefined) throw new Error(failure)
  const ballast = join(dir, 'ballast')
  writeFileSync(ballast, Buffer.alloc(BALLAST_MIB * 2 ** 20))
  return { dir, ballast }
}

/** Root alone may mount, and not in every container. */
function whyNot(): string | false {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-full-'))
  const failure = mountDisk(dir)
  unmountDisk(dir)
  return failure === undefined ? false : `a small disk cannot be mounted: ${failure}`
}

const OPTIONS_OF_TEST = { skip: whyNot(), timeout: 600_000 }

/** Text that is different for each number and hardly compressible. */
function textOf(number: number): string {
  return createHash('shake256', { outputLength: (VALUE_BYTES / 4) * 3 })
    .update(String(number))
    .digest('base64')
}

const reply = (text: string): string => `$${text.length}\r\n${text}\r\n`

/** Writes keys until one is refused; the refusal. Those that were acknowledged are added to `acknowledged`. */
async function fill(client: RawClient, acknowledged: number[]): Promise<string> {
  for (let number = (acknowledged.at(-1) ?? -1) + 1; ; number++) {
    const answer = await client.run('set', `k${number}`, textOf(number))
    if (answer !== '+OK\r\n') return answer
    acknowledged.push(number)
  }
}

/** A server on a disk that is full, and the keys that it has acknowledged. */
async function fillDisk(t: Test) {
  const disk = smallDisk(t)
  const server = await startProcess(disk.dir, OPTIONS)
  const client = await RawClient.connect(server.port)
  const acknowledged: number[] = []
  t.match(await fill(client, acknowledged), REFUSAL)
  return { disk, server, client, acknowledged }
}

async function lostKeys(client: RawClient, acknowledged: readonly number[]): Promise<number[]> {
  const lost: number[] = []
  for (const number of acknowledged) {
    if ((await client.run('get', `k${number}`)) !== reply(textOf(number))) lost.push(number)
  }
  return lost
}

/** The keys of all changes that the feed tells, in its order. */
async function toldKeys(client: RawClient): Promise<string[]> {
  const keys: string[] = []
  for (let position = 0; ; ) {
    const answer = await client.value('pollupdates', position, 'strict', 'max', 200, 'format', 'json')
    const [, next, , , , updates] = answer as [string, number, string, number, string, string[]]
    if (updates.length === 0) return keys
    for (const update of updates) keys.push((JSON.parse(update) as { key: string }).key)
    position = next
  }
}

test(
  'a full disk refuses writes, serves reads and the feed, and takes writes again when space was freed',
  OPTIONS_OF_TEST,
  async (t) => {
    const { disk, server, client, acknowledged } = await fillDisk(t)
    t.ok(acknowledged.length > 100, `${acknowledged.length} keys fit`)
    t.same(await lostKeys(client, acknowledged), [])
    const expected = acknowledged.map((number) => `k${number}`)
    t.same(await toldKeys(client), expected)

    rmSync(disk.ballast)
    await eventually(async () => ((await client.run('set', 'more', 'x')) === '+OK\r\n' ? true : undefined))
    expected.push('more')
    t.same(await lostKeys(client, acknowledged), [])
    t.match(
      readFileSync(join(disk.dir, 'db/LOG'), 'utf8'),
      /^\d{4}\/\d\d\/\d\d-\d\d:\d\d:\d\d\.\d{6} \d+ RocksDB version: /,
    )
    t.same(await toldKeys(client), expected, 'the feed goes on behind what was refused')

    t.equal(await server.end('SIGKILL'), 'SIGKILL')
    const again = await startProcess(disk.dir, OPTIONS)
    const reader = await RawClient.connect(again.port)
    t.same(await lostKeys(reader, acknowledged), [])
    t.equal(await reader.run('get', 'more'), reply('x'))
    t.same(await toldKeys(reader), expected)
    reader.close()
    t.equal(await again.end(), 0)
  },
)

test(
  'killed on a full disk, it says why it cannot start, and starts when space was freed',
  OPTIONS_OF_TEST,
  async (t) => {
    const { disk, server, acknowledged } = await fillDisk(t)
    t.equal(await server.end('SIGKILL'), 'SIGKILL')

    const refused = spawnSync(process.execPath, [BIN, '--dir', disk.dir, '--port', String(server.port)], {
      encoding: 'utf8',
      timeout: 600_000,
    })
    t.equal(refused.status, 1)
    t.match(refused.stderr, /No space left on device/)

    rmSync(disk.ballast)
    const again = await startProcess(disk.dir, OPTIONS)
    const reader = await RawClient.connect(again.port)
    t.same(await lostKeys(reader, acknowledged), [])
    t.equal(await reader.run('set', 'more', 'x'), '+OK\r\n')
    reader.close()
    t.equal(await again.end(), 0)
  },
)
