/** SORT and SORT_RO. Source: redis src/sort.c; kvrocks src/commands/cmd_key.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import * as keys from '../types/key.js'
import { lookUp, type SortOrder, sortedElements, storeSorted } from '../types/sort.js'
import { type AnyCommand, command, FIRST_KEY, READONLY, SLOW, WRITE } from './command.js'
import type { Context } from './context.js'
import { OptionReader } from './options.js'

const SYNTAX_RO = 'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]'

export const sortCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'sort',
      arity: -2,
      flags: WRITE | SLOW,
      keys: sortKeys,
      syntax: `${SYNTAX_RO} [STORE destination]`,
      summary: 'Sorts the elements in a list, a set, or a sorted set, optionally storing the result.',
      since: '1.0.0',
    },
    (args) => parseSort(args, true),
    sort,
  ),
  command(
    {
      name: 'sort_ro',
      arity: -2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: SYNTAX_RO,
      summary: 'Returns the sorted elements of a list, a set, or a sorted set.',
      since: '7.0.0',
    },
    (args) => parseSort(args, false),
    sort,
  ),
]

const BY_IN_CLUSTER = err('BY option of SORT denied in cluster mode.')
const GET_IN_CLUSTER = err('GET option of SORT denied in cluster mode.')

/** The key, and the last one that STORE names. */
function sortKeys(args: Args): readonly number[] {
  let stored: number | undefined
  for (let index = 2; index + 1 < args.count; index++) {
    if (args.is(index, 'limit')) index += 2
    else if (args.is(index, 'get') || args.is(index, 'by')) index++
    else if (args.is(index, 'store')) stored = ++index
  }
  return stored === undefined ? [1] : [1, stored]
}

interface SortOptions extends SortOrder {
  readonly gets: readonly Bytes[]
  readonly destination: Bytes | undefined
}

function parseSort(args: Args, mayStore: boolean): SortOptions {
  const options = new OptionReader(args, 2)
  const gets: Bytes[] = []
  let by: Bytes | undefined
  let destination: Bytes | undefined
  let isDescending = false
  let isAlpha = false
  let offset = 0
  let count = -1
  while (options.hasMore) {
    if (options.take('asc')) isDescending = false
    else if (options.take('desc')) isDescending = true
    else if (options.take('alpha')) isAlpha = true
    else if (options.take('by')) by = options.word()
    else if (options.take('get')) gets.push(options.word())
    else if (mayStore && options.take('store')) destination = options.word()
    else if (options.left >= 3 && options.take('limit')) {
      offset = Number(options.int64())
      count = Number(options.int64())
    } else throw SYNTAX
  }
  options.end()
  return { by, gets, destination, isDescending, isAlpha, offset, count }
}

function sort(context: Context, args: Args, options: SortOptions): void {
  const { db, reply } = context
  const { by, gets, destination } = options
  if (db.slotEncoded) {
    if (by?.includes('*')) throw BY_IN_CLUSTER
    if (gets.some((pattern) => pattern.includes('*'))) throw GET_IN_CLUSTER
  }
  const elements = sortedElements(db, args.at(1), options, destination !== undefined)
  const values =
    gets.length === 0 ? elements : elements.flatMap((element) => gets.map((get) => lookUp(db, get, element)))
  if (destination !== undefined) {
    store(context, destination, values)
    return
  }
  reply.array(values.length)
  for (const value of values) reply.bulkOrNil(value)
}

function store({ db, reply, events }: Context, destination: Bytes, values: readonly (Bytes | undefined)[]): void {
  const existed = keys.exists(db, destination)
  storeSorted(db, destination, values)
  if (values.length > 0) events.notify(NOTIFY_LIST, 'sortstore', destination)
  else if (existed) events.notify(NOTIFY_GENERIC, 'del', destination)
  reply.integer(values.length)
}
