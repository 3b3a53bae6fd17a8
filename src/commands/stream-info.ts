/** XINFO. Source: redis src/t_stream.c, xinfoCommand. */

import type { Args } from '../protocol/args.js'
import { noGroupOfKey, subcommandSyntax } from '../protocol/errors/stream.js'
import { NO_SUCH_KEY } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import type { Database } from '../storage/database.js'
import { type Entry, readRange } from '../types/stream/entries.js'
import { lagOf, UNKNOWN_READ } from '../types/stream/groups.js'
import { ENTRY_ID_MAX, formatId, ID_LAST, ID_ZERO } from '../types/stream/ids.js'
import { listPending, listPendingOfEach } from '../types/stream/pending.js'
import {
  type Consumer,
  type Group,
  type OpenStream,
  openGroup,
  openStream,
  type PendingEntry,
  readConsumers,
  readGroups,
} from '../types/stream/rows.js'
import { type AnyCommand, command, container, noOptions, READONLY, SECOND_KEY, SLOW } from './command.js'
import type { Context } from './context.js'
import { int64At } from './options.js'
import { replyEntry } from './stream-reply.js'

const INFORMS = { flags: READONLY | SLOW, keys: SECOND_KEY, since: '5.0.0' }

const xinfoCommands: readonly AnyCommand[] = [
  command(
    {
      ...INFORMS,
      name: 'xinfo|stream',
      arity: -3,
      syntax: 'key [FULL [COUNT count]]',
      summary: 'Returns information about a stream.',
    },
    parseFull,
    showStream,
  ),
  command(
    {
      ...INFORMS,
      name: 'xinfo|groups',
      arity: 3,
      syntax: 'key',
      summary: 'Returns a list of the consumer groups of a stream.',
    },
    noOptions,
    showGroups,
  ),
  command(
    {
      ...INFORMS,
      name: 'xinfo|consumers',
      arity: 4,
      syntax: 'key group',
      summary: 'Returns a list of the consumers in a consumer group.',
    },
    noOptions,
    showConsumers,
  ),
]

export const streamInfoCommands: readonly AnyCommand[] = [
  container(
    { name: 'xinfo', flags: READONLY, summary: 'A container for stream introspection commands.', since: '5.0.0' },
    xinfoCommands,
  ),
]

const FULL_COUNT = 10
/** Entries that Redis keeps in one node of its tree. */
const NODE_ENTRIES = 100

/** How many entries of each list FULL shows (0 = all); undefined without FULL. */
function parseFull(args: Args): number | undefined {
  if (args.count === 3) return undefined
  const hasCount = args.count === 6 && args.is(4, 'count')
  if (!args.is(3, 'full') || (args.count !== 4 && !hasCount)) throw subcommandSyntax(args.at(1), 'xinfo')
  if (!hasCount) return FULL_COUNT
  const count = int64At(args, 5)
  return count < 0 ? FULL_COUNT : Number(count)
}

function requireStream(db: Database, args: Args): OpenStream {
  const stream = openStream(db, args.at(2))
  if (stream === undefined) throw NO_SUCH_KEY
  return stream
}

function showStream({ db, reply }: Context, args: Args, fullCount: number | undefined): void {
  const stream = requireStream(db, args)
  const nodes = Math.ceil(stream.metadata.size / NODE_ENTRIES)
  reply.map(fullCount === undefined ? 10 : 9)
  integer(reply, 'length', stream.metadata.size)
  // There is no tree: the numbers are those of one with full nodes, for clients that insist on them.
  integer(reply, 'radix-tree-keys', nodes)
  integer(reply, 'radix-tree-nodes', nodes + 1)
  id(reply, 'last-generated-id', stream.lastId)
  id(reply, 'max-deleted-entry-id', stream.maxDeletedId)
  integer(reply, 'entries-added', stream.entriesAdded)
  id(reply, 'recorded-first-entry-id', stream.firstId)
  if (fullCount === undefined) {
    integer(reply, 'groups', stream.groups)
    entryOrNil(reply, 'first-entry', edge(stream, false))
    entryOrNil(reply, 'last-entry', edge(stream, true))
    return
  }
  const entries = readRange(stream, { start: ID_ZERO, end: ENTRY_ID_MAX, reverse: false, count: fullCount })
  reply.bulkText('entries')
  reply.array(entries.length)
  for (const entry of entries) replyEntry(reply, entry.id, entry.value)
  const groups = readGroups(stream)
  reply.bulkText('groups')
  reply.array(groups.length)
  for (const group of groups) fullGroup(reply, group, fullCount)
}

function edge(stream: OpenStream, reverse: boolean): Entry | undefined {
  return readRange(stream, { start: ID_ZERO, end: ENTRY_ID_MAX, reverse, count: 1 })[0]
}

function fullGroup(reply: Reply, group: Group, count: number): void {
  reply.map(7)
  bulk(reply, 'name', group.name)
  id(reply, 'last-delivered-id', group.lastId)
  progress(reply, group)
  integer(reply, 'pel-count', group.pending)
  fullPending(reply, listPending(group, { start: ID_ZERO, end: ID_LAST, count, consumer: undefined, idleMs: 0 }), true)
  const consumers = readConsumers(group)
  const pending = listPendingOfEach(group, consumers, count)
  reply.bulkText('consumers')
  reply.array(consumers.length)
  consumers.forEach((consumer, index) => {
    fullConsumer(reply, consumer, pending[index] as PendingEntry[])
  })
}

function fullConsumer(reply: Reply, consumer: Consumer, pending: readonly PendingEntry[]): void {
  reply.map(5)
  bulk(reply, 'name', consumer.name)
  integer(reply, 'seen-time', consumer.seenMs)
  integer(reply, 'active-time', consumer.activeMs)
  integer(reply, 'pel-count', consumer.pending)
  fullPending(reply, pending, false)
}

function fullPending(reply: Reply, pending: readonly PendingEntry[], namesConsumers: boolean): void {
  reply.bulkText('pending')
  reply.array(pending.length)
  for (const entry of pending) {
    reply.array(namesConsumers ? 4 : 3)
    reply.bulk(formatId(entry.id))
    if (namesConsumers) reply.bulk(entry.consumer)
    reply.integer(entry.deliveredMs)
    reply.integer(entry.deliveries)
  }
}

function showGroups({ db, reply }: Context, args: Args): void {
  const groups = readGroups(requireStream(db, args))
  reply.array(groups.length)
  for (const group of groups) {
    reply.map(6)
    bulk(reply, 'name', group.name)
    integer(reply, 'consumers', group.consumers)
    integer(reply, 'pending', group.pending)
    id(reply, 'last-delivered-id', group.lastId)
    progress(reply, group)
  }
}

function showConsumers({ db, reply }: Context, args: Args): void {
  const group = openGroup(requireStream(db, args), args.at(3))
  if (group === undefined) throw noGroupOfKey(args.at(2), args.at(3))
  const consumers = readConsumers(group)
  reply.array(consumers.length)
  for (const { name, pending, seenMs, activeMs } of consumers) {
    reply.map(4)
    bulk(reply, 'name', name)
    integer(reply, 'pending', pending)
    integer(reply, 'idle', Math.max(0, db.nowMs - seenMs))
    integer(reply, 'inactive', Math.max(0, db.nowMs - activeMs))
  }
}

/** How far a group has come. */
function progress(reply: Reply, group: Group): void {
  reply.bulkText('entries-read')
  if (group.entriesRead === UNKNOWN_READ) reply.nil()
  else reply.integer(group.entriesRead)
  const lag = lagOf(group)
  reply.bulkText('lag')
  if (lag === undefined) reply.nil()
  else reply.integer(lag)
}

function integer(reply: Reply, name: string, value: Parameters<Reply['integer']>[0]): void {
  reply.bulkText(name)
  reply.integer(value)
}

function id(reply: Reply, name: string, value: Parameters<typeof formatId>[0]): void {
  bulk(reply, name, formatId(value))
}

function bulk(reply: Reply, name: string, value: Parameters<Reply['bulk']>[0]): void {
  reply.bulkText(name)
  reply.bulk(value)
}

function entryOrNil(reply: Reply, name: string, entry: Entry | undefined): void {
  reply.bulkText(name)
  if (entry === undefined) reply.nil()
  else replyEntry(reply, entry.id, entry.value)
}
