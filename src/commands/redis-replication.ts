/** Replication to Redis and its tools: SYNC, and the forms of PSYNC and REPLCONF that Redis's replicas use. */

import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/replication.js'
import type { Announced } from '../replication/peer.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import {
  type AnyCommand,
  NO_MULTI,
  NO_SCRIPT,
  noOptions,
  OK_STALE,
  READONLY,
  REPLICATION,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

/** Where a Redis replica wants to go on: undefined = it begins. */
export interface RedisPsync {
  readonly from: { readonly id: string; readonly offset: number } | undefined
}

const ID = /^[0-9a-f]{40}$/

export const redisReplicationCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'sync',
      arity: 1,
      flags: READONLY | NO_SCRIPT | NO_MULTI | REPLICATION | OK_STALE,
      syntax: '',
      summary: 'Sends all keys as an RDB file, then the commands that change them.',
      since: '1.0.0',
    },
    noOptions,
    (context) => feedRedis(context, { from: undefined }, false),
  ),
]

/** Reads `PSYNC ? -1` and `PSYNC <40 hex digits> <offset>`; undefined if it is the PSYNC of Kvrocks. */
export function parseRedisPsync(args: Args): RedisPsync | undefined {
  if (args.count !== 3) return undefined
  const id = args.latin1(1).toLowerCase()
  if (id === '?') return { from: undefined }
  if (!ID.test(id)) return undefined
  const offset = Number(/^\d{1,16}$/.test(args.latin1(2)) ? args.latin1(2) : Number.NaN)
  if (!Number.isSafeInteger(offset)) throw errors.BAD_SEQUENCE
  // It says which byte it wants next, counted from 1.
  return { from: { id, offset: Math.max(0, offset - 1) } }
}

/** Makes the connection that of a Redis replica. `isPartial`: it asked by PSYNC. */
export function feedRedis({ client, server, store }: ServerContext, { from }: RedisPsync, isPartial = true): void {
  // The file and the log hold what is committed.
  store.turn.commit()
  const { takesEof, wantsFileOnly, rdbVersion } = client.announced
  const request = { isPartial, takesEof, wantsFileOnly, rdbVersion }
  const namespace = client.namespace ?? DEFAULT_NAMESPACE
  if (from === undefined) server.replication.feeds.redis.sync(client, namespace, request)
  else server.replication.feeds.redis.resume(client, namespace, request, from.id, from.offset)
}

/**
 * Reads an option of REPLCONF that Redis's replicas send, at `at`. Throws REPLCONF_OPTION for another one. What a Redis does
 * not know of `capa` it ignores, and so is it here.
 */
export function redisSetting(args: Args, at: number): Partial<Announced> {
  if (args.is(at, 'capa')) return args.is(at + 1, 'eof') ? { takesEof: true } : {}
  if (args.is(at, 'rdb-only')) return { wantsFileOnly: args.latin1(at + 1) !== '0' }
  if (args.is(at, 'version')) return { rdbVersion: rdbVersionOf(args.latin1(at + 1)) }
  throw errors.REPLCONF_OPTION
}

/** REPLCONF ACK and GETACK are answered by nothing. */
export function isUnanswered(args: Args): boolean {
  return args.is(1, 'ack') || args.is(1, 'getack')
}

/** The RDB version that a server of version `text` reads. */
function rdbVersionOf(text: string): number {
  const [major = 0, minor = 0] = text.split('.').map(Number)
  if (major > 7 || (major === 7 && minor >= 4)) return 12
  return major === 7 && minor >= 2 ? 11 : 10
}
