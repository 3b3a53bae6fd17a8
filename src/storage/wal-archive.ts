/**
 * The files of the write-ahead log that RocksDB needs no longer. It moves them to archive/ and, being opened with an
 * endless WAL_ttl_seconds, leaves them there: who removes them is WalRetention.
 *
 *   archive/000123.log            one file; its name is its number, its modification time that of its last write
 *   archive/000123.log.removed    one that is being removed
 *
 * Source: rocksdb db/wal_manager.cc, ArchiveWALFile, GetSortedWalFiles; db/transaction_log_impl.cc, OpenLogFile.
 */

import { renameSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from '../files/names-in.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { readWalHead } from './wal-file.js'

/** A file of the log, archived or not. */
export interface LoggedFile {
  readonly startSequence: number
  readonly bytes: number
}

export interface ArchivedWal extends LoggedFile {
  readonly logNumber: number
  /** The last one in it; of the newest file, one that is not before it. */
  readonly endSequence: number
  /** Unix milliseconds of its last write, by the machine's clock. */
  readonly writtenAtMs: number
}

const LOG_NAME = /^(\d+)\.log$/
const REMOVED_NAME = /^\d+\.log\.removed$/

export class WalArchive {
  readonly #rocks: RocksDB
  readonly #databasePath: string
  readonly #path: string
  /** Numbers of the files that were found last. */
  #numbers: readonly number[] = []
  #files: readonly ArchivedWal[] = []
  readonly #removing = new Map<string, Promise<void>>()

  /** `databasePath`: the directory of the database. */
  constructor(rocks: RocksDB, databasePath: string) {
    this.#rocks = rocks
    this.#databasePath = databasePath
    this.#path = join(databasePath, 'archive')
  }

  /** Oldest first, those without any record left out. Reads the directory, and the beginnings of files that are new. */
  files(): readonly ArchivedWal[] {
    const names = namesIn(this.#path)
    const numbers = logNumbers(names)
    if (numbers.length !== this.#numbers.length || numbers.some((number, i) => number !== this.#numbers[i])) {
      this.#files = this.#read(numbers)
      this.#numbers = numbers
    }
    // Left over by a process that ended meanwhile.
    for (const name of names) if (REMOVED_NAME.test(name)) this.#unlink(name)
    return this.#files
  }

  /** These and those that RocksDB still needs, oldest first. */
  allFiles(): readonly LoggedFile[] {
    // In this order, for one may be archived meanwhile.
    const live = logNumbers(namesIn(this.#databasePath)).flatMap(
      (logNumber) => this.#inspect(join(this.#databasePath, nameOf(logNumber)), logNumber) ?? [],
    )
    const archived = this.files()
    const newest = archived.at(-1)?.logNumber ?? -1
    return [...archived, ...live.filter(({ logNumber }) => logNumber > newest)]
  }

  /**
   * Removes the oldest `count` files. Their space is free a little later: to unlink a large file takes a while, and is done
   * on another thread. Those who read one go on to its end. Not while a checkpoint is being made, which lists the files.
   */
  removeOldest(count: number): void {
    const last = this.#files[count - 1]
    if (last === undefined) return
    for (const logNumber of this.#numbers) if (logNumber <= last.logNumber) this.#remove(logNumber)
    this.#numbers = this.#numbers.filter((logNumber) => logNumber > last.logNumber)
    this.#files = this.#files.slice(count)
  }

  /** The files are those of another database from now on. */
  forget(): void {
    this.#numbers = []
    this.#files = []
  }

  /** Resolves when the space of removed files is free. */
  async settled(): Promise<void> {
    await Promise.all(this.#removing.values())
  }

  #read(numbers: readonly number[]): ArchivedWal[] {
    const known = new Map(this.#files.map((file) => [file.logNumber, file]))
    const found = numbers.flatMap(
      (logNumber) => known.get(logNumber) ?? this.#inspect(this.#pathOf(logNumber), logNumber) ?? [],
    )
    const latest = this.#rocks.latestSequence()
    // How far the newest one reaches is known when the next one comes; not farther than all there is.
    return found.map((file, i) => ({ ...file, endSequence: (found[i + 1]?.startSequence ?? latest + 1) - 1 }))
  }

  /** Undefined if there is no record in it. */
  #inspect(path: string, logNumber: number): Omit<ArchivedWal, 'endSequence'> | undefined {
    const head = readWalHead(path)
    if (head === undefined) return undefined
    const { bytes, writtenAtMs } = head
    const startSequence = head.startSequence ?? this.#listed(logNumber)
    return startSequence === undefined ? undefined : { logNumber, startSequence, bytes, writtenAtMs }
  }

  #listed(logNumber: number): number | undefined {
    return this.#rocks.sortedWalFiles().find((file) => file.logNumber === logNumber)?.startSequence
  }

  #remove(logNumber: number): void {
    const path = this.#pathOf(logNumber)
    renameSync(path, `${path}.removed`)
    this.#unlink(`${nameOf(logNumber)}.removed`)
  }

  #unlink(name: string): void {
    if (this.#removing.has(name)) return
    const done = (): void => void this.#removing.delete(name)
    // What cannot be unlinked now is found at the next look.
    this.#removing.set(name, unlink(join(this.#path, name)).then(done, done))
  }

  #pathOf(logNumber: number): string {
    return join(this.#path, nameOf(logNumber))
  }
}

function logNumbers(names: readonly string[]): number[] {
  return names
    .flatMap((name) => LOG_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

function nameOf(logNumber: number): string {
  return `${String(logNumber).padStart(6, '0')}.log`
}

/** About how many bytes of the log, live files included, come after a sequence: within a file they are taken as evenly spread. */
export function bytesAfter(files: readonly LoggedFile[], sequence: number, latest: number): number {
  let total = 0
  for (const [i, { startSequence, bytes }] of files.entries()) {
    const end = files[i + 1]?.startSequence ?? latest + 1
    const share = (end - Math.max(startSequence, sequence + 1)) / Math.max(1, end - startSequence)
    total += bytes * Math.max(0, share)
  }
  return Math.round(total)
}
