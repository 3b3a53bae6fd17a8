/** kvrocks-ts cdc copy: brings a snapshot, then all changes, to another place. */

import type { Writable } from 'node:stream'
import { type FeedOptions, pages } from '../../cdc-client/changes.js'
import { RedisConnection } from '../../cdc-client/redis-connection.js'
import { RedisTarget } from './redis-target.js'

export interface CopyOptions {
  readonly to: string
  readonly checkpointKey: string | undefined
  readonly feed: FeedOptions
  readonly errors: Writable
}

const PROGRESS_MS = 1000

/** Changes that do not arrive are told once each kind and passed over. */
export async function copyTo({ to, checkpointKey, feed, errors }: CopyOptions): Promise<void> {
  const told = new Set<string>()
  const tell = (kind: string): void => {
    if (told.has(kind)) return
    told.add(kind)
    errors.write(`not copied: ${kind}\n`)
  }
  const { url: sourceUrl, signal, onRetry = () => {} } = feed
  const target = new RedisTarget({ url: to, sourceUrl, checkpointKey, tell, onRetry, signal })
  let copied = 0
  let toldAtMs = Date.now()
  try {
    const options = { ...feed, namespaces: await namespacesOf(feed) }
    const begin = await target.load()
    // The checkpoint is saved when the next page is asked for: when the target has this one.
    const checkpoint =
      checkpointKey === undefined ? {} : { checkpoint: { load: async () => begin, save: async () => {} } }
    for await (const page of pages({ ...options, ...checkpoint })) {
      copied += await target.apply(page)
      if (Date.now() - toldAtMs < PROGRESS_MS) continue
      toldAtMs = Date.now()
      errors.write(
        `${page.isSnapshot ? 'snapshot' : 'changes'}: ${copied} copied, at sequence ${page.position.sequence}\n`,
      )
    }
    errors.write(`${copied} changes copied\n`)
  } finally {
    target.close()
  }
}

/** The keys of several namespaces would meet at the target: without a choice it is that of the connection alone. */
async function namespacesOf({ url, namespaces = [], signal }: FeedOptions): Promise<readonly string[]> {
  if (namespaces.length > 0) return namespaces
  const connection = await RedisConnection.open(url, signal)
  try {
    const current = String(await connection.command('NAMESPACE', 'CURRENT'))
    return [current === '__namespace' ? 'default' : current]
  } finally {
    connection.close()
  }
}
