/** Commands on a client of another library. */

import { type CommandRunner, runCommand } from './position.js'
import { type RespValue, ServerError } from './redis-connection.js'

/** Names of the classes of ioredis and node-redis for error replies. */
const ERROR_REPLIES = /ReplyError|ErrorReply|SimpleError/

/** Runs a command. Rejects with ServerError for an error reply, and when `signal` aborts. */
export async function runOn(
  client: CommandRunner,
  words: readonly (string | number)[],
  signal: AbortSignal | undefined,
): Promise<RespValue> {
  try {
    return plain(await untilAborted(runCommand(client, words.map(String)), signal))
  } catch (error) {
    const {
      name,
      message,
      constructor: { name: className },
    } = error as Error
    if (ERROR_REPLIES.test(name) || ERROR_REPLIES.test(className)) throw new ServerError(message)
    throw error
  }
}

/** A map as keys and values in turn, as RESP2 shows it. */
function plain(reply: unknown): RespValue {
  if (reply instanceof Map) return [...reply].flat().map(plain)
  if (Array.isArray(reply)) return reply.map(plain)
  if (typeof reply !== 'object' || reply === null || Buffer.isBuffer(reply)) return reply as RespValue
  return Object.entries(reply).flat().map(plain)
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('aborted'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
