/** kvrocks-ts cdc copy: brings a snapshot, then all changes, to another place. */

import type { Writable } from 'node:stream'
import { type FeedOptions, pages } from '../../cdc-client/changes.js'
import { RedisConnection } from '../../cdc-client/redis-connection.js'
import { LineTarget } from './line-target.js'
import { Progress } from './progress.js'
import { RedisTarget } from './redis-target.js'
import { StreamTarget } from './stream-target.js'
import type { CopyTarget } from './target.js'
import { WebhookTarget } from './webhook-target.js'

/** The feed of a server that has a URL. */
export type SourceOptions = FeedOptions & { readonly url: string }

export interface CopyOptions {
  /** redis:// or rediss://, http:// or https://, file:PATH, or `-`. */
  readonly to: string
  /** Brings the changes into this stream of the Redis server instead of carrying them out. */
  readonly stream: string | undefined
  readonly checkpointKey: string | undefined
  /** What signs requests. */
  readonly secret: string | undefined
  /** Changes of one request. */
  readonly batch: number
  readonly feed: SourceOptions
  readonly output: Writable
  readonly errors: Writable
}

/** Changes that do not arrive are told once each kind and passed over. */
export async function copyTo(options: CopyOptions): Promise<void> {
  const { feed, errors, checkpointKey, stream } = options
  const target = targetOf(options)
  try {
    const { keys, namespace } = await sourceOf(feed)
    // The keys of several namespaces would meet at the target: without a choice it is that of the connection alone.
    const namespaces = feed.namespaces !== undefined && feed.namespaces.length > 0 ? feed.namespaces : [namespace]
    const begin = await target.load()
    const isKept = isRedis(options.to) && (checkpointKey !== undefined || stream !== undefined)
    // The target keeps the position itself.
    const checkpoint = isKept ? { checkpoint: { load: async () => begin, save: async () => {} } } : {}
    const isTerminal = 'isTTY' in errors && errors.isTTY === true
    const progress = new Progress({ output: errors, isTerminal, keys, now: Date.now })
    for await (const page of pages({ ...feed, namespaces, ...checkpoint })) {
      progress.add(page, await target.apply(page))
    }
    progress.end()
  } finally {
    target.close()
  }
}

/** True of what `--to` may name. */
export function isTarget(to: string): boolean {
  return to === '-' || /^(?:rediss?:\/\/|https?:\/\/|file:).+/.test(to)
}

export function isRedis(to: string): boolean {
  return /^rediss?:/.test(to)
}

function targetOf({ to, stream, checkpointKey, secret, batch, feed, output, errors }: CopyOptions): CopyTarget {
  const { url: sourceUrl, signal, onRetry = () => {} } = feed
  if (to === '-') return new LineTarget(output)
  if (to.startsWith('file:')) return new LineTarget(to.slice('file:'.length))
  if (!isRedis(to)) return new WebhookTarget({ url: to, secret, batch, onRetry, signal })
  if (stream !== undefined) return new StreamTarget({ url: to, stream, checkpointKey, onRetry, signal })
  const told = new Set<string>()
  const tell = (kind: string): void => {
    if (told.has(kind)) return
    told.add(kind)
    errors.write(`not copied: ${kind}\n`)
  }
  return new RedisTarget({ url: to, sourceUrl, checkpointKey, tell, onRetry, signal })
}

/** About how many keys there are, and in which namespace the connection is. */
async function sourceOf({ url, signal }: SourceOptions): Promise<{ keys: number | undefined; namespace: string }> {
  const connection = await RedisConnection.open(url, signal)
  try {
    const current = String(await connection.command('NAMESPACE', 'CURRENT'))
    const keys = Number(await connection.command('DBSIZE'))
    return { keys: keys > 0 ? keys : undefined, namespace: current === '__namespace' ? 'default' : current }
  } finally {
    connection.close()
  }
}
