/**
 * SLOWLOG and PERFLOG. The token of a namespace sees, counts and removes the slow commands of its own namespace alone, for
 * they show keys and values; profiles show neither. Source: redis src/slowlog.c; kvrocks src/commands/cmd_server.cc,
 * src/stats/log_collector.cc.
 */

import type { Args } from '../protocol/args.js'
import { err, wrongArity } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { isVisible } from './client-list.js'
import {
  type AnyCommand,
  container,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { integerAt } from './options.js'
import type { CommandLog, LogEntry, PerfEntry } from './server-view.js'

const FLAGS = READONLY | NO_SCRIPT | OK_LOADING | OK_STALE
const SHOWN = 10
const BAD_COUNT = err('count should be greater than or equal to -1')

/** GET, LEN and RESET of one log. */
function logCommand<Entry>(
  name: string,
  about: string,
  since: string,
  logOf: (context: ServerContext) => CommandLog<Entry>,
  isShown: (entry: Entry, context: ServerContext) => boolean,
  write: (reply: Reply, entry: Entry) => void,
): AnyCommand {
  const shown = (context: ServerContext): Entry[] => logOf(context).entries.filter((entry) => isShown(entry, context))
  const sub = (word: string, arity: number, syntax: string, summary: string) => ({
    name: `${name}|${word}`,
    arity,
    flags: FLAGS,
    syntax,
    summary,
    since,
  })
  return container({ name, flags: FLAGS, summary: `A container for commands about ${about}.`, since }, [
    serverCommand(
      sub('get', -2, '[count]', `Returns the entries of ${about}.`),
      parseCount,
      (context, _args, count) => {
        const entries = shown(context).reverse().slice(0, count)
        context.reply.array(entries.length)
        for (const entry of entries) write(context.reply, entry)
      },
    ),
    serverCommand(sub('len', 2, '', `Returns the number of entries of ${about}.`), noOptions, (context) =>
      context.reply.integer(shown(context).length),
    ),
    serverCommand(sub('reset', 2, '', `Clears all entries of ${about}.`), noOptions, (context) => {
      logOf(context).remove((entry) => isShown(entry, context))
      context.reply.ok()
    }),
  ])
}

export const logCommands: readonly AnyCommand[] = [
  logCommand(
    'slowlog',
    'the slow log',
    '2.2.12',
    ({ server }) => server.slowlog,
    (entry, { client }) => isVisible(entry, client),
    writeSlowEntry,
  ),
  logCommand(
    'perflog',
    'the profiles of sampled commands',
    '1.0.0',
    ({ server }) => server.perflog,
    () => true,
    writePerfEntry,
  ),
]

/** How many; -1 and `*` are all. */
function parseCount(args: Args): number {
  if (args.count > 3) throw wrongArity('slowlog|get')
  if (args.count === 2) return SHOWN
  const count = args.latin1(2) === '*' ? -1 : integerAt(args, 2, -1, Number.MAX_SAFE_INTEGER, BAD_COUNT)
  return count === -1 ? Number.MAX_SAFE_INTEGER : count
}

function writeSlowEntry(reply: Reply, entry: LogEntry): void {
  reply.array(6)
  reply.integer(entry.id)
  reply.integer(entry.at)
  reply.integer(entry.us)
  reply.array(entry.words.length)
  for (const word of entry.words) reply.bulk(word)
  reply.bulkText(entry.clientAddress)
  reply.bulkText(entry.clientName)
}

function writePerfEntry(reply: Reply, entry: PerfEntry): void {
  reply.array(6)
  reply.integer(entry.id)
  reply.integer(entry.at)
  reply.bulkText(entry.commandName)
  reply.integer(entry.us)
  reply.bulkText(entry.perfContext)
  reply.bulkText(entry.ioStats)
}
