/**
 * A replica's copy of its master's checkpoint, gathered in `<dir>/sync_checkpoint`. Data files that an earlier attempt
 * has brought stay: their names are numbers that RocksDB gives only once. All other files may have grown under the same
 * name, so they are fetched anew. Which master the files are from stands beside them; another one's are thrown away.
 * Source: kvrocks src/cluster/replication.cc, fullSyncReadCB, parallelFetchFile, fetchFile.
 */

import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log/log.js'
import { LinkError, type MasterSocket } from './master-socket.js'

export interface FullSyncParts {
  readonly directory: string
  /** What names the master: files of another one are of no use. */
  readonly source: string
  readonly log: Log
  /** A connection on which commands may be sent. */
  readonly connect: () => Promise<MasterSocket>
  /** Time without a byte after which the master is given up; 0 = none. */
  readonly receiveTimeoutMs: number
  /** Pause after each file. */
  readonly fileDelayMs: number
}

/** More files than this come over several connections. */
const FILES_PER_CONNECTION = 20
const CONNECTIONS = 4
const PIECE_BYTES = 1024 * 1024
const KEPT = /^[0-9]+\.(?:sst|blob)$/
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
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

  /** Asks for the names of the files. Rejects with a LinkError. */
  async names(): Promise<string[]> {
    const socket = await this.#open()
    try {
      socket.send('_fetch_meta')
      const line = await socket.line()
      if (line.startsWith('-')) throw new LinkError(`Failed to fetch meta info: ${line}`)
      const names = line.split(',')
      const wrong = names.find((name) => !FILE_NAME.test(name))
      if (wrong !== undefined) throw new LinkError(`the master has a file of the name '${wrong.slice(0, 100)}'`)
      return names
    } finally {
      this.#close(socket)
    }
  }

  /** Brings all files of these names into the directory. Rejects with a LinkError. */
  async fetch(names: readonly string[]): Promise<void> {
    const kept = await this.#prepare(names)
    this.#total = names.length
    const shares = names.length > FILES_PER_CONNECTION ? CONNECTIONS : 1
    const all = Array.from({ length: shares }, (_, share) =>
      this.#fetchShare(names.filter((name, index) => index % shares === share && !this.#isThere(name, kept))),
    )
    try {
      await Promise.all(all)
    } catch (error) {
      for (const socket of this.#sockets) socket.close()
      await Promise.allSettled(all)
      throw error
    }
    await syncDirectory(this.#parts.directory)
  }

  /** Throws away all that was fetched. */
  async discard(): Promise<void> {
    await discardFiles(this.#parts.directory)
  }

  /** The files that may stay. */
  async #prepare(names: readonly string[]): Promise<ReadonlySet<string>> {
    const { directory, source } = this.#parts
    const from = await readFile(directory + SOURCE_SUFFIX, 'utf8').catch(() => undefined)
    if (from !== source) await this.discard()
    await mkdir(directory, { recursive: true })
    await writeFile(directory + SOURCE_SUFFIX, source)
    const wanted = new Set(names)
    const kept = new Set<string>()
    for (const name of await readdir(directory)) {
      if (KEPT.test(name) && wanted.has(name)) kept.add(name)
      else await rm(join(directory, name), { recursive: true, force: true })
    }
    return kept
  }

  #isThere(name: string, kept: ReadonlySet<string>): boolean {
    if (!kept.has(name)) return false
    this.#skipped++
    this.#parts.log.info(`[skip] ${name} 0, ${this.#counts()}`)
    return true
  }

  async #fetchShare(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const socket = await this.#open()
    try {
      socket.send('_fetch_file', names.join(','))
      for (const name of names) {
        await this.#fetchFile(socket, name)
        this.#fetched++
        this.#parts.log.info(`[fetch] Fetched ${name}, crc32 0, ${this.#counts()}`)
        if (this.#parts.fileDelayMs > 0) await delay(this.#parts.fileDelayMs)
      }
    } finally {
      this.#close(socket)
    }
  }

  async #fetchFile(socket: MasterSocket, name: string): Promise<void> {
    const { directory, receiveTimeoutMs } = this.#parts
    const line = await socket.line(receiveTimeoutMs)
    if (!/^[0-9]{1,15}$/.test(line)) throw new LinkError(`fetch file err: ${name}: ${line.slice(0, 100)}`)
    const temporary = join(directory, `${name}.tmp`)
    const file = await open(temporary, 'w')
    try {
      for (let left = Number(line); left > 0; ) {
        const piece = socket.take(Math.min(left, PIECE_BYTES))
        if (piece.length === 0) {
          await socket.more(receiveTimeoutMs)
          continue
        }
        await file.write(piece)
        left -= piece.length
        this.bytes += piece.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(directory, name))
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

/** Removes what full syncs have left in `directory`. */
export async function discardFiles(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await rm(directory + SOURCE_SUFFIX, { force: true })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
