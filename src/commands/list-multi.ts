/** List commands of several keys, and those that wait for an element. Source: redis src/t_list.c; kvrocks src/commands/cmd_list.cc. */

import type { Args } from '../protocol/args.js'
import { err, NUMKEYS_NOT_POSITIVE, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { TYPE_LIST } from '../storage/metadata.js'
import type { Side } from '../types/list/list.js'
import { timeoutMsAt } from './blocking-options.js'
import {
  ALL_KEYS_BUT_LAST,
  type AnyCommand,
  BLOCKING,
  command,
  countedKeys,
  FIRST_TWO_KEYS,
  keyIndexes,
  NO_SIZE_CHECK,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { type Ends, moveElement, parseSide, popFirst } from './list.js'
import { integerAt, OptionReader } from './options.js'

const WAITS = WRITE | BLOCKING | NO_SIZE_CHECK

export const multiListCommands: readonly AnyCommand[] = [
  blockingPop('blpop', 'left', 'Removes and returns the first element in a list. Waits until one is there.'),
  blockingPop('brpop', 'right', 'Removes and returns the last element in a list. Waits until one is there.'),
  command(
    {
      name: 'lmpop',
      arity: -4,
      flags: WRITE | NO_SIZE_CHECK,
      keys: countedKeys(1),
      syntax: 'numkeys key [key ...] <LEFT | RIGHT> [COUNT count]',
      summary:
        'Returns multiple elements from a list after removing them. Deletes the list if the last one was popped.',
      since: '7.0.0',
    },
    (args) => parseManyPop(args, 1),
    (context, args, options) => {
      if (!popMany(context, args, options)) context.reply.nilArray()
    },
  ),
  command(
    {
      name: 'blmpop',
      arity: -5,
      flags: WAITS,
      keys: countedKeys(2),
      syntax: 'timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]',
      summary: 'Pops elements from one of multiple lists. Waits until one is there.',
      since: '7.0.0',
    },
    (args) => ({ timeoutMs: timeoutMsAt(args, 1), ...parseManyPop(args, 2) }),
    (context, args, options) =>
      waitFor(context, args, options.indexes, options.timeoutMs, (retried, words) => popMany(retried, words, options)),
  ),
  command(
    {
      name: 'blmove',
      arity: 6,
      flags: WAITS,
      keys: FIRST_TWO_KEYS,
      syntax: 'source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout',
      summary: 'Pops an element from a list, pushes it to another list and returns it. Waits until one is there.',
      since: '6.2.0',
    },
    (args) => ({ from: parseSide(args, 3), to: parseSide(args, 4), timeoutMs: timeoutMsAt(args, 5) }),
    blockingMove,
  ),
  command(
    {
      name: 'brpoplpush',
      arity: 4,
      flags: WAITS,
      keys: FIRST_TWO_KEYS,
      syntax: 'source destination timeout',
      summary: 'Pops an element from a list, pushes it to another list and returns it. Waits until one is there.',
      since: '2.2.0',
    },
    (args): Ends & { timeoutMs: number } => ({ from: 'right', to: 'left', timeoutMs: timeoutMsAt(args, 3) }),
    blockingMove,
  ),
]

function blockingPop(name: string, side: Side, summary: string): AnyCommand {
  return command(
    {
      name,
      arity: -3,
      flags: WAITS,
      keys: ALL_KEYS_BUT_LAST,
      syntax: 'key [key ...] timeout',
      summary,
      since: '2.0.0',
    },
    (args) => timeoutMsAt(args, args.count - 1),
    (context, args, timeoutMs) => {
      const indexes = keyIndexes({ keys: ALL_KEYS_BUT_LAST }, args)
      waitFor(context, args, indexes, timeoutMs, (retried, words) =>
        popFirst(retried, words, indexes, side, (index, [element]) => {
          retried.reply.array(2)
          retried.reply.bulk(words.at(index))
          retried.reply.bulkOrNil(element)
        }),
      )
    },
  )
}

type Attempt = (context: Context, args: Args) => boolean

/** Tries at once; without success waits for the keys at `indexes`. */
function waitFor(
  context: Context,
  args: Args,
  indexes: readonly number[],
  timeoutMs: number,
  attempt: Attempt,
  decline = (reply: Reply) => reply.nilArray(),
): void {
  if (attempt(context, args)) return
  const words = args.copy()
  context.block({
    keys: indexes.map((index) => words.at(index)),
    wants: TYPE_LIST,
    timeoutMs,
    attempt: (retried) => attempt(retried, words),
    expire: (reply) => reply.nilArray(),
    decline,
  })
}

function blockingMove(context: Context, args: Args, options: Ends & { readonly timeoutMs: number }): void {
  const move: Attempt = (retried, words) => moveElement(retried, words, options)
  waitFor(context, args, [1], options.timeoutMs, move, (reply) => reply.nil())
}

interface ManyPop {
  readonly indexes: readonly number[]
  readonly side: Side
  readonly count: number
}

const COUNT_NOT_POSITIVE = err('count should be greater than 0')

/** `numkeys key … LEFT|RIGHT [COUNT n]` from word `countIndex` on. */
function parseManyPop(args: Args, countIndex: number): ManyPop {
  const keyCount = integerAt(args, countIndex, 1, Number.MAX_SAFE_INTEGER, NUMKEYS_NOT_POSITIVE)
  const sideIndex = countIndex + 1 + keyCount
  if (sideIndex >= args.count) throw SYNTAX
  const side = parseSide(args, sideIndex)
  const options = new OptionReader(args, sideIndex + 1)
  const count = options.take('count') ? options.integer(1, Number.MAX_SAFE_INTEGER, COUNT_NOT_POSITIVE) : 1
  options.end()
  return { indexes: Array.from({ length: keyCount }, (_, index) => countIndex + 1 + index), side, count }
}

function popMany(context: Context, args: Args, { indexes, side, count }: ManyPop): boolean {
  const { reply } = context
  return popFirst(
    context,
    args,
    indexes,
    side,
    (index, elements) => {
      reply.array(2)
      reply.bulk(args.at(index))
      reply.array(elements.length)
      for (const element of elements) reply.bulk(element)
    },
    count,
  )
}
