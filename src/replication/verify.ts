/** Looks whether a backup, a data directory or a database is whole, without changing anything in it. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keySlot } from '../bytes/crc16.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { CF_METADATA } from '../storage/column-family.js'
import { parseNsKey } from '../storage/keys.js'
import { checkRow, decodeMetadata, isSingleRow, MetadataFormatError, rowType, TYPE_NAMES } from '../storage/metadata.js'
import { BatchFormatError, readBatch } from '../storage/write-batch.js'
import { ArchiveError, readArchive, segmentsOf } from './archive.js'
import { archiveOf, BackupError, databaseOf, missingFiles, openToRead, readInfo } from './backup-directory.js'

/** What was found; each fault is a sentence. */
export interface Verified {
  readonly faults: string[]
  /** What was looked at, a sentence each. */
  readonly notes: string[]
}

const FAULTS_SHOWN_MAX = 20
const SLOT_KEYS_LOOKED_AT = 16

/** `directory`: a backup, a working directory with `db` in it, or a database. Rejects with BackupError if it is none. */
export async function verifyDirectory(directory: string): Promise<Verified> {
  const verified: Verified = { faults: [], notes: [] }
  const info = await readInfo(directory)
  if (info !== undefined) verified.faults.push(...(await missingFiles(directory, info)))
  const path = existsSync(join(directory, 'db')) ? databaseOf(directory) : directory
  if (info === undefined && !existsSync(join(path, 'CURRENT'))) {
    throw new BackupError(`${directory} holds neither a backup nor a database`)
  }
  const sequence = await verifyDatabase(path, verified)
  if (info !== undefined && sequence !== undefined && sequence !== info.sequence) {
    verified.faults.push(`the checkpoint is at sequence ${sequence} instead of ${info.sequence}`)
  }
  if (info !== undefined && existsSync(archiveOf(directory))) {
    verifyArchive(archiveOf(directory), sequence ?? info.sequence, verified)
  }
  return verified
}

/** Its latest sequence; undefined if it does not open. */
async function verifyDatabase(path: string, { faults, notes }: Verified): Promise<number | undefined> {
  const manifest = manifestOf(path)
  if (manifest === undefined) {
    faults.push(`${join(path, 'CURRENT')} does not name a manifest that is there`)
    return undefined
  }
  let rocks: RocksDB
  try {
    rocks = openToRead(path, false)
  } catch (error) {
    faults.push(`${path} does not open: ${(error as Error).message}`)
    return undefined
  }
  try {
    const files = rocks.liveFiles()
    for (const { name, bytes } of files) {
      const found = statSync(join(path, name), { throwIfNoEntry: false })
      if (found === undefined) faults.push(`${join(path, name)} is missing`)
      else if (found.size !== bytes) faults.push(`${join(path, name)} has ${found.size} bytes instead of ${bytes}`)
    }
    await rocks.verifyChecksum().catch((error: Error) => faults.push(error.message))
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    notes.push(`${path}: ${files.length} files of ${bytes} bytes, sequence ${rocks.latestSequence()}`)
    verifyKeys(rocks, { faults, notes })
    return rocks.latestSequence()
  } catch (error) {
    faults.push((error as Error).message)
    return undefined
  } finally {
    await rocks.closeWhenIdle()
  }
}

function manifestOf(path: string): string | undefined {
  const file = join(path, 'CURRENT')
  if (!existsSync(file)) return undefined
  const name = readFileSync(file, 'latin1').trimEnd()
  return /^MANIFEST-\d+$/.test(name) && existsSync(join(path, name)) ? name : undefined
}

/** Decodes every metadata row. */
function verifyKeys(rocks: RocksDB, { faults, notes }: Verified): void {
  const slotEncoded = detectSlots(rocks)
  const counts = new Map<string, number>()
  let faulty = 0
  using keys = rocks.iterator({ cf: CF_METADATA, lower: Buffer.alloc(0), fillCache: false })
  while (keys.next()) {
    const fault = faultOf(keys.key, keys.value, slotEncoded)
    if (fault !== undefined) {
      if (faulty++ < FAULTS_SHOWN_MAX) faults.push(`the row of ${JSON.stringify(keys.key.latin1Slice(0))}: ${fault}`)
      continue
    }
    const name = TYPE_NAMES[rowType(keys.value)] as string
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  if (faulty > FAULTS_SHOWN_MAX) faults.push(`and ${faulty - FAULTS_SHOWN_MAX} more rows like these`)
  const kinds = [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
  notes.push(`keys${slotEncoded ? ', with slots' : ''}: ${kinds === '' ? 'none' : kinds}`)
}

function faultOf(nsKey: Buffer, row: Buffer, slotEncoded: boolean): string | undefined {
  if (parseNsKey(nsKey, slotEncoded) === undefined) return 'its key is too short'
  try {
    checkRow(row)
    if (TYPE_NAMES[rowType(row)] === undefined) return `its type is ${rowType(row)}`
    if (!isSingleRow(rowType(row))) decodeMetadata(row)
    return undefined
  } catch (error) {
    if (error instanceof MetadataFormatError) return error.message
    throw error
  }
}

/** Whether keys carry their cluster slot: the first keys say so, for the slot follows from the key. */
export function detectSlots(rocks: RocksDB): boolean {
  using keys = rocks.iterator({ cf: CF_METADATA, lower: Buffer.alloc(0), fillCache: false })
  let looked = 0
  while (looked < SLOT_KEYS_LOOKED_AT && keys.next()) {
    const parsed = parseNsKey(keys.key, true)
    if (parsed === undefined) return false
    const slotAt = keys.key.length - parsed.key.length - 2
    if (keys.key.readUInt16BE(slotAt) !== keySlot(parsed.key)) return false
    looked++
  }
  return looked > 0
}

function verifyArchive(archive: string, sequence: number, { faults, notes }: Verified): void {
  let batches = 0
  let bytes = 0
  try {
    const reader = readArchive(archive)
    let step = reader.next()
    const first = step.done === true ? undefined : step.value.sequence
    if (first !== undefined && first > sequence + 1)
      faults.push(`sequences ${sequence + 1} to ${first - 1} are missing`)
    for (; step.done !== true; step = reader.next()) {
      readBatch(step.value.data, { put() {}, delete() {}, deleteRange() {}, logData() {} })
      batches++
      bytes += step.value.data.length
    }
    const { next, cut } = step.value
    if (cut !== undefined) notes.push(`${cut}: what follows there was never archived`)
    notes.push(
      `archive: ${segmentsOf(archive).length} files, ${batches} batches of ${bytes} bytes, up to sequence ${(next ?? sequence + 1) - 1}`,
    )
  } catch (error) {
    if (!(error instanceof ArchiveError) && !(error instanceof BatchFormatError)) throw error
    faults.push(error.message)
  }
}
