/** Parts of the values of an RDB file as commands that make them on another server. */

import { type Bytes, latin1 } from '../../bytes/bytes.js'
import { formatDouble } from '../../bytes/double.js'
import { decimal } from '../../bytes/int64.js'
import type { RedisCommand } from '../../replication/redis-commands.js'
import type { RdbPart } from '../../storage/rdb/file-reader.js'
import type { Collection } from '../../storage/rdb/file-writer.js'
import { createPayload } from '../../storage/rdb/payload.js'
import type { HashEntry, StreamGroup, StreamId, StreamState, StreamValue } from '../../storage/rdb/value.js'

const word = latin1
const LOG_MAGIC = word('HYLL')

/** The commands; undefined for a value that no command makes. Views of the part. */
export function partCommands(part: RdbPart): RedisCommand[] | undefined {
  const { key, value, first, last } = part
  const expireMs = part.expireMs === undefined ? undefined : decimal(part.expireMs)
  if (value.type === 'module') return undefined
  if (value.type === 'string' && !value.value.subarray(0, LOG_MAGIC.length).equals(LOG_MAGIC)) {
    return [[word('SET'), key, value.value, ...(expireMs === undefined ? [] : [word('PXAT'), expireMs])]]
  }
  if (first && last)
    return [[word('RESTORE'), key, expireMs ?? word('0'), createPayload(value), word('REPLACE'), word('ABSTTL')]]
  if (value.type === 'string') throw new RangeError('a string has no parts')
  const commands: RedisCommand[] = first ? [[word('DEL'), key]] : []
  commands.push(...elementCommands(key, value))
  if (last && expireMs !== undefined) commands.push([word('PEXPIREAT'), key, expireMs])
  return commands
}

function elementCommands(key: Bytes, value: Collection | StreamValue): Iterable<RedisCommand> {
  switch (value.type) {
    case 'list':
      return [[word('RPUSH'), key, ...value.elements]]
    case 'set':
      return [[word('SADD'), key, ...value.members]]
    case 'hash':
      return fieldCommands(key, value.entries)
    case 'zset': {
      const words = value.entries.flatMap(([member, score]) => [word(formatDouble(score)), member])
      return [[word('ZADD'), key, ...words]]
    }
    case 'stream':
      return streamCommands(key, value)
  }
}

function* fieldCommands(key: Bytes, entries: readonly HashEntry[]): Generator<RedisCommand> {
  const set = [word('HSET'), key]
  for (const [field, value] of entries) set.push(field, value)
  yield set
  for (const [field, , expireMs] of entries) {
    if (expireMs !== undefined) yield [word('HPEXPIREAT'), key, decimal(expireMs), word('FIELDS'), word('1'), field]
  }
}

function* streamCommands(key: Bytes, { entries, state }: StreamValue): Generator<RedisCommand> {
  for (const { id, fields } of entries) yield [word('XADD'), key, idText(id), ...fields]
  if (state === undefined) return
  for (const group of state.groups) yield* groupCommands(key, group)
  yield setId(key, state)
}

function* groupCommands(
  key: Bytes,
  { name, lastId, entriesRead, pending, consumers }: StreamGroup,
): Generator<RedisCommand> {
  yield [
    word('XGROUP'),
    word('CREATE'),
    key,
    name,
    idText(lastId),
    word('MKSTREAM'),
    word('ENTRIESREAD'),
    decimal(entriesRead),
  ]
  for (const consumer of consumers) yield [word('XGROUP'), word('CREATECONSUMER'), key, name, consumer.name]
  for (const { id, consumer, deliveredMs, deliveries } of pending) {
    if (consumer === undefined) continue
    const times = [word('TIME'), decimal(deliveredMs), word('RETRYCOUNT'), decimal(deliveries)]
    yield [word('XCLAIM'), key, name, consumer, word('0'), idText(id), ...times, word('FORCE'), word('JUSTID')]
  }
}

function setId(key: Bytes, { lastId, entriesAdded, maxDeletedId }: StreamState): RedisCommand {
  const counts = [word('ENTRIESADDED'), decimal(entriesAdded), word('MAXDELETEDID'), idText(maxDeletedId)]
  return [word('XSETID'), key, idText(lastId), ...counts]
}

function idText({ ms, seq }: StreamId): Bytes {
  return word(`${ms}-${seq}`)
}
