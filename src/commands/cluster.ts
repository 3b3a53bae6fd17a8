/** CLUSTER and its kin on a server without a topology. Source: kvrocks src/commands/cmd_cluster.cc; redis src/cluster.c. */

import { keySlot } from '../bytes/crc16.js'
import type { Args } from '../protocol/args.js'
import { CLUSTER_COMMANDS_DISABLED, CLUSTER_DISABLED, CLUSTER_DOWN, type ReplyError } from '../protocol/errors.js'
import {
  type AnyCommand,
  container,
  FAST,
  noOptions,
  OK_LOADING,
  OK_STALE,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

const FLAGS = OK_LOADING | OK_STALE

function sub(
  name: string,
  arity: number,
  syntax: string,
  summary: string,
  execute: (context: ServerContext, args: Args) => void,
): AnyCommand {
  const spec = { name: `cluster|${name}`, arity, flags: FLAGS, syntax, summary, since: '3.0.0' }
  return serverCommand(spec, noOptions, (context, args) => {
    requireCluster(context, CLUSTER_COMMANDS_DISABLED)
    execute(context, args)
  })
}

function requireCluster({ config }: ServerContext, error: ReplyError): void {
  if (!config['cluster-enabled']) throw error
}

/** What needs a topology, and there is none. */
function isDown(): never {
  throw CLUSTER_DOWN
}

export const clusterCommands: readonly AnyCommand[] = [
  container({ name: 'cluster', flags: FLAGS, summary: 'A container for cluster commands.', since: '3.0.0' }, [
    sub('info', 2, '', 'Returns information about the state of the cluster.', isDown),
    sub('nodes', 2, '', 'Returns the nodes of the cluster.', isDown),
    sub('slots', 2, '', 'Returns the mapping of slots to nodes.', isDown),
    sub('shards', 2, '', 'Returns the mapping of slots to shards.', isDown),
    sub('myid', 2, '', 'Returns the id of this node.', isDown),
    sub('keyslot', 3, 'key', 'Returns the slot of a key.', ({ reply }, args) => reply.integer(keySlot(args.at(2)))),
  ]),
  ...(
    [
      ['readonly', 'Lets the connection read from a replica.'],
      ['readwrite', 'Ends READONLY.'],
      ['asking', 'Lets the next command through to a slot that is being imported.'],
    ] as const
  ).map(([name, summary]) =>
    serverCommand(
      { name, arity: 1, flags: READONLY | FAST | FLAGS, syntax: '', summary, since: '3.0.0' },
      noOptions,
      (context) => {
        requireCluster(context, CLUSTER_DISABLED)
        isDown()
      },
    ),
  ),
]
