/** List commands that never wait. Source: kvrocks src/commands/cmd_list.cc; redis src/t_list.c. */

import { NOTIFY_GENERIC, NOTIFY_LIST } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_POSITIVE, SYNTAX, wrongArity } from '../protocol/errors.js'
import * as lists from '../types/list/list.js'
import {
  type AnyCommand,
  type CommandSpec,
  command,
  FAST,
  FIRST_KEY,
  FIRST_TWO_KEYS,
  NO_SIZE_CHECK,
  noOptions,
  READONLY,
  SLOW,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { int64At, integerAt, OptionReader } from './options.js'
import { replyRows } from './streamed.js'

type Side = lists.Side

function pushes(name: string, side: Side, onlyExisting: boolean, summary: string, since: string): AnyCommand {
  const spec: CommandSpec = {
    name,
    arity: -3,
    flags: WRITE | FAST,
    keys: FIRST_KEY,
    syntax: 'key element [element ...]',
    summary,
    since,
  }
  return command(spec, noOptions, ({ db, reply, events }, args) => {
    const key = args.at(1)
    const size = lists.push(db, key, side, args.rest(2), onlyExisting)
    if (size > 0) events.notify(NOTIFY_LIST, side === 'left' ? 'lpush' : 'rpush', key)
    reply.integer(size)
  })
}

function pops(name: string, side: Side, summary: string): AnyCommand {
  const spec: CommandSpec = {
    name,
    arity: -2,
    flags: WRITE | FAST | NO_SIZE_CHECK,
    keys: FIRST_KEY,
    syntax: 'key [count]',
    summary,
    since: '1.0.0',
  }
  return command(
    spec,
    (args) => parsePopCount(args, name),
    (context, args, count) => pop(context, args, side, count),
  )
}

export const listCommands: readonly AnyCommand[] = [
  pushes(
    'lpush',
    'left',
    false,
    "Prepends one or more elements to a list. Creates the key if it doesn't exist.",
    '1.0.0',
  ),
  pushes(
    'rpush',
    'right',
    false,
    "Appends one or more elements to a list. Creates the key if it doesn't exist.",
    '1.0.0',
  ),
  pushes('lpushx', 'left', true, 'Prepends one or more elements to a list only when the list exists.', '2.2.0'),
  pushes('rpushx', 'right', true, 'Appends an element to a list only when the list exists.', '2.2.0'),
  pops(
    'lpop',
    'left',
    'Returns the first elements in a list after removing it. Deletes the list if it was the last one.',
  ),
  pops('rpop', 'right', 'Returns and removes the last elements of a list. Deletes the list if it was the last one.'),
  command(
    {
      name: 'llen',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the length of a list.',
      since: '1.0.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(lists.size(db, args.at(1))),
  ),
  command(
    {
      name: 'lindex',
      arity: 3,
      flags: READONLY,
      keys: FIRST_KEY,
      syntax: 'key index',
      summary: 'Returns an element from a list by its index.',
      since: '1.0.0',
    },
    (args) => Number(int64At(args, 2)),
    ({ db, reply }, args, position) => reply.bulkOrNil(lists.get(db, args.at(1), position)),
  ),
  command(
    {
      name: 'lset',
      arity: 4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax: 'key index element',
      summary: 'Sets the value of an element in a list by its index.',
      since: '1.0.0',
    },
    (args) => Number(int64At(args, 2)),
    setElement,
  ),
  command(
    {
      name: 'lrange',
      arity: 4,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key start stop',
      summary: 'Returns a range of elements from a list.',
      since: '1.0.0',
    },
    parseRange,
    range,
  ),
  command(
    {
      name: 'ltrim',
      arity: 4,
      flags: WRITE | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key start stop',
      summary: 'Removes elements from both ends of a list. Deletes the list if all elements were trimmed.',
      since: '1.0.0',
    },
    parseRange,
    trim,
  ),
  command(
    {
      name: 'lrem',
      arity: 4,
      flags: WRITE | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key count element',
      summary: 'Removes elements from a list. Deletes the list if the last element was removed.',
      since: '1.0.0',
    },
    (args) => integerAt(args, 2),
    remove,
  ),
  command(
    {
      name: 'linsert',
      arity: 5,
      flags: WRITE | SLOW,
      keys: FIRST_KEY,
      syntax: 'key <BEFORE | AFTER> pivot element',
      summary: 'Inserts an element before or after another element in a list.',
      since: '2.2.0',
    },
    (args) => {
      if (!args.is(2, 'before') && !args.is(2, 'after')) throw SYNTAX
      return args.is(2, 'before')
    },
    insert,
  ),
  command(
    {
      name: 'lpos',
      arity: -3,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key element [RANK rank] [COUNT num-matches] [MAXLEN len]',
      summary: 'Returns the index of matching elements in a list.',
      since: '6.0.6',
    },
    parsePositions,
    positions,
  ),
  command(
    {
      name: 'lmove',
      arity: 5,
      flags: WRITE,
      keys: FIRST_TWO_KEYS,
      syntax: 'source destination <LEFT | RIGHT> <LEFT | RIGHT>',
      summary: 'Returns an element after popping it from one list and pushing it to another.',
      since: '6.2.0',
    },
    (args) => ({ from: parseSide(args, 3), to: parseSide(args, 4) }),
    (context, args, ends) => {
      if (!moveElement(context, args, ends)) context.reply.nil()
    },
  ),
  command(
    {
      name: 'rpoplpush',
      arity: 3,
      flags: WRITE,
      keys: FIRST_TWO_KEYS,
      syntax: 'source destination',
      summary: 'Returns the last element of a list after removing and pushing it to another list.',
      since: '1.2.0',
    },
    (): Ends => ({ from: 'right', to: 'left' }),
    (context, args, ends) => {
      if (!moveElement(context, args, ends)) context.reply.nil()
    },
  ),
]

/** Undefined: one element, not in an array. */
function parsePopCount(args: Args, name: string): number | undefined {
  if (args.count > 3) throw wrongArity(name)
  return args.count === 3 ? integerAt(args, 2, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE) : undefined
}

function pop(context: Context, args: Args, side: Side, count: number | undefined): void {
  const { db, reply } = context
  const elements = lists.pop(db, args.at(1), side, count ?? 1)
  if (elements === undefined) {
    if (count === undefined) reply.nil()
    else reply.nilArray()
    return
  }
  if (elements.length > 0) announcePop(context, args, 1, side)
  if (count === undefined) {
    reply.bulkOrNil(elements[0])
    return
  }
  reply.array(elements.length)
  for (const element of elements) reply.bulk(element)
}

/** Tells of elements taken from the list that word `index` names. */
function announcePop({ db, events }: Context, args: Args, index: number, side: Side): void {
  if (events.classes === 0) return
  events.notify(NOTIFY_LIST, side === 'left' ? 'lpop' : 'rpop', args.at(index))
  if (lists.size(db, args.at(index)) === 0) events.notify(NOTIFY_GENERIC, 'del', args.at(index))
}

function setElement({ db, reply, events }: Context, args: Args, position: number): void {
  lists.set(db, args.at(1), position, args.at(3))
  events.notify(NOTIFY_LIST, 'lset', args.at(1))
  reply.ok()
}

interface Range {
  readonly start: number
  readonly stop: number
}

function parseRange(args: Args): Range {
  return { start: Number(int64At(args, 2)), stop: Number(int64At(args, 3)) }
}

function range(context: Context, args: Args, { start, stop }: Range): void {
  const found = lists.range(context.db, args.at(1), start, stop)
  if (found === undefined) {
    context.reply.array(0)
    return
  }
  replyRows(context, {
    rows: found.size,
    begin: (reply, rows) => reply.array(rows),
    open: found.open,
    write: (reply, cursor) => cursor.writeValue(reply),
  })
}

function trim({ db, reply, events }: Context, args: Args, { start, stop }: Range): void {
  const existed = lists.size(db, args.at(1)) > 0
  const remains = lists.trim(db, args.at(1), start, stop)
  if (existed) events.notify(NOTIFY_LIST, 'ltrim', args.at(1))
  if (existed && !remains) events.notify(NOTIFY_GENERIC, 'del', args.at(1))
  reply.ok()
}

function remove({ db, reply, events }: Context, args: Args, count: number): void {
  const { removed, isEmpty } = lists.remove(db, args.at(1), count, args.at(3))
  if (removed > 0) events.notify(NOTIFY_LIST, 'lrem', args.at(1))
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', args.at(1))
  reply.integer(removed)
}

function insert({ db, reply, events }: Context, args: Args, before: boolean): void {
  const size = lists.insert(db, args.at(1), before, args.at(3), args.at(4))
  if (size > 0) events.notify(NOTIFY_LIST, 'linsert', args.at(1))
  reply.integer(size)
}

interface PositionOptions extends lists.PositionSearch {
  readonly isList: boolean
}

const RANK_ZERO = err(
  "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
)
/** Redis's words, and after them those that Kvrocks's tests look for. */
const RANK_OUT_OF_RANGE = err(
  'value is out of range, value must between -9223372036854775807 and 9223372036854775807: rank would overflow',
)
const COUNT_NEGATIVE = err("COUNT can't be negative")
const LENGTH_NEGATIVE = err("MAXLEN can't be negative")

function parsePositions(args: Args): PositionOptions {
  const options = new OptionReader(args, 3)
  let [rank, count, lengthMax] = [1, 1, 0]
  let isList = false
  while (options.hasMore) {
    if (options.take('rank')) {
      const given = options.int64()
      if (given === -(2n ** 63n)) throw RANK_OUT_OF_RANGE
      if (given === 0 && options.hasMore) throw RANK_ZERO
      rank = Number(given)
      if (rank === 0) options.refuse(RANK_ZERO)
    } else if (options.take('count')) {
      count = options.integer(0, Number.MAX_SAFE_INTEGER, COUNT_NEGATIVE)
      isList = true
    } else if (options.take('maxlen')) {
      lengthMax = options.integer(0, Number.MAX_SAFE_INTEGER, LENGTH_NEGATIVE)
    } else {
      throw SYNTAX
    }
  }
  options.end()
  return { rank, count, lengthMax, isList }
}

function positions({ db, reply }: Context, args: Args, options: PositionOptions): void {
  const found = lists.positions(db, args.at(1), args.at(2), options)
  if (!options.isList) {
    if (found[0] === undefined) reply.nil()
    else reply.integer(found[0])
    return
  }
  reply.array(found.length)
  for (const position of found) reply.integer(position)
}

export interface Ends {
  readonly from: Side
  readonly to: Side
}

/** LEFT or RIGHT in word `index`. */
export function parseSide(args: Args, index: number): Side {
  if (args.is(index, 'left')) return 'left'
  if (args.is(index, 'right')) return 'right'
  throw SYNTAX
}

/** Moves an element from the list of word 1 to that of word 2 and answers it; false if there is none. */
export function moveElement(context: Context, args: Args, { from, to }: Ends): boolean {
  const { db, reply, events } = context
  const element = lists.move(db, args.at(1), args.at(2), from, to)
  if (element === undefined) return false
  events.notify(NOTIFY_LIST, to === 'left' ? 'lpush' : 'rpush', args.at(2))
  announcePop(context, args, 1, from)
  reply.bulk(element)
  return true
}

/** Takes up to `count` elements from the first list among the words at `indexes` that has any; false if none has. */
export function popFirst(
  context: Context,
  args: Args,
  indexes: readonly number[],
  side: Side,
  answer: (index: number, elements: readonly Buffer[]) => void,
  count = 1,
): boolean {
  for (const index of indexes) {
    const elements = lists.pop(context.db, args.at(index), side, count)
    if (elements === undefined || elements.length === 0) continue
    announcePop(context, args, index, side)
    answer(index, elements)
    return true
  }
  return false
}
