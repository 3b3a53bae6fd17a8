/** XREAD and XREADGROUP. Source: redis src/t_stream.c; kvrocks src/commands/cmd_stream.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { NOTIFY_STREAM } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import {
  GROUP_MISSING,
  GROUP_WITH_XREAD,
  IN_XREADGROUP,
  idWithGroup,
  NEW_ID_WITH_XREAD,
  NOACK_WITH_XREAD,
  unbalancedStreams,
} from '../protocol/errors/stream.js'
import { SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { TYPE_STREAM } from '../storage/metadata.js'
import { requireGroup } from '../types/stream/groups.js'
import {
  ENTRY_ID_MAX,
  formatId,
  ID_LAST,
  ID_ZERO,
  nextId,
  parseId,
  previousId,
  type StreamId,
} from '../types/stream/ids.js'
import * as pending from '../types/stream/pending.js'
import { findLastId, type Group, hasEntriesAfter, openStream } from '../types/stream/rows.js'
import { timeoutAt } from './blocking-options.js'
import { type AnyCommand, BLOCKING, command, READONLY, WRITE } from './command.js'
import type { Context } from './context.js'
import { countAt, idAt } from './stream-options.js'
import { type RangeReply, replyEntry, replyRanges, replyWhole } from './stream-reply.js'

export const streamReadCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'xread',
      arity: -4,
      flags: READONLY | BLOCKING,
      keys: streamKeys,
      syntax: '[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]',
      summary:
        'Returns messages from multiple streams with IDs greater than the ones requested. Waits until one is there.',
      since: '5.0.0',
    },
    (args) => parseRead(args, 'xread'),
    read,
  ),
  command(
    {
      name: 'xreadgroup',
      arity: -7,
      flags: WRITE | BLOCKING,
      keys: streamKeys,
      syntax: 'GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]',
      summary: 'Returns new or historical messages from a stream for a consumer in a group. Waits until one is there.',
      since: '5.0.0',
    },
    (args) => parseRead(args, 'xreadgroup'),
    readGroup,
  ),
]

/** What follows the last id that XREAD `$`, XREAD `+` or XREADGROUP `>` stands for. */
type Position = StreamId | 'new' | 'last'

interface Wanted {
  readonly key: Bytes
  readonly after: Position
}

interface ReadOptions {
  /** Entries of each stream at most; 0 = all. */
  readonly count: number
  /** 0 = for ever; undefined: does not wait. */
  readonly timeoutMs: number | undefined
  readonly group: Bytes
  readonly consumer: Bytes
  readonly noAck: boolean
  readonly streams: readonly Wanted[]
}

/** Indexes of the keys; none if the words make no sense. */
function streamKeys(args: Args): readonly number[] {
  for (let at = 1; at < args.count; at++) {
    if (args.is(at, 'streams')) {
      const count = Math.floor((args.count - at - 1) / 2)
      return Array.from({ length: count }, (_, index) => at + 1 + index)
    }
    if (args.is(at, 'block') || args.is(at, 'count')) at++
    else if (args.is(at, 'group')) at += 2
  }
  return []
}

function parseRead(args: Args, name: 'xread' | 'xreadgroup'): ReadOptions {
  const isGroup = name === 'xreadgroup'
  let count = 0
  let timeoutMs: number | undefined
  let groupAt = 0
  let noAck = false
  let streamsAt = 0
  for (let at = 1; at < args.count && streamsAt === 0; at++) {
    const more = args.count - at - 1
    if (more >= 1 && args.is(at, 'block')) {
      timeoutMs = timeoutAt(args, ++at)
    } else if (more >= 1 && args.is(at, 'count')) {
      count = countAt(args, ++at)
    } else if (more >= 1 && args.is(at, 'streams')) {
      streamsAt = at + 1
    } else if (more >= 2 && args.is(at, 'group')) {
      if (!isGroup) throw GROUP_WITH_XREAD
      groupAt = at + 1
      at += 2
    } else if (args.is(at, 'noack')) {
      if (!isGroup) throw NOACK_WITH_XREAD
      noAck = true
    } else {
      throw SYNTAX
    }
  }
  if (streamsAt === 0) throw SYNTAX
  const words = args.count - streamsAt
  if (words % 2 === 1) throw unbalancedStreams(name, isGroup ? "ID or '>'" : "ID, '+', or '$'")
  if (isGroup && groupAt === 0) throw GROUP_MISSING
  const streams: Wanted[] = []
  for (let at = streamsAt; at < streamsAt + words / 2; at++) {
    streams.push({ key: args.at(at), after: positionAt(args, at + words / 2, isGroup) })
  }
  return { count, timeoutMs, group: args.at(groupAt), consumer: args.at(groupAt && groupAt + 1), noAck, streams }
}

function positionAt(args: Args, index: number, isGroup: boolean): Position {
  // The last of all ids is what Redis has for `>` within.
  if (args.is(index, '>') || (isGroup && parseId(args.at(index))?.equals(ID_LAST) === true)) {
    if (!isGroup) throw NEW_ID_WITH_XREAD
    return 'new'
  }
  const isNew = args.is(index, '$')
  if (!isNew && !args.is(index, '+')) return idAt(args, index)
  if (isGroup) throw idWithGroup(isNew ? '$' : '+')
  return isNew ? 'new' : 'last'
}

function read(context: Context, _args: Args, options: ReadOptions): void {
  const { db, reply } = context
  const after = options.streams.map(({ key, after }) => resolve(context, key, after))
  const keys = options.streams.map(({ key }) => Buffer.from(key))
  const found = findNew(context, keys, after, options.count)
  if (found.length > 0) {
    replyRanges(context, found, (target) => beginStreams(target, found.length))
    return
  }
  if (options.timeoutMs === undefined || db.turn.isHeld) {
    reply.nilArray()
    return
  }
  context.block({
    keys,
    wants: TYPE_STREAM,
    reads: true,
    timeoutMs: options.timeoutMs,
    attempt: (retried) => {
      const arrived = findNew(retried, keys, after, options.count)
      if (arrived.length === 0) return false
      beginStreams(retried.reply, arrived.length)
      for (const range of arrived) replyWhole(retried.reply, range)
      return true
    },
    expire: (target) => target.nilArray(),
  })
}

function resolve({ db }: Context, key: Bytes, after: Position): StreamId {
  if (typeof after !== 'string') return after
  const stream = openStream(db, key)
  if (stream === undefined) return ID_ZERO
  const last = after === 'last' && stream.metadata.size > 0 ? findLastId(stream, ID_ZERO) : undefined
  return (last && previousId(last)) ?? stream.lastId
}

/** What the streams have after the ids. */
function findNew({ db }: Context, keys: readonly Bytes[], after: readonly StreamId[], count: number): RangeReply[] {
  const found: RangeReply[] = []
  keys.forEach((key, index) => {
    const stream = openStream(db, key)
    const last = after[index] as StreamId
    const start = nextId(last)
    if (stream === undefined || start === undefined || !hasEntriesAfter(stream, last)) return
    const range = { start, end: ENTRY_ID_MAX, reverse: false, count }
    found.push({ stream, range, begin: (reply) => beginStream(reply, key) })
  })
  return found
}

/** RESP3 gets a map, RESP2 an array of pairs. */
function beginStreams(reply: Reply, count: number): void {
  if (reply.protocol === 3) reply.map(count)
  else reply.array(count)
}

function beginStream(reply: Reply, key: Bytes): void {
  if (reply.protocol !== 3) reply.array(2)
  reply.bulk(key)
}

function readGroup(context: Context, _args: Args, options: ReadOptions): void {
  if (giveAll(context, options, false)) return
  if (options.timeoutMs === undefined || context.db.turn.isHeld) {
    context.reply.nilArray()
    return
  }
  const own = {
    ...options,
    group: Buffer.from(options.group),
    consumer: Buffer.from(options.consumer),
    streams: options.streams.map(({ key, after }) => ({ key: Buffer.from(key), after })),
  }
  context.block({
    keys: own.streams.map(({ key }) => key),
    timeoutMs: options.timeoutMs,
    attempt: (retried) => giveAll(retried, own, true),
    expire: (target) => target.nilArray(),
  })
}

/**
 * Gives the consumer what it asks for, and answers with it; false if there is nothing. What then remains is that the
 * consumer was seen, which a retry does not note: that would wake the clients that wait for the same stream, and they
 * each other, without end.
 */
function giveAll(context: Context, options: ReadOptions, isRetry: boolean): boolean {
  const { db, reply } = context
  const groups = options.streams.map(({ key }) => requireGroup(db, key, options.group, IN_XREADGROUP))
  const isAny = options.streams.some(({ after }, index) => after !== 'new' || pending.hasNew(groups[index] as Group))
  if (!isAny && isRetry) return false
  const giveEach = (): number => {
    let served = 0
    options.streams.forEach(({ key, after }, index) => {
      // A stream that is named twice: the second time with what the first has left, which may be nothing.
      const group = index === 0 ? (groups[0] as Group) : requireGroup(db, key, options.group, IN_XREADGROUP)
      if (after !== 'new') giveOld(context, options, group, after as StreamId)
      else if (!giveNew(context, options, group)) return
      served++
    })
    return served
  }
  if (isAny) reply.counted(reply.protocol === 3 ? 'map' : 'array', giveEach)
  else giveEach()
  return isAny
}

/** False if there is nothing new, of which the reply then says nothing. */
function giveNew(context: Context, options: ReadOptions, group: Group): boolean {
  const { reply } = context
  const { entries, created } = pending.deliver(group, Buffer.from(options.consumer), options.count, options.noAck)
  if (created) announceConsumer(context, group)
  if (entries.length === 0) return false
  beginStream(reply, group.stream.key)
  reply.array(entries.length)
  for (const { id, value } of entries) replyEntry(reply, id, value)
  return true
}

function giveOld(context: Context, options: ReadOptions, group: Group, after: StreamId): void {
  const { reply } = context
  const { entries, created } = pending.deliverAgain(group, Buffer.from(options.consumer), after, options.count)
  if (created) announceConsumer(context, group)
  beginStream(reply, group.stream.key)
  reply.array(entries.length)
  for (const { id, value } of entries) {
    if (value !== undefined) {
      replyEntry(reply, id, value)
      continue
    }
    reply.array(2)
    reply.bulk(formatId(id))
    reply.nilArray()
  }
}

/** Tells that a command has made a consumer. */
export function announceConsumer({ events }: Context, { stream }: Group): void {
  events.notify(NOTIFY_STREAM, 'xgroup-createconsumer', stream.key)
}
