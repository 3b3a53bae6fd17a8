/** DEBUG, for tests and for the curious. Source: kvrocks src/commands/cmd_server.cc, CommandDebug; redis src/debug.c. */

import { parseDouble } from '../bytes/double.js'
import type { Args } from '../protocol/args.js'
import { err, NO_SUCH_KEY, NOT_AN_INTEGER } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { rowType, TYPE_NAMES } from '../storage/metadata.js'
import { readAnyRow } from '../storage/rows.js'
import {
  ADMIN,
  type AnyCommand,
  container,
  type KeyRange,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { integerAt } from './options.js'

const FLAGS = READONLY | ADMIN | NO_SCRIPT | OK_LOADING | OK_STALE
const THIRD: KeyRange = { first: 2, last: 2, step: 1 }

const BAD_SLEEP = err('invalid debug sleep time')
const BAD_LIMIT = err('invalid debug dbsize-limit value')

function sub<Options>(
  name: string,
  arity: number,
  syntax: string,
  summary: string,
  parse: (args: Args) => Options,
  execute: (context: ServerContext, args: Args, options: Options) => void,
  more: { readonly keys?: KeyRange; readonly flags?: number } = {},
): AnyCommand {
  const spec = { name: `debug|${name}`, arity, flags: FLAGS, syntax, summary, since: '1.0.0', ...more }
  return serverCommand(spec, parse, execute)
}

export const debugCommands: readonly AnyCommand[] = [
  container({ name: 'debug', flags: FLAGS, summary: 'A container for debugging commands.', since: '1.0.0' }, [
    sub('sleep', 3, 'seconds', 'Lets all clients wait.', parseSleep, (context, _args, ms) => {
      context.countTime(ms)
      if (context.db.turn.isHeld) {
        // A transaction ends before anything else happens, so the thread itself has to wait.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
        context.reply.ok()
        return
      }
      context.defer(context.server.clients.freeze(ms), (reply) => reply.ok())
    }),
    sub(
      'protocol',
      3,
      '<STRING | INTEGER | DOUBLE | NULL | ARRAY | SET | MAP | ATTRIB | PUSH | VERBATIM | TRUE | FALSE | BIGNUM | STATE>',
      'Answers with a reply of the given type.',
      parseProtocol,
      (context, _args, write) => write(context.reply),
      { flags: FLAGS & ~NO_SCRIPT },
    ),
    sub(
      'dbsize-limit',
      3,
      '<0 | 1>',
      'Says that max-db-size is reached, or is not.',
      parseLimit,
      (context, _args, on) => {
        context.server.setDatabaseFull(on)
        context.reply.ok()
      },
    ),
    sub(
      'set-active-expire',
      3,
      '<0 | 1>',
      'Says whether expired keys are deleted in the background; they are never seen either way.',
      (args) => integerAt(args, 2, 0, 1, NOT_AN_INTEGER) === 1,
      ({ server, reply }, _args, isEnabled) => {
        server.expiry.isEnabled = isEnabled
        reply.ok()
      },
    ),
    sub('object', 3, 'key', 'Tells how a key is stored.', noOptions, object, { keys: THIRD }),
    sub('reload', -2, '', 'Writes what is in memory to files, from which it is read from now on.', noOptions, reload),
  ]),
]

function parseSleep(args: Args): number {
  const seconds = parseDouble(args.at(2))
  if (seconds === undefined || !(seconds >= 0)) throw BAD_SLEEP
  return seconds * 1000
}

function parseLimit(args: Args): boolean {
  return integerAt(args, 2, 0, 1, BAD_LIMIT) === 1
}

const PROTOCOL_REPLIES: Readonly<Record<string, (reply: Reply) => void>> = {
  string: (reply) => reply.bulkText('Hello World'),
  integer: (reply) => reply.integer(12345),
  double: (reply) => reply.double(3141 / 1000),
  null: (reply) => reply.nil(),
  array: (reply) => {
    reply.array(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  set: (reply) => {
    reply.set(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  map: (reply) => {
    reply.map(3)
    for (let i = 0; i < 3; i++) {
      reply.integer(i)
      reply.boolean(i === 1)
    }
  },
  attrib: (reply) => {
    if (reply.protocol === 3) {
      reply.attribute(1)
      reply.bulkText('key-popularity')
      reply.array(2)
      reply.bulkText('key:123')
      reply.integer(90)
    }
    reply.bulkText('Some real reply following the attribute')
  },
  push: (reply) => {
    reply.push(2)
    reply.bulkText('server-cpu-usage')
    reply.integer(42)
  },
  verbatim: (reply) => reply.verbatim('txt', Buffer.from('verbatim string')),
  true: (reply) => reply.boolean(true),
  false: (reply) => reply.boolean(false),
  bignum: (reply) => reply.bigNumber('1234567999999999999999999999999999999'),
}

function parseProtocol(args: Args): (reply: Reply) => void {
  const name = args.latin1(2).toLowerCase()
  const write = Object.hasOwn(PROTOCOL_REPLIES, name) ? PROTOCOL_REPLIES[name] : undefined
  if (write !== undefined) return write
  const names = Object.keys(PROTOCOL_REPLIES).join('|')
  throw err(`Wrong protocol type name. Please use one of the following: ${names}`)
}

/** Redis's line; what has no meaning here is 0. */
function object({ db, reply }: ServerContext, args: Args): void {
  const row = readAnyRow(db, args.at(2))
  if (row === undefined) throw NO_SUCH_KEY
  const type = TYPE_NAMES[rowType(row)]
  reply.status(`Value at:0x0 refcount:1 encoding:${type} serializedlength:${row.length} lru:0 lru_seconds_idle:0`)
}

function reload(context: ServerContext): void {
  context.db.turn.commit()
  context.defer(context.store.rocks.flush(), (reply) => reply.ok())
}
