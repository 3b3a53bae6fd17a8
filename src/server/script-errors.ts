/**
 * Errors of scripts, each counted once: when a command that a script calls answers one, and not again when the script
 * ends with it. Source: redis src/script_lua.c, ignore_error_stats_update.
 */

import { ReplyError } from '../protocol/errors.js'
import type { Stats } from './stats.js'

/** Where in a script an error was raised: behind the error that ends it, and perhaps within. */
const PLACES = / script: \S+, on [^ ]*\.$|(?<=^\S+ )\S+:\d+: /g

export class ScriptErrors {
  readonly #stats: Stats
  /** Of commands of the script that runs. */
  readonly #counted = new Set<string>()

  constructor(stats: Stats) {
    this.#stats = stats
  }

  /** A script begins. */
  begin(): void {
    this.#counted.clear()
  }

  /** A command that the script called has answered `error`. */
  countCalled(error: ReplyError): void {
    this.#counted.add(error.text)
    this.#stats.countError(error)
  }

  /** The script has ended with the error `text`, without the dash of a reply. */
  countFinal(text: string): void {
    if (!this.#counted.has(text.replace(PLACES, ''))) this.#stats.countError(new ReplyError(text))
  }
}
