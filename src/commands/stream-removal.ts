/** Commands that remove entries of streams with a look at consumer groups. Source: redis src/t_stream.c (8.2). */

import { NOTIFY_STREAM } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { IDS_MISSING, IDS_NOT_POSITIVE, IDS_TOO_FEW } from '../protocol/errors/stream.js'
import { SYNTAX } from '../protocol/errors.js'
import * as changes from '../types/stream/changes.js'
import type { StreamId } from '../types/stream/ids.js'
import type { References } from '../types/stream/removal.js'
import { type AnyCommand, command, FAST, FIRST_KEY, NO_SIZE_CHECK, WRITE } from './command.js'
import type { Context } from './context.js'
import { integerAt } from './options.js'
import { idAt, referencesAt } from './stream-options.js'

const REMOVES = { flags: WRITE | FAST | NO_SIZE_CHECK, keys: FIRST_KEY, since: '8.2.0' }

export const streamRemovalCommands: readonly AnyCommand[] = [
  command(
    {
      ...REMOVES,
      name: 'xdelex',
      arity: -5,
      syntax: 'key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]',
      summary: 'Deletes messages from a stream, as far as consumer groups let go of them.',
    },
    (args) => parseIds(args, 2),
    ({ db, reply, events }, args, { ids, references }) => {
      const outcomes = changes.removeUnless(db, args.at(1), ids, references)
      answer({ reply, events }, args, outcomes)
    },
  ),
  command(
    {
      ...REMOVES,
      name: 'xackdel',
      arity: -6,
      syntax: 'key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]',
      summary: 'Acknowledges messages of a consumer group and deletes them from the stream.',
    },
    (args) => parseIds(args, 3),
    ({ db, reply, events }, args, { ids, references }) => {
      const outcomes = changes.acknowledgeAndRemove(db, args.at(1), args.at(2), ids, references)
      answer({ reply, events }, args, outcomes)
    },
  ),
]

function answer({ reply, events }: Pick<Context, 'reply' | 'events'>, args: Args, outcomes: readonly number[]): void {
  if (outcomes.includes(changes.REMOVED)) events.notify(NOTIFY_STREAM, 'xdel', args.at(1))
  reply.array(outcomes.length)
  for (const outcome of outcomes) reply.integer(outcome)
}

interface Removal {
  readonly ids: readonly StreamId[]
  readonly references: References
}

/** The options in any order, from word `from` on. */
function parseIds(args: Args, from: number): Removal {
  let references: References | undefined
  let ids: StreamId[] | undefined
  for (let at = from; at < args.count; at++) {
    const given = referencesAt(args, at)
    if (given !== undefined && references === undefined) {
      references = given
    } else if (at + 1 < args.count && args.is(at, 'ids')) {
      const count = integerAt(args, at + 1, 1, Number.MAX_SAFE_INTEGER, IDS_NOT_POSITIVE)
      if (count > args.count - at - 2) throw IDS_TOO_FEW
      const first = at + 2
      ids = Array.from({ length: count }, (_, index) => idAt(args, first + index))
      at += 1 + count
    } else {
      throw SYNTAX
    }
  }
  if (ids === undefined) throw IDS_MISSING
  return { ids, references: references ?? 'keep' }
}
