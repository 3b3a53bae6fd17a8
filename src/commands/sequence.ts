/** SEQUENCE: what the log holds, and when it was written. Ours alone. */

import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/feed.js'
import type { Reply } from '../protocol/reply.js'
import { type AnyCommand, BLOCKING, container, FAST, noOptions, READONLY, serverCommand } from './command.js'
import type { ServerContext } from './context.js'
import { looseInteger, sequenceAt, settle } from './feed.js'
import { historyId } from './history.js'
import { integerAt } from './options.js'
import { sequenceBefore } from './slot.js'

export const sequenceCommands: readonly AnyCommand[] = [
  container(
    {
      name: 'sequence',
      flags: READONLY | FAST,
      summary: 'Returns the latest sequence; with a subcommand, what the log holds.',
      since: '0.1.0',
    },
    [
      serverCommand(
        {
          name: 'sequence|range',
          arity: 2,
          flags: READONLY,
          syntax: '',
          summary:
            'Returns the oldest and the latest readable sequence, bytes and files of the log, and the history id.',
          since: '0.1.0',
        },
        noOptions,
        sequenceRange,
      ),
      serverCommand(
        {
          name: 'sequence|wait',
          arity: 4,
          flags: READONLY | BLOCKING,
          syntax: 'sequence milliseconds',
          summary: 'Waits until this server has reached a sequence, and returns its latest one.',
          since: '0.1.0',
        },
        (args) => ({ sequence: sequenceAt(args, 2), timeoutMs: integerAt(args, 3, 0) }),
        sequenceWait,
      ),
      serverCommand(
        {
          name: 'sequence|at',
          arity: 3,
          flags: READONLY,
          syntax: 'unix-time-milliseconds',
          summary: 'Returns the sequence after which all changes since a time come, to the second.',
          since: '0.1.0',
        },
        (args) => looseInteger(args, 2, 0),
        sequenceAtTime,
      ),
      serverCommand(
        {
          name: 'sequence|time',
          arity: 3,
          flags: READONLY,
          syntax: 'sequence',
          summary: 'Returns the Unix time in milliseconds by which a sequence was written, to the second.',
          since: '0.1.0',
        },
        (args) => sequenceAt(args, 2),
        timeOfSequence,
      ),
    ],
    ({ reply, store }) => {
      settle(store)
      reply.integer(store.wal.latest)
    },
  ),
]

function sequenceRange(context: ServerContext): void {
  const { reply, store } = context
  settle(store)
  const { oldest, latest, bytes, files } = store.wal.range(store.turn.nowMs)
  reply.map(5)
  reply.bulkText('oldest_sequence')
  reply.integer(oldest)
  reply.bulkText('latest_sequence')
  reply.integer(latest)
  reply.bulkText('wal_bytes')
  reply.integer(bytes)
  reply.bulkText('wal_files')
  reply.integer(files)
  reply.bulkText('replid')
  reply.bulkText(historyId(context))
}

function sequenceWait(
  context: ServerContext,
  _args: Args,
  { sequence, timeoutMs }: { sequence: number; timeoutMs: number },
): void {
  const { store } = context
  settle(store)
  const attempt = (reply: Reply): boolean => {
    if (store.wal.latest < sequence) return false
    reply.integer(store.wal.latest)
    return true
  }
  if (attempt(context.reply)) return
  context.block({
    keys: [],
    afterCommit: true,
    timeoutMs,
    attempt: ({ reply }) => attempt(reply),
    expire: (reply) => reply.integer(store.wal.latest),
  })
}

/** The changes after the answer are all those since the time, and up to a second's more. */
function sequenceAtTime({ reply, server, store }: ServerContext, _args: Args, atMs: number): void {
  settle(store)
  reply.integer(sequenceBefore(server, atMs, store.wal.latest))
}

function timeOfSequence({ reply, server, store }: ServerContext, _args: Args, sequence: number): void {
  settle(store)
  if (sequence > store.wal.latest) throw errors.POLL_AHEAD
  if (!server.sequenceTimes.covers(sequence)) reply.nil()
  else reply.integer(server.sequenceTimes.timeOf(sequence) ?? server.nowMs())
}
