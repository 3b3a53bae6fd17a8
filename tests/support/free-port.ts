/** Ports for servers that are told theirs before they listen. */

import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below those that systems give to connections and to servers that take any: what is free here is not handed out to
 * somebody else before the server of the test listens there, nor while one that was killed is away.
 */
const FIRST_PORT = 10_000
const PORTS = 20_000
const TRIES_MAX = 100

const given = new Set<number>()

/** A port that was free a moment ago, another one at each call. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (given.has(port)) continue
    given.add(port)
    const probe = createServer().listen(port, '127.0.0.1')
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
  throw new Error('no port is free')
}
