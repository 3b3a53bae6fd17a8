/**
 * A backup on disk: a checkpoint of the database, the log beyond it, and a file that says what it is.
 *
 *   backup.json   see BackupInfo
 *   db/           the checkpoint, which opens like any database
 *   wal/          archived write batches from the checkpoint on; see archive.ts
 */

import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../files/replace-file.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { RocksDBOptions } from '../rocksdb/open-options.js'
import { listColumnFamilies, RocksDB } from '../rocksdb/rocksdb.js'
import { COLUMN_FAMILIES } from '../storage/open-store.js'

export interface BackupInfo {
  readonly format: 1
  /** The latest sequence of the checkpoint. */
  readonly sequence: number
  /** Unix milliseconds by the server's clock at which the checkpoint was certainly made. */
  readonly madeAtMs: number
  /** Keys carry their cluster slot. */
  readonly slotEncoded: boolean
  /** Sizes of the checkpoint's files, in bytes. */
  readonly files: Readonly<Record<string, number>>
}

/** A backup, or a place for one, that cannot be used. */
export class BackupError extends Error {}

export type Progress = (doneBytes: number, wholeBytes: number) => void

const INFO = 'backup.json'
const MIB = 1024 * 1024

export function databaseOf(backup: string): string {
  return join(backup, 'db')
}

export function archiveOf(backup: string): string {
  return join(backup, 'wal')
}

/** Undefined where there is no backup. Throws BackupError if what is there cannot be read. */
export async function readInfo(backup: string): Promise<BackupInfo | undefined> {
  const path = join(backup, INFO)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  let info: BackupInfo | undefined
  try {
    info = JSON.parse(text) as BackupInfo
  } catch {
    throw new BackupError(`${path} is damaged`)
  }
  if (info.format !== 1 || typeof info.sequence !== 'number' || typeof info.files !== 'object') {
    throw new BackupError(`${path} is of a form that this version does not know`)
  }
  return info
}

export async function writeInfo(backup: string, info: BackupInfo): Promise<void> {
  await replaceFile(join(backup, INFO), `${JSON.stringify(info, undefined, 2)}\n`)
}

/** What is missing of a checkpoint, or has another size than was noted. */
export async function missingFiles(backup: string, { files }: BackupInfo): Promise<string[]> {
  const faults: string[] = []
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(databaseOf(backup), name)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) faults.push(`${path} is missing`)
    else if (found.size !== bytes) faults.push(`${path} has ${found.size} bytes instead of ${bytes}`)
  }
  return faults
}

/** The sizes of the files of a directory. */
export async function fileSizes(directory: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {}
  for (const name of (await readdir(directory)).sort()) {
    const found = await stat(join(directory, name))
    if (found.isFile()) sizes[name] = found.size
  }
  return sizes
}

/** Files that belong to whoever has the database open, not to the data. */
const NOT_DATA = /^(?:LOCK|LOG(?:\.old.*)?)$/

/**
 * Copies the files of a checkpoint to `to`, which must not exist, and makes them durable. With `links` the files of rows,
 * which never change, are shared with the original where the file system can do so.
 */
export async function copyCheckpoint(from: string, to: string, links: boolean, progress: Progress): Promise<void> {
  const sizes = Object.entries(await fileSizes(from)).filter(([name]) => !NOT_DATA.test(name))
  const wholeBytes = sizes.reduce((sum, [, bytes]) => sum + bytes, 0)
  await mkdir(to, { recursive: true })
  let doneBytes = 0
  for (const [name, bytes] of sizes) {
    progress(doneBytes, wholeBytes)
    const isShared = links && /\.(?:sst|blob)$/.test(name) && (await linkFile(join(from, name), join(to, name)))
    if (!isShared) await copyDurably(join(from, name), join(to, name))
    doneBytes += bytes
  }
  progress(doneBytes, wholeBytes)
  await syncPath(to)
}

async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EXDEV' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK') return false
    throw error
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  await syncPath(to)
}

/** Makes a file, or the names in a directory, durable. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Settings for a database that is looked at, or written to once: small, and without compactions of its own. */
export function quietOptions(slotEncoded: boolean): RocksDBOptions {
  return {
    columnFamilies: COLUMN_FAMILIES,
    slotEncoded,
    statistics: false,
    createIfMissing: false,
    disableAutoCompactions: true,
    blockCacheBytes: 64 * MIB,
    maxOpenFiles: 512,
    // The log of a server that is stopped is not ours to shorten.
    walTtlSeconds: Number.POSITIVE_INFINITY,
    walSizeLimitMb: 0,
  }
}

/** Opens a database to read it: with the families that it has, whoever else has it open. Throws RocksDBError, BackupError. */
export function openToRead(path: string, slotEncoded: boolean): RocksDB {
  const present = listColumnFamilies(path)
  const expected = COLUMN_FAMILIES.map(({ name }) => name)
  if (present.some((name, index) => name !== expected[index])) {
    throw new BackupError(`${path} has the column families ${present.join(', ')}: it is no database of this server`)
  }
  const options = quietOptions(slotEncoded)
  return RocksDB.openReadOnly(path, { ...options, columnFamilies: COLUMN_FAMILIES.slice(0, present.length) })
}

/** The latest sequence of a checkpoint, with what its log adds to its files. */
export function latestSequenceOf(path: string, slotEncoded: boolean): number {
  const rocks = openToRead(path, slotEncoded)
  try {
    return rocks.latestSequence()
  } finally {
    rocks.close()
  }
}

/** Makes a checkpoint of the database in `path`, which no server has open. Throws BackupError if one has. */
export async function checkpointStopped(path: string, to: string, slotEncoded: boolean): Promise<void> {
  let rocks: RocksDB
  try {
    rocks = RocksDB.open(path, quietOptions(slotEncoded))
  } catch (error) {
    if (error instanceof RocksDBError && /lock/i.test(error.message)) {
      throw new BackupError(`${path} is in use: make the backup through the server, with --url`)
    }
    throw error
  }
  try {
    await rm(to, { recursive: true, force: true })
    await rocks.checkpoint(to)
  } finally {
    await rocks.closeWhenIdle()
  }
}
