/**
 * The files that a full sync copies, as the master lists them. A checkpoint is a line of names. Masters of Kvrocks before
 * 2.0 send the list of a backup of RocksDB instead, in which a table bears its checksum in its name:
 *
 *   time \n sequence \n [metadata text \n] count \n, then lines `path crc32 number`
 *   path     private/ID/NAME   shared/NAME   shared_checksum/NUMBER_….sst
 *
 * Source: kvrocks src/storage/storage.cc, ReplDataManager::ParseMetaAndSave; rocksdb backup_engine.cc.
 */

import { LinkError } from './master-socket.js'

export interface SyncFile {
  /** What it is called in the database. */
  readonly name: string
  /** What the master calls it. */
  readonly path: string
  /** CRC-32C of its content; 0 = not known. */
  readonly crc: number
}

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
const BACKUP_LINE = /^((?:private\/[0-9]+|shared|shared_checksum)\/([^/ ]+)) crc32 ([0-9]{1,10})$/

/** The files of a checkpoint. Throws a LinkError. */
export function checkpointFiles(line: string): SyncFile[] {
  return line.split(',').map((name) => ({ name: checkName(name), path: name, crc: 0 }))
}

/** The files of a backup. Throws a LinkError. */
export function backupFiles(content: string): SyncFile[] {
  const lines = content.split('\n')
  const countAt = lines[2]?.startsWith('metadata') ? 3 : 2
  const listed = lines.slice(countAt + 1).filter((line) => line !== '')
  if (listed.length === 0 || Number(lines[countAt]) !== listed.length)
    throw new LinkError("the master's list of files is not complete")
  return listed.map((line) => {
    const [, path, file, crc] = BACKUP_LINE.exec(line) ?? []
    if (path === undefined || file === undefined) {
      throw new LinkError(`the master lists a file that no backup has: ${line.slice(0, 100)}`)
    }
    const name = path.startsWith('shared_checksum/') ? file.replace(/_[^.]*/, '') : file
    return { name: checkName(name), path, crc: Number(crc) }
  })
}

/** No name leads out of the directory. */
function checkName(name: string): string {
  if (!FILE_NAME.test(name)) throw new LinkError(`the master has a file of the name '${name.slice(0, 100)}'`)
  return name
}
