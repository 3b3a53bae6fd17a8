/**
 * A replica's copy of its master's checkpoint, gathered in `<dir>/sync_checkpoint`. Data files that an earlier attempt
 * has brought stay: their names are numbers that RocksDB gives only once. All other files may have grown under the same
 * name, so they are fetched anew. Which master the files are from stands beside them; another one's are thrown away.
 * Source: kvrocks src/cluster/replication.cc, fullSyncReadCB, parallelFetchFile, fetchFile.
 */

import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bytes } from '../bytes/bytes.js'
import { crc32c } from '../bytes/crc32c.js'
import { syncDirectory } from '../files/replace-file.js'
import type { Log } from '../log/log.js'
import { LinkError, type MasterSocket } from './master-socket.js'
import { backupFiles, checkpointFiles, type SyncFile } from './sync-files.js'

export interface FullSyncParts {
  readonly directory: string
  /** The master is of a version that sends backups instead of checkpoints, file by file. */
  readonly sendsBackups: boolean
  /** What names the master: files of another one are of no use. */
  readonly source: string
  readonly log: Log
  /** A connection on which commands may be sent. */
  readonly connect: () => Promise<MasterSocket>
  /** The master is given up if it does not say within this time which files there are: it makes a checkpoint first. */
  readonly listTimeoutMs: number
  /** Time without a byte after which the master is given up; 0 = none. */
  readonly receiveTimeoutMs: number
  /** Pause after each file. */
  readonly fileDelayMs: number
}

/** A checkpoint of hard links takes seconds, one that has to copy takes minutes. */
export const LIST_MS_MAX = 600_000
/** More files than this come over several connections. */
const FILES_PER_CONNECTION = 20
const CONNECTIONS = 4
const PIECE_BYTES = 1024 * 1024
/** A write to a file costs a thread's attention, which a server on the same machine lacks: few bytes are not worth it. */
const WRITE_BYTES_MIN = 256 * 1024
const KEPT = /^[0-9]+\.(?:sst|blob)$/
const LIST_BYTES_MAX = 64 * 1024 * 1024
/** Lies beside the directory, which holds nothing but the database. */
const SOURCE_SUFFIX = '.source'

export class FullSync {
  readonly #parts: FullSyncParts
  readonly #sockets = new Set<MasterSocket>()
  #total = 0
  #fetched = 0
  #skipped = 0
  bytes = 0

  constructor(parts: FullSyncParts) {
    this.#parts = parts
  }

  /** Files that are there, and files in all. */
  get progress(): { files: number; total: number } {
    return { files: this.#fetched + this.#skipped, total: this.#total }
  }

  /** Asks which files there are. Rejects with a LinkError. */
  async list(): Promise<SyncFile[]> {
    const socket = await this.#open()
    try {
      socket.send('_fetch_meta')
      if (this.#parts.sendsBackups) return await this.#listBackup(socket)
      const line = await socket.line(this.#parts.listTimeoutMs)
      if (line.startsWith('-')) throw new LinkError(`Failed to fetch meta info: ${line}`)
      return checkpointFiles(line)
    } finally {
      this.#close(socket)
    }
  }

  /** A line with the number of the backup, one with the length of the list, the list. */
  async #listBackup(socket: MasterSocket): Promise<SyncFile[]> {
    const { listTimeoutMs, receiveTimeoutMs } = this.#parts
    const id = await socket.line(listTimeoutMs)
    if (!/^[1-9][0-9]*$/.test(id)) throw new LinkError(`Failed to fetch meta id: ${id.slice(0, 100)}`)
    const size = await socket.line(receiveTimeoutMs)
    if (!/^[1-9][0-9]*$/.test(size) || Number(size) > LIST_BYTES_MAX) {
      throw new LinkError(`Failed to fetch meta size: ${size.slice(0, 100)}`)
    }
    const pieces: Bytes[] = []
    for (let left = Number(size); left > 0; left -= pieces.at(-1)?.length ?? 0) {
      pieces.push(await this.#piece(socket, left))
    }
    return backupFiles(Buffer.concat(pieces).toString('latin1'))
  }

  /** Brings these files into the directory. Rejects with a LinkError. */
  async fetch(files: readonly SyncFile[]): Promise<void> {
    const kept = await this.#prepare(files)
    this.#total = files.length
    const shares = files.length > FILES_PER_CONNECTION ? CONNECTIONS : 1
    const all = Array.from({ length: shares }, (_, share) =>
      this.#fetchShare(files.filter((file, index) => index % shares === share && !this.#isThere(file, kept))),
    )
    try {
      await Promise.all(all)
    } catch (error) {
      this.disconnect()
      await Promise.allSettled(all)
      throw error
    }
    await syncDirectory(this.#parts.directory)
  }

  /** Ends what is under way, with a LinkError. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.close()
  }

  /** Throws away all that was fetched. */
  async discard(): Promise<void> {
    await discardFiles(this.#parts.directory)
  }

  /** Names of the files that may stay. */
  async #prepare(files: readonly SyncFile[]): Promise<ReadonlySet<string>> {
    const { directory, source } = this.#parts
    const from = await readFile(directory + SOURCE_SUFFIX, 'utf8').catch(() => undefined)
    if (from !== source) await this.discard()
    await mkdir(directory, { recursive: true })
    await writeFile(directory + SOURCE_SUFFIX, source)
    const wanted = new Map(files.map((file) => [file.name, file]))
    const kept = new Set<string>()
    for (const name of await readdir(directory)) {
      const file = wanted.get(name)
      if (file !== undefined && KEPT.test(name) && (await isIntact(join(directory, name), file.crc))) kept.add(name)
      else await rm(join(directory, name), { recursive: true, force: true })
    }
    return kept
  }

  #isThere({ name, crc }: SyncFile, kept: ReadonlySet<string>): boolean {
    if (!kept.has(name)) return false
    this.#skipped++
    this.#parts.log.info(`[skip] ${name} ${crc}, ${this.#counts()}`)
    return true
  }

  async #fetchShare(files: readonly SyncFile[]): Promise<void> {
    if (files.length === 0) return
    const { sendsBackups, fileDelayMs, log } = this.#parts
    const socket = await this.#open()
    try {
      if (!sendsBackups) socket.send('_fetch_file', files.map(({ path }) => path).join(','))
      for (const file of files) {
        if (sendsBackups) socket.send('_fetch_file', file.path)
        await this.#fetchFile(socket, file)
        this.#fetched++
        log.info(`[fetch] Fetched ${file.path}, crc32 ${file.crc}, ${this.#counts()}`)
        if (fileDelayMs > 0) await delay(fileDelayMs)
      }
    } finally {
      this.#close(socket)
    }
  }

  async #fetchFile(socket: MasterSocket, { name, path, crc }: SyncFile): Promise<void> {
    const { directory, receiveTimeoutMs } = this.#parts
    const line = await socket.line(receiveTimeoutMs)
    if (!/^[0-9]{1,15}$/.test(line)) throw new LinkError(`fetch file err: ${path}: ${line.slice(0, 100)}`)
    const temporary = join(directory, `${name}.tmp`)
    const file = await open(temporary, 'w')
    try {
      const found = await this.#receive(socket, file, Number(line), crc !== 0)
      if (found !== crc)
        throw new LinkError(`fetch file err: ${path}: CRC mismatched, ${crc} was expected but got ${found}`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(directory, name))
  }

  /** Writes what comes to `file`. Returns its checksum, 0 if none is wanted. */
  async #receive(socket: MasterSocket, file: FileHandle, size: number, wantsCrc: boolean): Promise<number> {
    let crc = 0
    for (let left = size; left > 0; ) {
      while (socket.inputBytes < Math.min(left, WRITE_BYTES_MIN)) await socket.more(this.#parts.receiveTimeoutMs)
      const pieces = socket.takeAll(Math.min(left, PIECE_BYTES))
      if (wantsCrc) for (const piece of pieces) crc = crc32c(piece, crc)
      const bytes = await writeAll(file, pieces)
      left -= bytes
      this.bytes += bytes
    }
    return crc
  }

  /** The next bytes, at least one and at most `bytesMax`. */
  async #piece(socket: MasterSocket, bytesMax: number): Promise<Bytes> {
    for (;;) {
      const piece = socket.take(Math.min(bytesMax, PIECE_BYTES))
      if (piece.length > 0) return piece
      await socket.more(this.#parts.receiveTimeoutMs)
    }
  }

  #counts(): string {
    const { files, total } = this.progress
    return `skip count: ${this.#skipped}, fetch count: ${this.#fetched}, progress: ${files} / ${total}`
  }

  async #open(): Promise<MasterSocket> {
    const socket = await this.#parts.connect()
    this.#sockets.add(socket)
    return socket
  }

  #close(socket: MasterSocket): void {
    this.#sockets.delete(socket)
    socket.close()
  }
}

/** Appends the pieces, in as many writes as the system takes. Returns how many bytes they are. */
async function writeAll(file: FileHandle, pieces: readonly Bytes[]): Promise<number> {
  let bytes = 0
  for (let rest = pieces; rest.length > 0; ) {
    const { bytesWritten } = await file.writev(rest)
    bytes += bytesWritten
    rest = restAfter(rest, bytesWritten)
  }
  return bytes
}

function restAfter(pieces: readonly Bytes[], bytes: number): readonly Bytes[] {
  let passed = bytes
  const at = pieces.findIndex((piece) => {
    if (piece.length > passed) return true
    passed -= piece.length
    return false
  })
  if (at === -1) return []
  return [(pieces[at] as Bytes).subarray(passed), ...pieces.slice(at + 1)]
}

/** Removes what full syncs have left in `directory`. */
export async function discardFiles(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await rm(directory + SOURCE_SUFFIX, { force: true })
}

/** `crc` 0: what is there is taken on trust. */
async function isIntact(path: string, crc: number): Promise<boolean> {
  if (crc === 0) return true
  const file = await open(path, 'r')
  try {
    let found = 0
    for await (const piece of file.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false })) {
      found = crc32c(piece as Bytes, found)
    }
    return found === crc
  } finally {
    await file.close()
  }
}
