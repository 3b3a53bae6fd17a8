/** What a program that embeds the server imports. */

import { createConfig } from './config/load.js'
import type { ConfigValues } from './config/options.js'
import { type Log, SILENT_LOG } from './log/log.js'
import { Server } from './server/server.js'

export type { ConfigValues, Log }
export { Server }

export interface CreateServerOptions {
  /** Where the database lies; made if it does not exist. */
  readonly dir: string
  /** 0 = any free port, which `server.port` tells after `listen`. */
  readonly port?: number
  /** Other options of kvrocks.conf by name. */
  readonly config?: Partial<ConfigValues>
  /** Nothing is logged if not given. */
  readonly log?: Log
  /** Unix milliseconds; the machine's clock if not given. */
  readonly clock?: () => number
}

/**
 * Opens a database and returns its server; `await server.listen()` accepts clients, `await server.close()` ends it, and
 * `await using` does so by itself. Throws if the database cannot be opened or an option is wrong.
 */
export function createServer({ dir, port = 0, config = {}, log = SILENT_LOG, clock }: CreateServerOptions): Server {
  const options = { config: createConfig({ ...config, dir, port }), log }
  return new Server(clock === undefined ? options : { ...options, clock })
}
