/** HyperLogLog commands. Source: kvrocks src/commands/cmd_hll.cc; redis src/hyperloglog.c. */

import { NOTIFY_STRING } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import * as hyperloglogs from '../types/hyperloglog.js'
import { ALL_KEYS, type AnyCommand, command, FAST, FIRST_KEY, noOptions, READONLY, WRITE } from './command.js'
import type { Context } from './context.js'

export const hyperloglogCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'pfadd',
      arity: -2,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key [element [element ...]]',
      summary: "Adds elements to a HyperLogLog key. Creates the key if it doesn't exist.",
      since: '2.8.9',
    },
    noOptions,
    add,
  ),
  command(
    {
      name: 'pfcount',
      arity: -2,
      flags: READONLY,
      keys: ALL_KEYS,
      syntax: 'key [key ...]',
      summary: 'Returns the approximated cardinality of the set(s) observed by the HyperLogLog key(s).',
      since: '2.8.9',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(hyperloglogs.count(db, args.rest(1))),
  ),
  command(
    {
      name: 'pfmerge',
      arity: -2,
      flags: WRITE,
      keys: ALL_KEYS,
      syntax: 'destkey [sourcekey [sourcekey ...]]',
      summary: 'Merges one or more HyperLogLog values into a single key.',
      since: '2.8.9',
    },
    noOptions,
    merge,
  ),
]

function add({ db, reply, events }: Context, args: Args): void {
  const isChanged = hyperloglogs.add(db, args.at(1), args.rest(2))
  if (isChanged) events.notify(NOTIFY_STRING, 'pfadd', args.at(1))
  reply.integer(isChanged ? 1 : 0)
}

function merge({ db, reply, events }: Context, args: Args): void {
  hyperloglogs.merge(db, args.at(1), args.rest(2))
  events.notify(NOTIFY_STRING, 'pfadd', args.at(1))
  reply.ok()
}
