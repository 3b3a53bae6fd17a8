/** What the process leaves in, and reads from, the system around it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/** Writes the process id. Throws what the file system throws. */
export function writePidFile(path: string): void {
  writeFileSync(path, String(process.pid), { mode: 0o660 })
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true })
}

/** Descriptors for everything that is neither a client nor a file of RocksDB. */
const RESERVED_FILES = 128

/** What the operator should know about the limit of open files, if it is too low; Node has raised it to its maximum. */
export function openFilesWarning(clientsMax: number, tablesMax: number): string | undefined {
  const limit = openFilesLimit()
  // rocksdb.max_open_files -1 needs as many as there are files: nothing to compare.
  const needed = clientsMax + Math.max(0, tablesMax) + RESERVED_FILES
  if (limit === undefined || limit >= needed) return undefined
  return `maxclients ${clientsMax} and rocksdb.max_open_files ${tablesMax} need ${needed} file descriptors, but the limit is ${limit}: raise "ulimit -n" or LimitNOFILE`
}

/** The soft limit of open files; undefined where the system does not say. */
function openFilesLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return soft === undefined ? undefined : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    // Not Linux: there is nothing to warn by.
    return undefined
  }
}
