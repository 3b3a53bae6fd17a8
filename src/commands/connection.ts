/** Commands about the connection itself. Source: kvrocks src/commands/cmd_server.cc; redis src/networking.c. */

import type { Args } from '../protocol/args.js'
import { wrongArity } from '../protocol/errors.js'
import {
  type AnyCommand,
  FAST,
  NO_AUTH_NEEDED,
  noOptions,
  OK_LOADING,
  OK_STALE,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

export const connectionCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'ping',
      arity: -1,
      flags: READONLY | FAST | OK_STALE,
      syntax: '[message]',
      summary: "Returns the server's liveliness response.",
      since: '1.0.0',
    },
    (args) => {
      if (args.count > 2) throw wrongArity('ping')
    },
    ping,
  ),
  serverCommand(
    {
      name: 'quit',
      arity: -1,
      flags: READONLY | FAST | OK_LOADING | OK_STALE | NO_AUTH_NEEDED,
      syntax: '',
      summary: 'Closes the connection.',
      since: '1.0.0',
    },
    noOptions,
    quit,
  ),
]

function ping({ client, reply }: ServerContext, args: Args): void {
  const counts = client.subscriptionCounts
  const isSubscribed = counts.channels + counts.patterns + counts.shards > 0
  if (isSubscribed && client.protocol === 2) {
    reply.array(2)
    reply.bulkText('pong')
    reply.bulk(args.count > 1 ? args.at(1) : Buffer.alloc(0))
  } else if (args.count > 1) {
    reply.bulk(args.at(1))
  } else {
    reply.pong()
  }
}

function quit({ client, reply }: ServerContext): void {
  reply.ok()
  client.closeAfterReply()
}
