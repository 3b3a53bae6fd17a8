/** The log of a server: files for each level, standard output, or both. */
import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { callerOf, fileHeader, fileName, formatEntry, isLogFile, linkName, type Writer } from './glog.js'
import { LOG_LEVELS, type Log, type LogLevel } from './log.js'

export interface ServerLogOptions {
  /** Where files go; it has to exist. Undefined = no files. */
  readonly directory: string | undefined
  /** Gets each entry as well, for standard output. */
  readonly print: ((entry: string, level: LogLevel) => void) | undefined
  /** Lesser entries are dropped. */
  readonly level: LogLevel
  /** Age in days at which files are removed; -1 = never. */
  readonly retentionDays: number
  /** Unix time in ms. */
  readonly now?: () => number
  /** Size at which a file is replaced. */
  readonly fileBytesMax?: number
  /** Gets what cannot be written, and why. */
  readonly onFailure?: (entry: string) => void
}

const MEBIBYTE = 1024 ** 2
const DAY_MS = 24 * 3600 * 1000
/** How often old files are looked for. */
const CLEAN_INTERVAL_MS = 3600 * 1000

/**
 * Writes entries as glog does: the file of a level is opened at its first entry, holds the entries of higher levels
 * too, is unbuffered, and `kvrocks.<LEVEL>` links to it. A write that fails (a full disk) does not stop the server: the
 * entry goes to `onFailure`.
 */
export class ServerLog implements Log {
  readonly #options: ServerLogOptions
  readonly #now: () => number
  readonly #writer: Writer = { host: hostname(), user: userName(), processId: process.pid }
  readonly #files = new Map<LogLevel, LevelFile>()
  #level: LogLevel
  #retentionDays: number
  #cleanAtMs = Number.NEGATIVE_INFINITY

  constructor(options: ServerLogOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#level = options.level
    this.#retentionDays = options.retentionDays
  }

  info(text: string): void {
    if (this.#level === 'info') this.#write('info', callerOf(this.info), text)
  }

  warning(text: string): void {
    if (this.#isLogged('warning')) this.#write('warning', callerOf(this.warning), text)
  }

  error(text: string): void {
    if (this.#isLogged('error')) this.#write('error', callerOf(this.error), text)
  }

  fatal(text: string): void {
    this.#write('fatal', callerOf(this.fatal), text)
  }

  setLevel(level: LogLevel): void {
    this.#level = level
  }

  setRetentionDays(days: number): void {
    this.#retentionDays = days
    this.#cleanAtMs = Number.NEGATIVE_INFINITY
  }

  /** Closes the files; the next entries open new ones. For a rotation from outside: move the files, then this. */
  reopen(): void {
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
  }

  close(): void {
    this.reopen()
  }

  #isLogged(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#level)
  }

  #write(level: LogLevel, place: string, text: string): void {
    const nowMs = this.#now()
    const entry = formatEntry(level, nowMs, this.#writer.processId, place, text)
    this.#options.print?.(entry, level)
    const { directory } = this.#options
    if (directory === undefined) return
    try {
      for (const receiver of LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1)) {
        this.#file(directory, receiver, nowMs).write(entry)
      }
      if (nowMs >= this.#cleanAtMs) this.#removeOld(directory, nowMs)
    } catch (error) {
      this.#options.onFailure?.(`cannot write to ${directory}: ${String(error)}: ${entry}`)
    }
  }

  #file(directory: string, level: LogLevel, nowMs: number): LevelFile {
    const limit = this.#options.fileBytesMax ?? 100 * MEBIBYTE
    const current = this.#files.get(level)
    if (current !== undefined && current.bytes < limit) return current
    const name = fileName(level, nowMs, this.#writer)
    // Names have a resolution of one second: a file that filled up within one goes on.
    if (current?.name === name) return current
    current?.close()
    const file = new LevelFile(directory, name)
    this.#files.set(level, file)
    if (file.bytes === 0) file.write(fileHeader(nowMs, process.uptime() * 1000, this.#writer.host))
    link(directory, linkName(level), name)
    this.#cleanAtMs = Number.NEGATIVE_INFINITY
    return file
  }

  #removeOld(directory: string, nowMs: number): void {
    this.#cleanAtMs = nowMs + CLEAN_INTERVAL_MS
    if (this.#retentionDays < 0) return
    const inUse = new Set(Array.from(this.#files.values(), (file) => file.name))
    for (const name of readdirSync(directory)) {
      if (!isLogFile(name) || inUse.has(name)) continue
      const path = join(directory, name)
      const status = statSync(path, { throwIfNoEntry: false })
      if (status !== undefined && nowMs - status.mtimeMs >= this.#retentionDays * DAY_MS) rmSync(path, { force: true })
    }
  }
}

class LevelFile {
  readonly name: string
  bytes: number
  readonly #handle: number

  constructor(directory: string, name: string) {
    const path = join(directory, name)
    this.name = name
    this.#handle = openSync(path, 'a', 0o664)
    this.bytes = statSync(path).size
  }

  write(entry: string): void {
    this.bytes += writeSync(this.#handle, entry)
  }

  close(): void {
    closeSync(this.#handle)
  }
}

/** Points `name` to `target` at once, so that a reader always finds one of the two files. */
function link(directory: string, name: string, target: string): void {
  const temporary = join(directory, `${name}.${process.pid}`)
  rmSync(temporary, { force: true })
  symlinkSync(target, temporary)
  renameSync(temporary, join(directory, name))
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a user id that has no name.
    return 'invalid-user'
  }
}
