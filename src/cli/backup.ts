/** kvrocks-ts backup, restore and verify. */

import { existsSync } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection, type RespValue, ServerError } from '../cdc-client/redis-connection.js'
import { ArchiveError } from '../replication/archive.js'
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
import { LinkError } from '../replication/master-socket.js'
import { type RestoreOptions, restoreBackup } from '../replication/restore.js'
import { detectSlots, verifyDirectory } from '../replication/verify.js'
import { RocksDBError } from '../rocksdb/errors.js'
import { Follower, makeSlot, timeOf } from './archive-follower.js'
import { ProgressLine, type ProgressTarget, sizeText } from './progress.js'
import { fetchCheckpoint } from './remote-checkpoint.js'
import { readWords, type Words, wholeNumber } from './words.js'

const BACKUP_USAGE = `Usage:
    kvrocks-ts backup DIR [--url <url>] [--link | --remote] [--follow | --catch-up] [--slot <name>]
                                      make a backup of a running server
    kvrocks-ts backup DIR --dir <dir>   … of the data directory of a stopped server
    kvrocks-ts restore --from DIR --to <dir> [--sequence <n> | --time <when>]
                                      make a data directory of a backup
    kvrocks-ts verify DIR             look whether a backup or a data directory is whole

Options:
    --url <url>        the server; default redis://127.0.0.1:6666
    --remote           the server is on another machine: fetch its files as a replica does, then
                       archive its log up to now
    --link             share files with the server instead of copying them: fast, and small, but a
                       failing disk then takes both
    --follow           go on, and archive the log beyond the backup, until a signal ends it; into a
                       backup that is there already, go on where it ended
    --catch-up         archive the log up to now, and end
    --slot <name>      a slot of the server keeps its log for this archive, also while nobody archives
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
      error instanceof LinkError ||
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
    return prepareBackup(
      readWords(words, ['--url', '--dir', '--slot'], ['--follow', '--catch-up', '--link', '--remote']),
    )
  if (action === 'restore') return prepareRestore(readWords(words, ['--from', '--to', '--sequence', '--time'], []))
  const directory = readWords(words, [], [])?.plain
  return directory?.length === 1 ? (streams) => verify(directory[0] as string, streams) : undefined
}

function prepareBackup(words: Words | undefined): Run | undefined {
  if (words?.plain.length !== 1) return undefined
  const [directory] = words.plain as [string]
  const stopped = words.one('--dir')
  const isRemote = words.has('--remote')
  const archives = words.has('--follow') || words.has('--catch-up') || isRemote
  const slot = words.one('--slot')
  if (stopped !== undefined && (archives || words.one('--url') !== undefined)) return undefined
  if (words.has('--follow') && words.has('--catch-up')) return undefined
  const links = words.has('--link')
  if ((links && isRemote) || (slot !== undefined && !archives)) return undefined
  const url = words.one('--url') ?? URL_DEFAULT
  return async (streams) => {
    const progress = new ProgressLine(streams.errors)
    const present = await readInfo(directory)
    if (present === undefined) {
      if (slot !== undefined) await prepareSlot(url, slot)
      const source = stopped !== undefined ? { stopped } : isRemote ? { remote: url } : { url }
      await makeBackup(directory, links, progress, source)
    } else if (!archives) throw new BackupError(`${directory} holds a backup already`)
    const endless = words.has('--follow')
    if (archives) await new Follower({ directory, url, slot, endless, progress, signal: streams.signal }).run()
    return 0
  }
}

/** Before the checkpoint, so that no change is lost between it and the archive. */
async function prepareSlot(url: string, slot: string): Promise<void> {
  const connection = await RedisConnection.open(url)
  await makeSlot(connection, slot).finally(() => connection.close())
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

/** A server on this machine, one that is stopped, or one on another machine. */
type Source = { readonly url: string } | { readonly stopped: string } | { readonly remote: string }

async function makeBackup(directory: string, links: boolean, progress: ProgressLine, source: Source): Promise<void> {
  const unfinished = join(directory, 'db.new')
  if (existsSync(databaseOf(directory))) throw new BackupError(`${databaseOf(directory)} is there, but no backup.json`)
  await mkdir(archiveOf(directory), { recursive: true })
  const made = await bringFiles(unfinished, links, progress, source)
  const files = await fileSizes(unfinished)
  const sequence = latestSequenceOf(unfinished, made.slotEncoded)
  await rename(unfinished, databaseOf(directory))
  const info: BackupInfo = { format: 1, sequence, madeAtMs: made.madeAtMs, slotEncoded: made.slotEncoded, files }
  await writeInfo(directory, info)
  const bytes = Object.values(files).reduce((sum, size) => sum + size, 0)
  progress.say(`${sizeText(bytes)} at sequence ${sequence} saved in ${progress.seconds.toFixed(1)} s`)
}

interface CheckpointFacts {
  readonly madeAtMs: number
  readonly slotEncoded: boolean
}

interface Checkpoint extends CheckpointFacts {
  readonly path: string
  readonly isTemporary: boolean
}

async function bringFiles(
  to: string,
  links: boolean,
  progress: ProgressLine,
  source: Source,
): Promise<CheckpointFacts> {
  if ('remote' in source) {
    await fetchCheckpoint(source.remote, to, progress)
    const connection = await RedisConnection.open(source.remote)
    try {
      const slotEncoded = (await setting(connection, 'cluster-enabled')) === 'yes'
      return { slotEncoded, madeAtMs: await serverTimeMs(connection) }
    } finally {
      connection.close()
    }
  }
  await rm(to, { recursive: true, force: true })
  const made = 'url' in source ? await saveServer(source.url) : await saveStopped(source.stopped, `${to}.checkpoint`)
  await copyCheckpoint(made.path, to, links, (done, whole) =>
    progress.show(() => `copying ${sizeText(done)} of ${sizeText(whole)}`, done / (whole || 1)),
  )
  if (made.isTemporary) await rm(made.path, { recursive: true, force: true })
  return made
}

async function setting(connection: RedisConnection, name: string): Promise<string> {
  const reply = (await connection.command('CONFIG', 'GET', name)) as RespValue[]
  return String(reply[1] ?? '')
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
    const path = await setting(connection, 'backup-dir')
    const slotEncoded = (await setting(connection, 'cluster-enabled')) === 'yes'
    const beginMs = await serverTimeMs(connection)
    if (!isAbsolute(path)) {
      throw new BackupError(`the server saves to ${path}, below the directory that it was started in: take --remote`)
    }
    await save(connection)
    const found = await stat(join(path, 'CURRENT')).catch(() => undefined)
    // The files' times have the grain of the file system's clock.
    if (found === undefined || found.mtimeMs < beginMs - 1000) {
      throw new BackupError(`the server has saved to ${path}, which is not on this machine: take --remote`)
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
