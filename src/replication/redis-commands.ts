/**
 * Write batches as the commands that Redis replicas are sent: the changes of the feed, of one namespace, each batch as a
 * transaction. A HyperLogLog is a string to Redis, whose pieces are written by SETRANGE. The same batch gives the same
 * bytes at any time, for a stream that was interrupted is made anew from the log.
 */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { decimal } from '../bytes/int64.js'
import { type Change, commandsOf } from '../cdc/change.js'
import { changesOf } from '../cdc/changes.js'
import { SEGMENT_BYTES, SEGMENT_COUNT } from '../types/hyperloglog-registers.js'
import { type StreamCopies, streamCopies } from './stream-copies.js'

export type RedisCommand = readonly Bytes[]

const REDIS_TYPES = new Set([
  'none',
  'string',
  'hash',
  'list',
  'set',
  'zset',
  'bitmap',
  'stream',
  'hyperloglog',
  'sortedint',
  'keyspace',
])
const EVERYWHERE = new Set(['publish', 'invalidate'])

const MULTI: RedisCommand = [latin1('MULTI')]
const EXEC: RedisCommand = [latin1('EXEC')]
const SETRANGE = latin1('SETRANGE')
const BITFIELD = latin1('BITFIELD')
const INCRBY = latin1('INCRBY')
const U8 = latin1('u8')
const ZERO = latin1('0')
const HSET = latin1('HSET')
const HPEXPIREAT = latin1('HPEXPIREAT')
const PEXPIREAT = latin1('PEXPIREAT')
const FIELDS = latin1('FIELDS')
const ONE = latin1('1')
const SADD = latin1('SADD')
const SREM = latin1('SREM')
const XGROUP = latin1('XGROUP')
const CREATE = latin1('CREATE')
const DESTROY = latin1('DESTROY')
const MKSTREAM = latin1('MKSTREAM')
const NO_GROUP = latin1('\0')

/** `HYLL`, dense, and a cached count that is not valid. Source: redis src/hyperloglog.c, struct hllhdr. */
const LOG_HEADER = Buffer.from('HYLL\0\0\0\0\0\0\0\0\0\0\0\x80', 'latin1')
const LOG_LAST_BYTE = latin1(`#${LOG_HEADER.length + SEGMENT_COUNT * SEGMENT_BYTES - 1}`)

const NO_COPIES: StreamCopies = { copies: [], sequences: new Set() }

export class RedisTranslator {
  /** Changes that were left out, for Redis has nothing like them, by type. */
  readonly leftOut = new Map<string, number>()
  /** Keys were deleted in a way that no command says: the replica has to begin anew. */
  isBroken = false
  readonly #namespace: Bytes
  readonly #slotEncoded: boolean

  constructor(namespace: Bytes, slotEncoded: boolean) {
    this.#namespace = namespace
    this.#slotEncoded = slotEncoded
  }

  /** The commands of a batch; none if it changes nothing that the replica has. Views of it. */
  translate(batch: Bytes): RedisCommand[] {
    const commands: RedisCommand[] = []
    const changes = changesOf(batch, this.#slotEncoded)
    // Few batches have streams that begin anew, and those are read once more.
    const hasCopies = changes.some(({ isFresh, type }) => isFresh === true && type === 'stream')
    const { copies, sequences } = hasCopies ? streamCopies(batch, this.#slotEncoded) : NO_COPIES
    let nextCopy = 0
    for (const change of changes) {
      const copy = copies[nextCopy]
      if (copy !== undefined && copy.sequence < change.sequence) {
        if (copy.namespace.equals(this.#namespace)) commands.push(copy.command)
        nextCopy++
      }
      if (!sequences.has(change.sequence)) commands.push(...this.#commands(change))
    }
    return commands.length > 1 ? [MULTI, ...commands, EXEC] : commands
  }

  #commands(change: Change): readonly RedisCommand[] {
    const isOwn = change.namespace.equals(this.#namespace)
    if (!isOwn && !(change.namespace.length === 0 && EVERYWHERE.has(change.op))) return []
    if (change.op === 'publish') return commandsOf(change)
    if (change.type === 'keyspace' && change.command === undefined) this.isBroken = true
    if (!REDIS_TYPES.has(change.type) || change.op === 'unknown') {
      this.leftOut.set(change.type, (this.leftOut.get(change.type) ?? 0) + 1)
      return []
    }
    if (change.type === 'hyperloglog' && change.op === 'opaque') return logCommands(change)
    return commandsOf(change).flatMap(asRedisKnowsIt)
  }
}

/** The pieces of a HyperLogLog: a row of registers, or the metadata, which come with each change. */
function logCommands({ key, subKey, value, expireMs }: Change): readonly RedisCommand[] {
  if (key === undefined || value === undefined) return []
  if (subKey === undefined) {
    const expiry: RedisCommand[] = expireMs === undefined ? [] : [[PEXPIREAT, key, decimal(expireMs)]]
    // Adding nothing to the last byte makes the string as long as it has to be.
    return [[BITFIELD, key, INCRBY, U8, LOG_LAST_BYTE, ZERO], [SETRANGE, key, ZERO, LOG_HEADER], ...expiry]
  }
  const segment = Number(subKey.latin1Slice(0))
  if (!(segment >= 0 && segment < SEGMENT_COUNT) || value.length !== SEGMENT_BYTES) return []
  return [[SETRANGE, key, decimal(LOG_HEADER.length + segment * SEGMENT_BYTES), value]]
}

/**
 * HSETEX came with Redis 8; Redis 7.4 knows its two halves, and an older one the first of them. XSETID makes no stream, but
 * a stream may be without entries: a group that comes and goes makes one where there is none. Sorted integers are a set.
 */
function asRedisKnowsIt(command: RedisCommand): readonly RedisCommand[] {
  const [name, key, , timeMs, , , field, value] = command
  switch (name?.latin1Slice(0)) {
    case 'HSETEX':
      return [
        [HSET, key as Bytes, field as Bytes, value as Bytes],
        [HPEXPIREAT, key as Bytes, timeMs as Bytes, FIELDS, ONE, field as Bytes],
      ]
    case 'XSETID':
      return [
        [XGROUP, CREATE, key as Bytes, NO_GROUP, ZERO, MKSTREAM],
        [XGROUP, DESTROY, key as Bytes, NO_GROUP],
        command,
      ]
    case 'SIADD':
      return [[SADD, ...command.slice(1)]]
    case 'SIREM':
      return [[SREM, ...command.slice(1)]]
    default:
      return [command]
  }
}

/** Commands as requests. */
export function encodeCommands(commands: readonly RedisCommand[]): Bytes {
  let length = 0
  for (const words of commands) {
    length += 16
    for (const word of words) length += word.length + 16
  }
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const words of commands) {
    at += bytes.latin1Write(`*${words.length}\r\n`, at)
    for (const word of words) {
      at += bytes.latin1Write(`$${word.length}\r\n`, at)
      at += word.copy(bytes, at)
      bytes[at++] = 0x0d
      bytes[at++] = 0x0a
    }
  }
  return bytes.subarray(0, at)
}
