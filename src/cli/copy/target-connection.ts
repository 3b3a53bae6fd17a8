/** The connection to a Redis server that `cdc copy` brings changes to. */

import { RedisConnection, ServerError } from '../../cdc-client/redis-connection.js'

/** What trying again does not help against. */
export class TargetError extends Error {}

/**
 * Connects to one server. Rejects with a TargetError where that is a node of a cluster: a page of changes and its position
 * arrive in one transaction, which the slots of a cluster do not allow.
 */
export async function openTarget(url: string, signal: AbortSignal | undefined): Promise<RedisConnection> {
  const connection = await RedisConnection.open(url, signal)
  try {
    const info = await connection.command('INFO', 'cluster')
    if (!/^cluster_enabled:1/m.test(String(info))) return connection
  } catch (error) {
    // A user may not be allowed to ask.
    if (error instanceof ServerError) return connection
    connection.close()
    throw error
  }
  connection.close()
  throw new TargetError('the target is a node of a cluster: cdc copy brings changes to a single server alone')
}

/** Throws where another copy writes to `key` too: `saved` is what it holds, `known` what this copy has left there. */
export function checkOwned(key: string, saved: string | null, known: string | null | undefined): void {
  if (known !== undefined && saved !== known) throw new TargetError(`another copy has moved ${key} on`)
}
