/** Commands on the entries of streams. Source: redis src/t_stream.c; kvrocks src/commands/cmd_stream.cc. */

import { compare } from '../bytes/bytes.js'
import type { Int64 } from '../bytes/int64.js'
import { NOTIFY_STREAM } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import {
  ADD_ID_ZERO,
  ENTRIES_ADDED_NEGATIVE,
  GIVEN_MAX_DELETED_ID_TOO_LARGE,
  INVALID_STREAM_ID,
  TRIM_MISSING,
} from '../protocol/errors/stream.js'
import { SYNTAX, wrongArity } from '../protocol/errors.js'
import * as changes from '../types/stream/changes.js'
import * as entries from '../types/stream/entries.js'
import { formatId, ID_ZERO, parseWantedId, type StreamId, type WantedId } from '../types/stream/ids.js'
import type { Trim } from '../types/stream/removal.js'
import { openStream } from '../types/stream/rows.js'
import { type AnyCommand, command, FAST, FIRST_KEY, NO_SIZE_CHECK, READONLY, SLOW, WRITE } from './command.js'
import type { Context } from './context.js'
import { int64At } from './options.js'
import { countAt, idAt, parseTrim, rangeEndAt, rangeStartAt } from './stream-options.js'
import { replyRanges } from './stream-reply.js'

export const streamCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'xadd',
      arity: -5,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax:
        'key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]',
      summary: "Appends a new message to a stream. Creates the key if it doesn't exist.",
      since: '5.0.0',
    },
    parseAdd,
    add,
  ),
  command(
    {
      name: 'xlen',
      arity: -2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key [id [- | +]]',
      summary: 'Return the number of messages in a stream, or of those before or after one.',
      since: '5.0.0',
    },
    parseLength,
    length,
  ),
  command(
    {
      name: 'xrange',
      arity: -4,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key start end [COUNT count]',
      summary: 'Returns the messages from a stream within a range of IDs.',
      since: '5.0.0',
    },
    (args) => parseRange(args, false),
    range,
  ),
  command(
    {
      name: 'xrevrange',
      arity: -4,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key end start [COUNT count]',
      summary: 'Returns the messages from a stream within a range of IDs in reverse order.',
      since: '5.0.0',
    },
    (args) => parseRange(args, true),
    range,
  ),
  command(
    {
      name: 'xdel',
      arity: -3,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key id [id ...]',
      summary: 'Returns the number of messages after removing them from a stream.',
      since: '5.0.0',
    },
    (args) => args.rest(2).map((_word, index) => idAt(args, index + 2)),
    remove,
  ),
  command(
    {
      name: 'xtrim',
      arity: -4,
      flags: WRITE | SLOW | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]',
      summary: 'Deletes messages from the beginning of a stream.',
      since: '5.0.0',
    },
    parseTrimAlone,
    trim,
  ),
  command(
    {
      name: 'xsetid',
      arity: -3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]',
      summary: 'An internal command for replicating stream values.',
      since: '5.0.0',
    },
    parseSetId,
    setId,
  ),
]

interface Addition {
  readonly id: WantedId
  readonly trim: Trim | undefined
  readonly onlyExisting: boolean
  /** The first word of the fields. */
  readonly fieldsAt: number
}

function parseAdd(args: Args): Addition {
  const { trim, onlyExisting, end } = parseTrim(args, true)
  const id = end < args.count ? parseWantedId(args.at(end)) : undefined
  if (end < args.count && id === undefined) throw INVALID_STREAM_ID
  const fieldWords = args.count - end - 1
  if (id === undefined || fieldWords < 2 || fieldWords % 2 === 1) throw wrongArity('xadd')
  if (id.ms === 0 && id.seq === 0) throw ADD_ID_ZERO
  return { id, trim, onlyExisting, fieldsAt: end + 1 }
}

function add({ db, reply, events }: Context, args: Args, { id, trim, onlyExisting, fieldsAt }: Addition): void {
  const key = args.at(1)
  const added = changes.add(db, key, id, args.rest(fieldsAt), trim, onlyExisting)
  if (added === undefined) {
    reply.nil()
    return
  }
  events.notify(NOTIFY_STREAM, 'xadd', key)
  if (added.trimmed > 0) events.notify(NOTIFY_STREAM, 'xtrim', key)
  reply.bulk(formatId(added.id))
}

interface Beside {
  readonly id: StreamId
  readonly before: boolean
}

/** Kvrocks counts from an id on (`+`, the default) or before it (`-`). */
function parseLength(args: Args): Beside | undefined {
  if (args.count === 2) return undefined
  const before = args.is(3, '-')
  if (args.count > 4 || (args.count === 4 && !before && !args.is(3, '+'))) throw SYNTAX
  return { id: idAt(args, 2), before }
}

function length({ db, reply }: Context, args: Args, beside: Beside | undefined): void {
  const key = args.at(1)
  reply.integer(beside === undefined ? entries.size(db, key) : entries.sizeBeside(db, key, beside.id, beside.before))
}

function parseRange(args: Args, reverse: boolean): entries.Range & { readonly isNone: boolean } {
  const start = rangeStartAt(args, reverse ? 3 : 2)
  const end = rangeEndAt(args, reverse ? 2 : 3)
  let count = 0
  let isNone = false
  for (let at = 4; at < args.count; at += 2) {
    if (!args.is(at, 'count') || at + 1 >= args.count) throw SYNTAX
    count = countAt(args, at + 1)
    isNone = count === 0
  }
  return { start, end, reverse, count, isNone }
}

function range(context: Context, args: Args, options: ReturnType<typeof parseRange>): void {
  const { db, reply } = context
  const stream = openStream(db, Buffer.from(args.at(1)))
  if (stream === undefined) reply.array(0)
  else if (options.isNone) reply.nilArray()
  else replyRanges(context, [{ stream, range: options }])
}

function remove({ db, reply, events }: Context, args: Args, ids: readonly StreamId[]): void {
  const removed = changes.remove(db, args.at(1), ids)
  if (removed > 0) events.notify(NOTIFY_STREAM, 'xdel', args.at(1))
  reply.integer(removed)
}

function parseTrimAlone(args: Args): Trim {
  const { trim } = parseTrim(args, false)
  if (trim === undefined) throw TRIM_MISSING
  return trim
}

function trim({ db, reply, events }: Context, args: Args, how: Trim): void {
  const removed = changes.trim(db, args.at(1), how)
  if (removed > 0) events.notify(NOTIFY_STREAM, 'xtrim', args.at(1))
  reply.integer(removed)
}

function parseSetId(args: Args): changes.NewState {
  const lastId = idAt(args, 2)
  let entriesAdded: Int64 | undefined
  let maxDeletedId = ID_ZERO
  for (let at = 3; at < args.count; at += 2) {
    if (at + 1 >= args.count) throw SYNTAX
    if (args.is(at, 'entriesadded')) {
      entriesAdded = int64At(args, at + 1)
      if (entriesAdded < 0) throw ENTRIES_ADDED_NEGATIVE
    } else if (args.is(at, 'maxdeletedid')) {
      maxDeletedId = idAt(args, at + 1)
      if (compare(lastId, maxDeletedId) < 0) throw GIVEN_MAX_DELETED_ID_TOO_LARGE
    } else {
      throw SYNTAX
    }
  }
  return { lastId, entriesAdded, maxDeletedId }
}

function setId({ db, reply, events }: Context, args: Args, state: changes.NewState): void {
  changes.setId(db, args.at(1), state)
  events.notify(NOTIFY_STREAM, 'xsetid', args.at(1))
  reply.ok()
}
