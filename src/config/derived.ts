/** What follows from the values of several options. Source: kvrocks src/config/config.cc, callbacks of dir, bind, slaveof. */
import { join } from 'node:path'
import { OptionError, scanInteger } from './option.js'
import { type ConfigValues, OPTIONS } from './options.js'

type Values = Readonly<ConfigValues>

const DEFAULT_BIND = '127.0.0.1'

/** Words between spaces and tabs. */
function splitWords(text: string): string[] {
  return text.split(/[ \t]+/).filter((word) => word !== '')
}

/** The addresses to listen on; none when there is only a Unix socket. */
export function bindAddresses(values: Values): readonly string[] {
  const addresses = splitWords(values.bind)
  if (addresses.length > 0 || values.unixsocket !== '') return addresses
  return [DEFAULT_BIND]
}

export interface MasterAddress {
  readonly host: string
  readonly port: number
}

/** The master named by slaveof, if any. Throws OptionError. */
export function masterAddress(values: Values): MasterAddress | undefined {
  if (values.slaveof === '') return undefined
  const words = splitWords(values.slaveof)
  const [host, digits] = words
  if (host === undefined || digits === undefined || words.length !== 2) {
    throw new OptionError('wrong number of arguments')
  }
  if (host.toLowerCase() === 'no' && digits.toLowerCase() === 'one') return undefined
  if (!/^[0-9]+$/.test(digits)) throw new OptionError('should be between 0 and 65535')
  const port = Number(scanInteger(digits, 10).value)
  if (port < 1 || port > 65535) throw new OptionError('should be between 0 and 65535')
  return { host, port }
}

/** Files and folders in the working directory. Source: kvrocks src/config/config.cc. */
export interface Paths {
  readonly db: string
  /** The checkpoint that replicas download. */
  readonly checkpoint: string
  /** Where a replica gathers the checkpoint of its master. */
  readonly syncCheckpoint: string
  readonly backupForSync: string
  readonly nodes: string
  /** Slots of the change feed. */
  readonly slots: string
  /** What Redis replicas have been sent, while the server is down. */
  readonly redisHistories: string
  /** When sequences were written. */
  readonly sequenceTimes: string
  /** Where damaged files of the write-ahead log are kept. */
  readonly damagedLogs: string
  /** The ids of the histories that the sequences belong to. */
  readonly history: string
}

export function paths(values: Values): Paths {
  const { dir } = values
  return {
    db: join(dir, 'db'),
    checkpoint: join(dir, 'checkpoint'),
    syncCheckpoint: join(dir, 'sync_checkpoint'),
    backupForSync: join(dir, 'backup_for_sync'),
    nodes: join(dir, 'nodes.conf'),
    slots: join(dir, 'cdc-slots.json'),
    redisHistories: join(dir, 'redis-histories.json'),
    sequenceTimes: join(dir, 'cdc-times'),
    damagedLogs: join(dir, 'damaged-wal'),
    history: join(dir, 'history'),
  }
}

/** Options whose default lies in dir: their value there. */
export function valuesInDir(values: Values): Partial<ConfigValues> {
  const { dir } = values
  return {
    ...(values['backup-dir'] === OPTIONS['backup-dir'].default && { 'backup-dir': join(dir, 'backup') }),
    ...(values.pidfile === OPTIONS.pidfile.default && { pidfile: join(dir, 'kvrocks.pid') }),
    ...(values['log-dir'] === '' && { 'log-dir': dir }),
  }
}

/** Where logs go: log-dir is a directory, the word stdout, or both with a comma between. */
export interface LogTarget {
  readonly directory: string | undefined
  readonly stdout: boolean
}

export function logTarget(values: Values): LogTarget {
  const parts = values['log-dir'].split(',').map((part) => part.trim())
  return {
    directory: parts.find((part) => part !== '' && part.toLowerCase() !== 'stdout'),
    stdout: parts.some((part) => part.toLowerCase() === 'stdout'),
  }
}

/** A line of rename-command. `to` is undefined where the command is removed. */
export interface Rename {
  readonly from: string
  readonly to: string | undefined
}

/** Reads a line of rename-command into lower-case names. Throws OptionError. */
export function parseRename(line: string): Rename {
  const words = splitWords(line)
  const [from, to] = words
  if (from === undefined || to === undefined || words.length !== 2) {
    throw new OptionError('Invalid rename-command format')
  }
  return { from: from.toLowerCase(), to: to === '""' ? undefined : to.toLowerCase() }
}

/** The commands named by profiling-sample-commands, in lower case; `'all'` for `*`. */
export function sampledCommands(values: Values): ReadonlySet<string> | 'all' {
  const names = values['profiling-sample-commands'].split(',').filter((name) => name !== '')
  if (names.includes('*')) return 'all'
  return new Set(names.map((name) => name.trim().toLowerCase()))
}

/** The ascending bounds of histogram-bucket-boundaries. Throws OptionError. */
export function histogramBounds(values: Values): readonly number[] {
  const words = values['histogram-bucket-boundaries'].split(',').filter((word) => word !== '')
  const bounds = words.map((word) => Number(word))
  if (bounds.some((bound, index) => !Number.isFinite(bound) || words[index]!.trim() === '')) {
    throw new OptionError('The values in the bucket list must be double or integer.')
  }
  if (bounds.some((bound, index) => index > 0 && bound < bounds[index - 1]!)) {
    throw new OptionError('The values for the histogram must be sorted.')
  }
  return bounds
}
