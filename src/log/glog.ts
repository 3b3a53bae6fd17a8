/**
 * Log lines and log files as Google's glog writes them, which Kvrocks and the tools around it use.
 * Source: glog src/logging.cc, LogFileObject::CreateLogfile and LogMessage::Init; kvrocks src/cli/main.cc.
 */
import { basename } from 'node:path'
import { LOG_LEVELS, type LogLevel } from './log.js'

const digits = (value: number, width: number): string => String(value).padStart(width, '0')

interface LocalTime {
  /** yyyymmdd */
  readonly day: string
  /** hh, mm, ss */
  readonly clock: readonly [string, string, string]
}

function localTime(timeMs: number): LocalTime {
  const date = new Date(timeMs)
  return {
    day: `${date.getFullYear()}${digits(date.getMonth() + 1, 2)}${digits(date.getDate(), 2)}`,
    clock: [digits(date.getHours(), 2), digits(date.getMinutes(), 2), digits(date.getSeconds(), 2)],
  }
}

/** `I20260301 03:00:00.123000  4711 server.js:12] text`: level, local time, thread, place, text. */
export function formatEntry(level: LogLevel, timeMs: number, processId: number, place: string, text: string): string {
  const { day, clock } = localTime(timeMs)
  const letter = level.charAt(0).toUpperCase()
  const micros = digits(Math.floor(timeMs % 1000) * 1000, 6)
  return `${letter}${day} ${clock.join(':')}.${micros} ${String(processId).padStart(5)} ${place}] ${text}\n`
}

/** Who writes a file, as its name says. */
export interface Writer {
  readonly host: string
  readonly user: string
  readonly processId: number
}

/** `kvrocks.<host>.<user>.log.<LEVEL>.<yyyymmdd-hhmmss>.<pid>` */
export function fileName(level: LogLevel, timeMs: number, { host, user, processId }: Writer): string {
  const { day, clock } = localTime(timeMs)
  return `kvrocks.${host}.${user}.log.${level.toUpperCase()}.${day}-${clock.join('')}.${processId}`
}

const FILE_NAME = new RegExp(
  `^kvrocks\\..*\\.log\\.(?:${LOG_LEVELS.map((level) => level.toUpperCase()).join('|')})\\.\\d{8}-\\d{6}\\.\\d+$`,
)

/** Whether a file of this name is a log file, of this or another process. */
export function isLogFile(name: string): boolean {
  return FILE_NAME.test(name)
}

/** The name of the symbolic link to the current file of a level. */
export function linkName(level: LogLevel): string {
  return `kvrocks.${level.toUpperCase()}`
}

/** The first lines of a file. */
export function fileHeader(timeMs: number, uptimeMs: number, host: string): string {
  const { day, clock } = localTime(timeMs)
  const created = `${day.slice(0, 4)}/${day.slice(4, 6)}/${day.slice(6)} ${clock.join(':')}`
  const seconds = Math.max(0, Math.floor(uptimeMs / 1000))
  const uptime = `${Math.floor(seconds / 3600)}:${digits(Math.floor(seconds / 60) % 60, 2)}:${digits(seconds % 60, 2)}`
  return [
    `Log file created at: ${created}`,
    `Running on machine: ${host}`,
    `Running duration (h:mm:ss): ${uptime}`,
    'Log line format: [IWEF]yyyymmdd hh:mm:ss.uuuuuu threadid file:line] msg',
    '',
  ].join('\n')
}

/** The place in our code that called `method`: `server.js:12`. It costs a few microseconds. */
export function callerOf(method: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 1
  Error.captureStackTrace(holder, method)
  Error.stackTraceLimit = limit
  const [, file, line] = /([^\s(]+):(\d+):\d+\)?$/.exec(holder.stack ?? '') ?? []
  return file === undefined ? 'unknown:0' : `${basename(file)}:${line}`
}
