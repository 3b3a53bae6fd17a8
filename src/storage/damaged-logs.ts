/**
 * Files of the write-ahead log that are damaged before their end. RocksDB opens the database as it was at the damage, says
 * so in its LOG alone, and removes the file sooner or later. What stands behind the damage was acknowledged, so it is
 * told, and the file is kept. An end that was torn off, as by a crash, is no damage. Source: rocksdb
 * db/db_impl/db_impl_open.cc, RecoverLogFiles.
 */

import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Log } from '../log/log.js'

const DAMAGE = /^.*\[WARN\] .*?(\/[^:]*\.log): dropping (\d+) bytes; (.*)$/gm

/** What RocksDB says of a record that the file's end cuts. */
const TORN = /truncated (?:record body|header)/

/** To be called when the database at `databasePath` was opened: its LOG begins then. The files go to `keptPath`. */
export function keepDamagedLogs(databasePath: string, keptPath: string, log: Log): void {
  const reasons = new Map<string, string>()
  for (const [, path = '', bytes, reason = ''] of readLog(databasePath).matchAll(DAMAGE)) {
    const name = basename(path)
    if (TORN.test(reason)) log.warning(`the write-ahead log ${name} ends inside of a record, which is left out`)
    else reasons.set(name, reasons.get(name) ?? `${reason}, ${bytes} bytes`)
  }
  for (const [name, reason] of reasons) {
    const kept = keep(name, databasePath, keptPath)
    log.error(
      `the write-ahead log ${name} is damaged (${reason}): the database is as it was before the damage, and what was ` +
        `written after it is missing${kept === undefined ? '' : `; the file is kept as ${kept}`}`,
    )
  }
}

function keep(name: string, databasePath: string, keptPath: string): string | undefined {
  const kept = join(keptPath, name)
  const path = [join(databasePath, name), join(databasePath, 'archive', name)].find((place) => existsSync(place))
  if (path === undefined) return undefined
  mkdirSync(keptPath, { recursive: true })
  rmSync(kept, { force: true })
  linkSync(path, kept)
  return kept
}

function readLog(databasePath: string): string {
  const path = join(databasePath, 'LOG')
  return existsSync(path) ? readFileSync(path, 'latin1') : ''
}
