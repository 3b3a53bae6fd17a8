import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { type ServerProcess, startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'
import type { ReplyValue } from '../support/resp.js'

/** SLOT_LOAD_MIB=1024 TAP_TIMEOUT=600 takes a minute or two: an idle slot with 64 MiB under a load of 1 GiB. */
const LOAD_MIB = Number(process.env['SLOT_LOAD_MIB'] ?? 32)
const MIB = 1024 * 1024
/** What may be written between two looks at the log, on a machine that has other work too. */
const SLACK_BYTES = 20 * 1024 * 1024
const CAP_BYTES = (LOAD_MIB / 16) * MIB
const VALUE = 'v'.repeat(16 * 1024)
const WRITES = (LOAD_MIB * MIB) / VALUE.length
const PIPELINED = 32
const OPTIONS = {
  'rocksdb.wal_ttl_seconds': '0',
  'rocksdb.wal_size_limit_mb': '0',
  'rocksdb.write_buffer_size': String(Math.max(1, LOAD_MIB / 64)),
}

/** Sets `k:<from>` to `k:<to - 1>`; returns how far it came before the connection broke. */
async function write(port: number, from: number, to: number, onWritten: (bytes: number) => void): Promise<number> {
  const client = await RawClient.connect(port)
  let at = from
  try {
    for (; at < to; at += PIPELINED) {
      for (let i = at; i < at + PIPELINED; i++) client.send('set', `k:${i}`, VALUE)
      for (let i = at; i < at + PIPELINED; i++) await client.nextReply()
      onWritten(PIPELINED * VALUE.length)
    }
  } catch {
    return at
  }
  client.close()
  return at
}

/** Reads the slot until `isDone`, or the connection breaks; tells each change's key and sequence. */
async function read(
  port: number,
  slot: string,
  tell: (key: string, sequence: number) => void,
  isDone: () => boolean,
): Promise<void> {
  const client = await RawClient.connect(port)
  try {
    for (let position: number | string = '>'; !isDone(); ) {
      const reply = (await client.value(
        ...['pollupdates', position, 'slot', slot, 'max', 1000, 'format', 'json', 'bytes', MIB, 'block', 200],
      )) as ReplyValue[]
      if (!Array.isArray(reply)) throw new Error(JSON.stringify(reply))
      for (const text of reply[5] as string[]) {
        const { key, sequence } = JSON.parse(text)
        tell(key, sequence)
      }
      position = reply[1] as number
    }
  } finally {
    client.close()
  }
}

interface Sample {
  readonly atMs: number
  /** Bytes of values so far. */
  readonly written: number
  /** Of them, what the reader has yet to get. */
  readonly unread: number
  readonly archived: number
}

/** Archived bytes that neither wait for the reader nor were written after the server last had to look. */
function excess({ atMs, written, unread, archived }: Sample, samples: readonly Sample[]): number {
  const before = samples.findLast((sample) => sample.atMs <= atMs - 3000)?.written ?? 0
  return archived - Math.max(unread, written - before)
}

function archiveBytes(dir: string): number {
  const path = join(dir, 'db/archive')
  if (!existsSync(path)) return 0
  return readdirSync(path).reduce((sum, name) => {
    // It may vanish meanwhile.
    return sum + (statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0)
  }, 0)
}

async function slotState(port: number, slot: string): Promise<string> {
  const client = await RawClient.connect(port)
  const reply = (await client.value('cdc', 'slot', 'info', slot)) as ReplyValue[]
  client.close()
  return String(reply[reply.indexOf('state') + 1])
}

function logLines(dir: string, text: string): number {
  const names = readdirSync(dir).filter((name) => name.includes('WARNING') && statSync(join(dir, name)).isFile())
  const lines = new Set(names.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n')))
  return [...lines].filter((line) => line.includes(text)).length
}

test(`an idle slot of ${CAP_BYTES / MIB} MiB is lost under a load of ${LOAD_MIB} MiB, and a slot that reads on is not, through kill -9`, {
  timeout: 600_000,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-slots-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  let server: ServerProcess = await startProcess(dir, OPTIONS)
  t.teardown(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) await server.end('SIGKILL')
  })
  const admin = await RawClient.connect(server.port)
  // What the reader got in the second before the kill is told to nobody: it may be all that was written.
  for (const [name, bytesMax] of [
    ['idle', CAP_BYTES],
    ['reader', 4 * LOAD_MIB * MIB],
  ] as const) {
    t.equal(await admin.run('cdc', 'slot', 'create', name, 'maxbytes', bytesMax), ':0\r\n')
  }
  admin.close()

  const seen = new Map<string, number>()
  let lastSequence = 0
  let repeated = 0
  const tell = (key: string, sequence: number): void => {
    if (seen.has(key)) repeated++
    else if (sequence !== lastSequence + 1) t.fail(`after sequence ${lastSequence} came ${sequence}`)
    lastSequence = Math.max(lastSequence, sequence)
    seen.set(key, sequence)
  }
  const samples: Sample[] = []
  let written = 0
  const sampler = setInterval(
    () =>
      samples.push({
        atMs: Date.now(),
        written,
        unread: written - seen.size * VALUE.length,
        archived: archiveBytes(dir),
      }),
    100,
  )
  const count = (bytes: number): void => {
    written += bytes
  }

  const half = WRITES / 2
  const firstReader = read(server.port, 'reader', tell, () => false).catch(() => {})
  const firstWriter = write(server.port, 0, WRITES, count)
  await eventually(() => (written >= half * VALUE.length ? true : undefined))
  await server.end('SIGKILL')
  await firstReader
  const reached = await firstWriter

  server = await startProcess(dir, OPTIONS)
  await Promise.all([
    read(server.port, 'reader', tell, () => seen.size >= WRITES),
    write(server.port, reached, WRITES, count),
  ])
  clearInterval(sampler)
  t.equal(seen.size, WRITES, 'every change came')
  t.equal(
    await eventually(async () => ((await slotState(server.port, 'idle')) === 'lost' ? 'lost' : undefined)),
    'lost',
  )
  t.not(await slotState(server.port, 'reader'), 'lost')
  await eventually(() => (archiveBytes(dir) <= CAP_BYTES ? true : undefined))
  const last = await RawClient.connect(server.port)
  t.match(await last.run('pollupdates', '>', 'slot', 'idle'), /^-SLOTLOST slot idle has lost its place at sequence 1: /)
  last.close()
  t.equal(await server.end(), 0)
  t.equal(logLines(dir, 'slot idle has lost its place'), 1, 'one log line')
  const worst = Math.max(...samples.map((sample) => excess(sample, samples)))
  // The log is looked at once a second: what a fast writer adds meanwhile comes on top.
  t.ok(worst <= CAP_BYTES + SLACK_BYTES, `${worst} bytes were kept for the idle slot`)
  const most = Math.max(...samples.map(({ archived }) => archived))
  t.comment(`at most ${Math.round(most / MIB)} MiB archived, ${repeated} changes repeated after kill -9`)
})
