/** The slow log. Source: redis src/slowlog.c; kvrocks src/stats/log_collector.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { quoteBytes } from '../bytes/quoting.js'
import type { LogEntry } from '../commands/server-view.js'
import type { Config } from '../config/config.js'
import type { Log } from '../log/log.js'
import type { Args } from '../protocol/args.js'
import { BoundedLog } from './command-log.js'
import type { Connection } from './connection.js'

const WORDS_MAX = 32
const WORD_BYTES_MAX = 128

export class Slowlog extends BoundedLog<LogEntry> {
  readonly #config: Config
  readonly #log: Log

  constructor(config: Config, log: Log) {
    super(() => config.values['slowlog-max-len'])
    this.#config = config
    this.#log = log
  }

  /** Notes a command that took `us` microseconds, in the log too if slowlog-dump-logfile-level says so. */
  record(connection: Connection, args: Args, us: number): void {
    const level = this.#config.values['slowlog-dump-logfile-level']
    if (level !== 'off') {
      const words = shortened(args).map((word) => quoteBytes(word))
      this.#log[level](`[slowlog] ${connection.address} ${Math.round(us)} us: ${words.join(' ')}`)
    }
    this.add((id) => ({
      id,
      at: Math.floor(connection.context.db.nowMs / 1000),
      us: Math.round(us),
      words: shortened(args),
      clientAddress: connection.address,
      clientName: connection.name,
      namespace: connection.namespace,
    }))
  }
}

function shortened(args: Args): Bytes[] {
  const words: Bytes[] = []
  const shown = args.count > WORDS_MAX ? WORDS_MAX - 1 : args.count
  for (let index = 0; index < shown; index++) words.push(shortenedWord(args.at(index)))
  if (shown < args.count) words.push(Buffer.from(`... (${args.count - shown} more arguments)`))
  return words
}

function shortenedWord(word: Bytes): Bytes {
  if (word.length <= WORD_BYTES_MAX) return Buffer.from(word)
  const note = Buffer.from(`... (${word.length - WORD_BYTES_MAX} more bytes)`)
  return Buffer.concat([word.subarray(0, WORD_BYTES_MAX), note])
}
