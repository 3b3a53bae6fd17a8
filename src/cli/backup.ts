/** kvrocks-ts backup, restore and verify. */

import { existsSync } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection, type RespValue, ServerError } from '../cdc-client/redis-connection.js'
import { ArchiveError, ArchiveWriter } from '../replication/archive.js'
import {
  archiveOf,
  BackupError,
  type BackupInfo,
  checkpointStopped,
  copyCheckpoint,
  databaseOf,
  fileSizes,
  latestSequenceOf,
  openToRead,
  readInfo,
  writeInfo,
} from '../replication/backup-directory.js'
import { type RestoreOptions, restoreBackup } from '../replication/restore.js'
import { detectSlots, verifyDirectory } from '../replication/verify.js'
import { RocksDBError } from '../rocksdb/errors.js'
import { ProgressLine, type ProgressTarget, sizeText } from './progress.js'
import { readWords, type Words, wholeNumber } from './words.js'

export const BACKUP_USAGE = `Usage:
    kvrocks-ts backup DIR [--url <url>] [--link] [--follow | --catch-up]
                                      make a backup of a running server on this machine
    kvrocks-ts backup DIR --dir <dir>   … of the data directory of a stopped server
    kvrocks-ts restore --from DIR --to <dir> [--sequence <n> | --time <when>]
                                      make a data directory of a backup
    kvrocks-ts verify DIR             look whether a backup or a data directory is whole

Options:
    --url <url>        the server; default redis://127.0.0.1:6666
    --link             share files with the server instead of copying them: fast, and small, but a
                       failing disk then takes both
    --follow           go on, and archive the log beyond the backup, until a signal ends it; into a
                       backup that is there already, go on where it ended
    --catch-up         archive the log up to now, and end
    --sequence <n>     restore the state at this sequence of the change feed
    --time <when>      restore the state at this time: Unix milliseconds, or 2026-01-31T12:00:00Z
`

export interface BackupStreams {
  readonly output: ProgressTarget
  readonly errors: ProgressTarget
  readonly signal: AbortSignal
}

const URL_DEFAULT = 'redis://127.0.0.1:6666'
const SAVE_POLL_MS = 100
const BATCHES_MAX = 1000
const BLOCK_MS = 1000
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

/** Runs `backup`, `restore` or `verify`, with the words after it. Returns the exit code. */
export async function runBackup(action: string, words: readonly string[], streams: BackupStreams): Promise<number> {
  const run = prepare(action, words)
  if (run === undefined) {
    streams.errors.write(BACKUP_USAGE)
    return 1
  }
  try {
    return await run(streams)
  } catch (error) {
    if (streams.signal.aborted) return 0
    const isExpected =
      error instanceof BackupError ||
      error instanceof ArchiveError ||
      error instanceof RocksDBError ||
      error instanceof ServerError ||
      (error as NodeJS.ErrnoException).code !== undefined
    if (!isExpected) throw error
    streams.errors.write(`${(error as Error).message}\n`)
    return 1
  }
}

type Run = (streams: BackupStreams) => Promise<number>

function prepare(action: string, words: readonly string[]): Run | undefined {
  if (action === 'backup')
    return prepareBackup(readWords(words, ['--url', '--dir'], ['--follow', '--catch-up', '--link']))
  if (action === 'restore') return prepareRestore(readWords(words, ['--from', '--to', '--sequence', '--time'], []))
  const directory = readWords(words, [], [])?.plain
  return directory?.length === 1 ? (streams) => verify(directory[0] as string, streams) : undefined
}

function prepareBackup(words: Words | undefined): Run | undefined {
  if (words?.plain.length !== 1) return undefined
  const [directory] = words.plain as [string]
  const stopped = words.one('--dir')
  const archives = words.has('--follow') || words.has('--catch-up')
  if (stopped !== undefined && (archives || words.one('--url') !== undefined)) return undefined
  if (words.has('--follow') && words.has('--catch-up')) return undefined
  const links = words.has('--link')
  const url = words.one('--url') ?? URL_DEFAULT
  return async (streams) => {
    const progress = new ProgressLine(streams.errors)
    const present = await readInfo(directory)
    if (present === undefined) {
      await makeBackup(directory, links, progress, stopped === undefined ? { url } : { stopped })
    } else if (!archives) throw new BackupError(`${directory} holds a backup already`)
    if (archives) await new Follower(directory, url, words.has('--follow'), progress, streams.signal).run()
    return 0
  }
}

function prepareRestore(words: Words | undefined): Run | undefined {
  const from = words?.one('--from')
  const to = words?.one('--to')
  if (words === undefined || from === undefined || to === undefined || words.plain.length > 0) return undefined
  const [sequenceText, timeText] = [words.one('--sequence'), words.one('--time')]
  const sequence = wholeNumber(sequenceText)
  const timeMs = wholeNumber(timeText) ?? Date.parse(timeText ?? '')
  if (sequenceText !== undefined && (sequence === undefined || timeText !== undefined)) return undefined
  if (timeText !== undefined && Number.isNaN(timeMs)) return undefined
  const until = sequence !== undefined ? { sequence } : timeText !== undefined ? { timeMs } : {}
  return (streams) => restore({ from, to, ...until }, streams)
}

async function restore(options: RestoreOptions, { errors }: BackupStreams): Promise<number> {
  const progress = new ProgressLine(errors)
  const restored = await restoreBackup({
    ...options,
    onCopied: (done, whole) =>
      progress.show(() => `copying ${sizeText(done)} of ${sizeText(whole)}`, done / (whole || 1)),
    onApplied: (sequence) => progress.show(() => `applying the log: sequence ${sequence}`),
  })
  if (restored.cut !== undefined) progress.say(`the archive is cut: ${restored.cut}`)
  const log = `${restored.batches} batches (${sizeText(restored.bytes)}) of the log applied`
  progress.say(`restored to sequence ${restored.sequence} in ${progress.seconds.toFixed(1)} s, ${log}`)
  return 0
}

async function verify(directory: string, { output, errors }: BackupStreams): Promise<number> {
  const { faults, notes } = await verifyDirectory(directory)
  for (const note of notes) output.write(`${note}\n`)
  for (const fault of faults) errors.write(`${fault}\n`)
  output.write(faults.length === 0 ? 'whole\n' : `${faults.length} faults\n`)
  return faults.length === 0 ? 0 : 1
}

async function makeBackup(
  directory: string,
  links: boolean,
  progress: ProgressLine,
  source: { readonly url: string } | { readonly stopped: string },
): Promise<void> {
  const unfinished = join(directory, 'db.new')
  if (existsSync(databaseOf(directory))) throw new BackupError(`${databaseOf(directory)} is there, but no backup.json`)
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(archiveOf(directory), { recursive: true })
  const made =
    'url' in source ? await saveServer(source.url) : await saveStopped(source.stopped, `${unfinished}.checkpoint`)
  await copyCheckpoint(made.path, unfinished, links, (done, whole) =>
    progress.show(() => `copying ${sizeText(done)} of ${sizeText(whole)}`, done / (whole || 1)),
  )
  if (made.isTemporary) await rm(made.path, { recursive: true, force: true })
  const files = await fileSizes(unfinished)
  const sequence = latestSequenceOf(unfinished, made.slotEncoded)
  await rename(unfinished, databaseOf(directory))
  const info: BackupInfo = { format: 1, sequence, madeAtMs: made.madeAtMs, slotEncoded: made.slotEncoded, files }
  await writeInfo(directory, info)
  const bytes = Object.values(files).reduce((sum, size) => sum + size, 0)
  progress.say(`${sizeText(bytes)} at sequence ${sequence} saved in ${progress.seconds.toFixed(1)} s`)
}

interface Checkpoint {
  readonly path: string
  readonly isTemporary: boolean
  readonly madeAtMs: number
  readonly slotEncoded: boolean
}

async function saveStopped(dir: string, to: string): Promise<Checkpoint> {
  const path = existsSync(join(dir, 'db')) ? join(dir, 'db') : dir
  const rocks = openToRead(path, false)
  const slotEncoded = detectSlots(rocks)
  rocks.close()
  await mkdir(join(to, '..'), { recursive: true })
  await checkpointStopped(path, to, slotEncoded)
  return { path: to, isTemporary: true, madeAtMs: Date.now(), slotEncoded }
}

/** BGSAVE, and where the server has put it. */
async function saveServer(url: string): Promise<Checkpoint> {
  const connection = await RedisConnection.open(url)
  try {
    const setting = async (name: string): Promise<string> => {
      const reply = (await connection.command('CONFIG', 'GET', name)) as RespValue[]
      return String(reply[1] ?? '')
    }
    const path = await setting('backup-dir')
    const slotEncoded = (await setting('cluster-enabled')) === 'yes'
    const beginMs = await serverTimeMs(connection)
    await save(connection)
    const found = await stat(join(path, 'CURRENT')).catch(() => undefined)
    // The files' times have the grain of the file system's clock.
    if (found === undefined || !isAbsolute(path) || found.mtimeMs < beginMs - 1000) {
      throw new BackupError(
        `the server has saved to ${path}, which is not on this machine: run this where the server runs`,
      )
    }
    return { path, isTemporary: false, madeAtMs: await serverTimeMs(connection), slotEncoded }
  } finally {
    connection.close()
  }
}

async function save(connection: RedisConnection): Promise<void> {
  const isSaving = async (): Promise<boolean> => (await persistence(connection, 'bgsave_in_progress')) !== '0'
  // One that began before may lack what was written since.
  while (await isSaving()) await sleep(SAVE_POLL_MS)
  await connection.command('BGSAVE')
  while (await isSaving()) await sleep(SAVE_POLL_MS)
  if ((await persistence(connection, 'last_bgsave_status')) !== 'ok') {
    throw new BackupError('BGSAVE has failed: the log of the server says why')
  }
}

async function persistence(connection: RedisConnection, field: string): Promise<string> {
  const text = String(await connection.command('INFO', 'persistence'))
  const found = new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(text)?.[1]
  if (found === undefined) throw new BackupError(`INFO persistence of the server has no ${field}`)
  return found
}

async function serverTimeMs(connection: RedisConnection): Promise<number> {
  return timeOf(await connection.command('TIME'))
}

function timeOf(reply: RespValue | undefined): number {
  const [seconds, micros] = reply as RespValue[]
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

/** Archives the log beyond a backup. */
class Follower {
  readonly #directory: string
  readonly #url: string
  readonly #endless: boolean
  readonly #progress: ProgressLine
  readonly #signal: AbortSignal
  #connection: RedisConnection | undefined
  #bytes = 0

  constructor(directory: string, url: string, endless: boolean, progress: ProgressLine, signal: AbortSignal) {
    this.#directory = directory
    this.#url = url
    this.#endless = endless
    this.#progress = progress
    this.#signal = signal
  }

  /** Until the signal, or the end of the log. */
  async run(): Promise<void> {
    const info = (await readInfo(this.#directory)) as BackupInfo
    const archive = new ArchiveWriter(archiveOf(this.#directory))
    archive.next ??= info.sequence + 1
    if (archive.next > info.sequence + 1) this.#progress.say(`going on after sequence ${archive.next - 1}`)
    try {
      while (!this.#signal.aborted) {
        const isAtEnd = await this.#step(archive)
        if (isAtEnd && !this.#endless) break
      }
    } finally {
      archive.close()
      this.#connection?.close()
      this.#progress.say(`archived up to sequence ${archive.next - 1}, ${sizeText(this.#bytes)}`)
    }
  }

  /** True where the log had no more. */
  async #step(archive: ArchiveWriter): Promise<boolean> {
    const after = (archive.next as number) - 1
    const [polled, time] = await this.#poll(after)
    if (polled instanceof ServerError) {
      if (polled.code !== 'WALGAP') throw polled
      throw new BackupError(`the log of the server no longer holds sequence ${after + 1}: make a new backup`)
    }
    const reply = polled as RespValue[]
    const updates = reply[5] as Buffer[]
    const timeMs = timeOf(time)
    for (const hex of updates) {
      const batch = Buffer.from(hex.latin1Slice(), 'hex')
      archive.append(batch, timeMs)
      this.#bytes += batch.length
    }
    if (updates.length > 0) archive.sync()
    const latest = Number(reply[3])
    const behind = Math.max(0, latest - (archive.next as number) + 1)
    this.#progress.show(
      () => `archived up to sequence ${(archive.next as number) - 1}, ${sizeText(this.#bytes)}, ${behind} behind`,
    )
    return updates.length === 0 || behind === 0
  }

  /** Connects again, later and later, until the server answers. */
  async #poll(after: number): Promise<RespValue[]> {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#connection ??= await RedisConnection.open(this.#url, this.#signal)
        const words = ['POLLUPDATES', after, 'STRICT', 'MAX', BATCHES_MAX, 'FORMAT', 'RAW']
        if (this.#endless) words.push('BLOCK', BLOCK_MS)
        return await this.#connection.pipeline([words, ['TIME']])
      } catch (error) {
        if (this.#signal.aborted || error instanceof ServerError || !this.#endless) throw error
        this.#connection?.close()
        this.#connection = undefined
        this.#progress.say(`trying again: ${(error as Error).message}`)
        await sleep(waitMs, undefined, { signal: this.#signal })
      }
    }
  }
}
