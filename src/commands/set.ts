/** Set commands. Source: kvrocks src/commands/cmd_set.cc; redis src/t_set.c. */

import type { Bytes } from '../bytes/bytes.js'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, LIMIT_NEGATIVE, NOT_POSITIVE, NUMKEYS_NOT_POSITIVE, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import type { Database } from '../storage/database.js'
import * as sets from '../types/set.js'
import {
  ALL_KEYS,
  type AnyCommand,
  command,
  countedKeys,
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
import { parseRandom, type RandomOptions, replyRandom } from './draws.js'
import { integerAt, OptionReader } from './options.js'
import { replyRows } from './streamed.js'

type SetOperation = (db: Database, keys: readonly Bytes[]) => Iterable<Bytes>

function readsSets(name: string, operation: SetOperation, summary: string): AnyCommand {
  return command(
    { name, arity: -2, flags: READONLY | SLOW, keys: ALL_KEYS, syntax: 'key [key ...]', summary, since: '1.0.0' },
    noOptions,
    ({ db, reply }, args) => replyMembers(reply, operation(db, args.rest(1))),
  )
}

function storesSets(name: string, operation: SetOperation, summary: string): AnyCommand {
  const syntax = 'destination key [key ...]'
  return command(
    { name, arity: -3, flags: WRITE | SLOW, keys: ALL_KEYS, syntax, summary, since: '1.0.0' },
    noOptions,
    (context, args) => store(context, args, name, operation),
  )
}

export const setCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'sadd',
      arity: -3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key member [member ...]',
      summary: "Adds one or more members to a set. Creates the key if it doesn't exist.",
      since: '1.0.0',
    },
    noOptions,
    add,
  ),
  command(
    {
      name: 'srem',
      arity: -3,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key member [member ...]',
      summary: 'Removes one or more members from a set. Deletes the set if the last member was removed.',
      since: '1.0.0',
    },
    noOptions,
    remove,
  ),
  command(
    {
      name: 'scard',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the number of members in a set.',
      since: '1.0.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(sets.size(db, args.at(1))),
  ),
  command(
    {
      name: 'smembers',
      arity: 2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns all members of a set.',
      since: '1.0.0',
    },
    noOptions,
    members,
  ),
  command(
    {
      name: 'sismember',
      arity: 3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key member',
      summary: 'Determines whether a member belongs to a set.',
      since: '1.0.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(sets.contains(db, args.at(1), [args.at(2)])[0] ? 1 : 0),
  ),
  command(
    {
      name: 'smismember',
      arity: -3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key member [member ...]',
      summary: 'Determines whether multiple members belong to a set.',
      since: '6.2.0',
    },
    noOptions,
    areMembers,
  ),
  command(
    {
      name: 'spop',
      arity: -2,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key [count]',
      summary:
        'Returns one or more random members from a set after removing them. Deletes the set if the last was popped.',
      since: '1.0.0',
    },
    parsePopCount,
    pop,
  ),
  command(
    {
      name: 'srandmember',
      arity: -2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key [count]',
      summary: 'Returns one or more random members from a set.',
      since: '1.0.0',
    },
    (args) => parseRandom(args),
    randomMembers,
  ),
  command(
    {
      name: 'smove',
      arity: 4,
      flags: WRITE | FAST,
      keys: FIRST_TWO_KEYS,
      syntax: 'source destination member',
      summary: 'Moves a member from one set to another.',
      since: '1.0.0',
    },
    noOptions,
    move,
  ),
  readsSets('sinter', sets.intersect, 'Returns the intersect of multiple sets.'),
  readsSets('sunion', sets.unite, 'Returns the union of multiple sets.'),
  readsSets('sdiff', sets.subtract, 'Returns the difference of multiple sets.'),
  storesSets('sinterstore', sets.intersect, 'Stores the intersect of multiple sets in a key.'),
  storesSets('sunionstore', sets.unite, 'Stores the union of multiple sets in a key.'),
  storesSets('sdiffstore', sets.subtract, 'Stores the difference of multiple sets in a key.'),
  command(
    {
      name: 'sintercard',
      arity: -3,
      flags: READONLY | SLOW,
      keys: countedKeys(1),
      syntax: 'numkeys key [key ...] [LIMIT limit]',
      summary: 'Returns the number of members of the intersect of multiple sets.',
      since: '7.0.0',
    },
    parseIntersectCount,
    countIntersection,
  ),
]

function add({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  const added = sets.add(db, key, args.rest(2))
  if (added > 0) events.notify(NOTIFY_SET, 'sadd', key)
  reply.integer(added)
}

function remove({ db, reply, events }: Context, args: Args): void {
  const { removed, isEmpty } = sets.remove(db, args.at(1), args.rest(2))
  if (removed > 0) events.notify(NOTIFY_SET, 'srem', args.at(1))
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', args.at(1))
  reply.integer(removed)
}

function members(context: Context, args: Args): void {
  const found = sets.scan(context.db, args.at(1))
  if (found === undefined) {
    context.reply.set(0)
    return
  }
  replyRows(context, {
    rows: found.size,
    begin: (reply, rows) => reply.set(rows),
    open: found.open,
    write: (reply, cursor) => cursor.writeKey(reply),
  })
}

function areMembers({ db, reply }: Context, args: Args): void {
  const flags = sets.contains(db, args.at(1), args.rest(2))
  reply.array(flags.length)
  for (const flag of flags) reply.integer(flag ? 1 : 0)
}

/** Undefined: one member, not in an array. */
function parsePopCount(args: Args): number | undefined {
  if (args.count > 3) throw SYNTAX
  return args.count === 3 ? integerAt(args, 2, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE) : undefined
}

function pop({ db, reply, events }: Context, args: Args, count: number | undefined): void {
  const key = args.at(1)
  const { members: popped, isEmpty } = sets.pop(db, key, count ?? 1)
  if (popped.length > 0) events.notify(NOTIFY_SET, 'spop', key)
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', key)
  if (count === undefined) {
    reply.bulkOrNil(popped[0])
    return
  }
  reply.set(popped.length)
  for (const member of popped) reply.bulk(member)
}

function randomMembers(context: Context, args: Args, { count }: RandomOptions): void {
  const { db, reply } = context
  const draw = (wanted: number): Bytes[] => sets.sample(db, args.at(1), wanted)
  if (count === undefined) reply.bulkOrNil(draw(1)[0])
  else {
    replyRandom(
      context,
      count,
      draw,
      (to, total) => to.array(total),
      (to, member) => to.bulk(member),
    )
  }
}

function move({ db, reply, events }: Context, args: Args): void {
  const [source, destination, member] = [args.at(1), args.at(2), args.at(3)]
  if (sets.size(db, source) === 0) {
    reply.integer(0)
    return
  }
  // Asked before anything is changed, for it may be of another type.
  const isThere = sets.contains(db, destination, [member])[0]
  if (!sets.contains(db, source, [member])[0]) {
    reply.integer(0)
    return
  }
  if (!source.equals(destination)) {
    const { isEmpty } = sets.remove(db, source, [member])
    events.notify(NOTIFY_SET, 'srem', source)
    if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', source)
    if (!isThere) sets.add(db, destination, [member])
    if (!isThere) events.notify(NOTIFY_SET, 'sadd', destination)
  }
  reply.integer(1)
}

function replyMembers(reply: Reply, found: Iterable<Bytes>): void {
  reply.counted('set', () => {
    let count = 0
    for (const member of found) {
      reply.bulk(member)
      count++
    }
    return count
  })
}

function store({ db, reply, events }: Context, args: Args, name: string, operation: SetOperation): void {
  const destination = args.at(1)
  // All is read before anything is written: the destination may be one of the sources.
  const found = [...operation(db, args.rest(2))]
  const count = sets.replace(db, destination, found)
  if (count > 0) events.notify(NOTIFY_SET, name, destination)
  reply.integer(count)
}

interface IntersectCount {
  readonly keyCount: number
  /** 0 = none. */
  readonly limit: number
}

const MORE_KEYS_THAN_ARGUMENTS = err("Number of keys can't be greater than number of args")

function parseIntersectCount(args: Args): IntersectCount {
  const keyCount = integerAt(args, 1, 1, Number.MAX_SAFE_INTEGER, NUMKEYS_NOT_POSITIVE)
  if (keyCount > args.count - 2) throw MORE_KEYS_THAN_ARGUMENTS
  const options = new OptionReader(args, 2 + keyCount)
  let limit = 0
  while (options.hasMore) {
    if (!options.take('limit')) throw SYNTAX
    limit = options.integer(0, Number.MAX_SAFE_INTEGER, LIMIT_NEGATIVE)
  }
  options.end()
  return { keyCount, limit }
}

function countIntersection({ db, reply }: Context, args: Args, { keyCount, limit }: IntersectCount): void {
  let count = 0
  for (const _member of sets.intersect(db, args.rest(2).slice(0, keyCount), limit)) count++
  reply.integer(count)
}
