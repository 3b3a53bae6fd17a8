/** Which history the sequences of this server belong to. */

import { currentId, idInLog } from '../replication/replication-id.js'
import type { ServerContext } from './context.js'

/** The id of the history: that which Kvrocks writes with use-rsid-psync, else the server's own. */
export function historyId({ config, server, store }: ServerContext): string {
  return (config['use-rsid-psync'] ? currentId(store) : undefined) ?? server.history.id
}

/** The same of what was written at `sequence`: with use-rsid-psync the log may go through several. */
export function historyIdAt(context: ServerContext, sequence: number): string {
  const { config, store } = context
  return (config['use-rsid-psync'] ? idInLog(store, sequence) : undefined) ?? historyId(context)
}

/** True if what was written up to `sequence` in the history `id` is what this server has. */
export function isSameHistory(context: ServerContext, id: string, sequence: number): boolean {
  const { config, server, store } = context
  if (sequence > store.wal.latest) return false
  if (server.history.holds(id, sequence)) return true
  return config['use-rsid-psync'] && id === historyIdAt(context, sequence)
}
