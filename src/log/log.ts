/** What the server tells its operator. */

/** In ascending order of weight. */
export const LOG_LEVELS = ['info', 'warning', 'error', 'fatal'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Each method writes one entry before it returns. `fatal` only says that the process is about to end; it does not end it. */
export interface Log {
  info(text: string): void
  warning(text: string): void
  error(text: string): void
  fatal(text: string): void
}

/** A log that goes nowhere. */
export const SILENT_LOG: Log = { info() {}, warning() {}, error() {}, fatal() {} }

/** What went wrong, with its stack where there is one: for errors that are our own bugs. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
}
