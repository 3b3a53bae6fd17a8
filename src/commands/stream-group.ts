/** Commands on consumer groups of streams. Source: redis src/t_stream.c; kvrocks src/commands/cmd_stream.cc. */

import type { Int64 } from '../bytes/int64.js'
import { NOTIFY_STREAM } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import {
  BAD_AUTOCLAIM_MIN_IDLE,
  BAD_CLAIM_IDLE,
  BAD_CLAIM_MIN_IDLE,
  BAD_CLAIM_RETRY_COUNT,
  BAD_CLAIM_TIME,
  COUNT_NOT_POSITIVE,
  ENTRIES_READ_NEGATIVE,
  subcommandSyntax,
  unknownClaimOption,
} from '../protocol/errors/stream.js'
import { SYNTAX } from '../protocol/errors.js'
import type { Entry } from '../types/stream/entries.js'
import * as groups from '../types/stream/groups.js'
import { formatId, ID_ZERO, parseId, type StreamId } from '../types/stream/ids.js'
import * as pending from '../types/stream/pending.js'
import { readConsumer } from '../types/stream/rows.js'
import {
  type AnyCommand,
  command,
  container,
  FAST,
  FIRST_KEY,
  NO_SIZE_CHECK,
  noOptions,
  READONLY,
  SECOND_KEY,
  SLOW,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { int64At, integerAt } from './options.js'
import { countAt, idAt, looseIdAt, rangeEndAt, rangeStartAt } from './stream-options.js'
import { announceConsumer } from './stream-read.js'
import { replyEntry } from './stream-reply.js'

const CHANGES_GROUPS = { flags: WRITE | SLOW, keys: SECOND_KEY, since: '5.0.0' }

const xgroupCommands: readonly AnyCommand[] = [
  command(
    {
      ...CHANGES_GROUPS,
      name: 'xgroup|create',
      arity: -5,
      syntax: 'key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]',
      summary: 'Creates a consumer group.',
    },
    (args) => parseGroupStart(args, true),
    createGroup,
  ),
  command(
    {
      ...CHANGES_GROUPS,
      name: 'xgroup|setid',
      arity: -5,
      syntax: 'key group <id | $> [ENTRIESREAD entries-read]',
      summary: 'Sets the last-delivered ID of a consumer group.',
    },
    (args) => parseGroupStart(args, false),
    setGroupId,
  ),
  command(
    {
      ...CHANGES_GROUPS,
      name: 'xgroup|destroy',
      arity: 4,
      syntax: 'key group',
      summary: 'Destroys a consumer group.',
    },
    noOptions,
    destroyGroup,
  ),
  command(
    {
      ...CHANGES_GROUPS,
      name: 'xgroup|createconsumer',
      arity: 5,
      syntax: 'key group consumer',
      summary: 'Creates a consumer in a consumer group.',
      since: '6.2.0',
    },
    noOptions,
    createConsumer,
  ),
  command(
    {
      ...CHANGES_GROUPS,
      name: 'xgroup|delconsumer',
      arity: 5,
      syntax: 'key group consumer',
      summary: 'Deletes a consumer from a consumer group.',
    },
    noOptions,
    removeConsumer,
  ),
]

export const streamGroupCommands: readonly AnyCommand[] = [
  container(
    { name: 'xgroup', flags: WRITE, summary: 'A container for consumer groups commands.', since: '5.0.0' },
    xgroupCommands,
  ),
  command(
    {
      name: 'xack',
      arity: -4,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key group id [id ...]',
      summary: 'Returns the number of messages that were successfully acknowledged by the consumer group member.',
      since: '5.0.0',
    },
    (args) => args.rest(3).map((_word, index) => idAt(args, index + 3)),
    ({ db, reply }, args, ids) => reply.integer(pending.acknowledge(db, args.at(1), args.at(2), ids)),
  ),
  command(
    {
      name: 'xpending',
      arity: -3,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key group [[IDLE min-idle-time] start end count [consumer]]',
      summary: "Returns the information and entries from a stream consumer group's pending entries list.",
      since: '5.0.0',
    },
    parsePending,
    showPending,
  ),
  command(
    {
      name: 'xclaim',
      arity: -6,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax:
        'key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]',
      summary: 'Changes, or acquires, ownership of a message in a consumer group.',
      since: '5.0.0',
    },
    parseClaim,
    claim,
  ),
  command(
    {
      name: 'xautoclaim',
      arity: -6,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key group consumer min-idle-time start [COUNT count] [JUSTID]',
      summary: 'Changes, or acquires, ownership of messages in a consumer group, as if they were delivered to it.',
      since: '6.2.0',
    },
    parseAutoClaim,
    autoClaim,
  ),
]

interface GroupOptions extends groups.GroupStart {
  readonly makesStream: boolean
}

function parseGroupStart(args: Args, isCreate: boolean): GroupOptions {
  let makesStream = false
  let entriesRead: Int64 = groups.UNKNOWN_READ
  for (let at = 5; at < args.count; at++) {
    if (isCreate && args.is(at, 'mkstream')) {
      makesStream = true
    } else if (at + 1 < args.count && args.is(at, 'entriesread')) {
      entriesRead = int64At(args, ++at)
      if (entriesRead < 0 && entriesRead !== groups.UNKNOWN_READ) throw ENTRIES_READ_NEGATIVE
    } else {
      throw subcommandSyntax(args.at(1), 'xgroup')
    }
  }
  const lastId = args.is(4, '$') ? undefined : isCreate ? idAt(args, 4) : looseIdAt(args, 4)
  return { lastId, entriesRead, makesStream }
}

function createGroup({ db, reply, events }: Context, args: Args, options: GroupOptions): void {
  groups.create(db, args.at(2), args.at(3), options, options.makesStream)
  events.notify(NOTIFY_STREAM, 'xgroup-create', args.at(2))
  reply.ok()
}

function setGroupId({ db, reply, events }: Context, args: Args, options: GroupOptions): void {
  groups.setId(db, args.at(2), args.at(3), options)
  events.notify(NOTIFY_STREAM, 'xgroup-setid', args.at(2))
  reply.ok()
}

function destroyGroup({ db, reply, events }: Context, args: Args): void {
  const destroyed = groups.destroy(db, args.at(2), args.at(3))
  if (destroyed) events.notify(NOTIFY_STREAM, 'xgroup-destroy', args.at(2))
  reply.integer(destroyed ? 1 : 0)
}

function createConsumer({ db, reply, events }: Context, args: Args): void {
  const created = groups.createConsumer(db, args.at(2), args.at(3), args.at(4))
  if (created) events.notify(NOTIFY_STREAM, 'xgroup-createconsumer', args.at(2))
  reply.integer(created ? 1 : 0)
}

function removeConsumer({ db, reply, events }: Context, args: Args): void {
  const removed = groups.removeConsumer(db, args.at(2), args.at(3), args.at(4))
  if (removed !== undefined) events.notify(NOTIFY_STREAM, 'xgroup-delconsumer', args.at(2))
  reply.integer(removed ?? 0)
}

/** Undefined: the summary is wanted. `isNone`: no entries are, for the count is 0. */
function parsePending(args: Args): (pending.PendingFilter & { readonly isNone: boolean }) | undefined {
  if (args.count === 3) return undefined
  if (args.count < 6 || args.count > 9) throw SYNTAX
  const hasIdle = args.is(3, 'idle')
  const idleMs = hasIdle ? Number(int64At(args, 4)) : 0
  const startAt = hasIdle ? 5 : 3
  // Of words that are too many the last are not looked at, as Redis does.
  if (startAt + 2 >= args.count) throw SYNTAX
  const count = countAt(args, startAt + 2)
  return {
    start: rangeStartAt(args, startAt),
    end: rangeEndAt(args, startAt + 1),
    count,
    consumer: startAt + 3 < args.count ? args.at(startAt + 3) : undefined,
    idleMs,
    isNone: count === 0,
  }
}

function showPending({ db, reply }: Context, args: Args, filter: ReturnType<typeof parsePending>): void {
  const group = groups.requireGroup(db, args.at(1), args.at(2))
  if (filter !== undefined) {
    const isNone =
      filter.isNone || (filter.consumer !== undefined && readConsumer(group, filter.consumer) === undefined)
    const entries = isNone ? [] : pending.listPending(group, filter)
    reply.array(entries.length)
    for (const { id, consumer, deliveredMs, deliveries } of entries) {
      reply.array(4)
      reply.bulk(formatId(id))
      reply.bulk(consumer)
      reply.integer(Math.max(0, db.nowMs - deliveredMs))
      reply.integer(deliveries)
    }
    return
  }
  const summary = pending.summarizePending(group)
  reply.array(4)
  if (summary === undefined) {
    reply.integer(0)
    reply.nil()
    reply.nil()
    reply.nilArray()
    return
  }
  reply.integer(summary.count)
  reply.bulk(formatId(summary.first))
  reply.bulk(formatId(summary.last))
  reply.array(summary.consumers.length)
  for (const { name, count } of summary.consumers) {
    reply.array(2)
    reply.bulk(name)
    reply.bulkText(String(count))
  }
}

interface ClaimOptions extends Omit<pending.Claim, 'deliveredMs'> {
  readonly ids: readonly StreamId[]
  /** IDLE: how long ago the delivery is to have been, in ms. */
  readonly idleMs: number | undefined
  /** TIME. */
  readonly timeMs: number | undefined
}

function parseClaim(args: Args): ClaimOptions {
  const minIdleMs = Math.max(0, Number(int64At(args, 4, BAD_CLAIM_MIN_IDLE)))
  const ids: StreamId[] = []
  let at = 5
  for (; at < args.count; at++) {
    const id = parseId(args.at(at))
    if (id === undefined) break
    ids.push(id)
  }
  let [force, justId] = [false, false]
  let idleMs: number | undefined
  let timeMs: number | undefined
  let deliveries: Int64 | undefined
  let lastId = ID_ZERO
  for (; at < args.count; at++) {
    const hasMore = at + 1 < args.count
    if (args.is(at, 'force')) {
      force = true
    } else if (args.is(at, 'justid')) {
      justId = true
    } else if (hasMore && args.is(at, 'idle')) {
      idleMs = Number(int64At(args, ++at, BAD_CLAIM_IDLE))
      timeMs = undefined
    } else if (hasMore && args.is(at, 'time')) {
      timeMs = Number(int64At(args, ++at, BAD_CLAIM_TIME))
      idleMs = undefined
    } else if (hasMore && args.is(at, 'retrycount')) {
      const given = int64At(args, ++at, BAD_CLAIM_RETRY_COUNT)
      deliveries = given < 0 ? undefined : given
    } else if (hasMore && args.is(at, 'lastid')) {
      lastId = idAt(args, ++at)
    } else {
      throw unknownClaimOption(args.at(at))
    }
  }
  return { minIdleMs, ids, force, justId, idleMs, timeMs, deliveries, lastId }
}

function claim(context: Context, args: Args, options: ClaimOptions): void {
  const { db } = context
  const group = groups.requireGroup(db, args.at(1), args.at(2))
  const { idleMs, timeMs, ids, justId } = options
  const deliveredMs = idleMs === undefined ? timeMs : db.nowMs - idleMs
  const { entries, created } = pending.claim(group, args.at(3), ids, { ...options, deliveredMs })
  if (created) announceConsumer(context, group)
  replyClaimed(context, entries, justId)
}

function replyClaimed({ reply }: Context, entries: readonly Entry[], justId: boolean): void {
  reply.array(entries.length)
  for (const { id, value } of entries) {
    if (justId) reply.bulk(formatId(id))
    else replyEntry(reply, id, value)
  }
}

interface AutoClaimOptions {
  readonly minIdleMs: number
  readonly start: StreamId
  readonly count: number
  readonly justId: boolean
}

const AUTOCLAIM_COUNT = 100
/** What Redis's memory would allow. */
const AUTOCLAIM_COUNT_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 16)

function parseAutoClaim(args: Args): AutoClaimOptions {
  const minIdleMs = Math.max(0, Number(int64At(args, 4, BAD_AUTOCLAIM_MIN_IDLE)))
  const start = rangeStartAt(args, 5)
  let count = AUTOCLAIM_COUNT
  let justId = false
  for (let at = 6; at < args.count; at++) {
    if (at + 1 < args.count && args.is(at, 'count')) {
      count = integerAt(args, ++at, 1, AUTOCLAIM_COUNT_MAX, COUNT_NOT_POSITIVE)
    } else if (args.is(at, 'justid')) {
      justId = true
    } else {
      throw SYNTAX
    }
  }
  return { minIdleMs, start, count, justId }
}

function autoClaim(context: Context, args: Args, options: AutoClaimOptions): void {
  const { db, reply } = context
  const group = groups.requireGroup(db, args.at(1), args.at(2))
  const { entries, created, next, deleted } = pending.claimFrom(group, args.at(3), options)
  if (created) announceConsumer(context, group)
  reply.array(3)
  reply.bulk(formatId(next))
  replyClaimed(context, entries, options.justId)
  reply.array(deleted.length)
  for (const id of deleted) reply.bulk(formatId(id))
}
