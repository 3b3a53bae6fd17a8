/** NAMESPACE. Source: kvrocks src/commands/cmd_server.cc, CommandNamespace. */

import type { Args } from '../protocol/args.js'
import { err } from '../protocol/errors.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import {
  ADMIN,
  type AnyCommand,
  container,
  NO_MONITOR,
  NO_SCRIPT,
  noOptions,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

const NOT_WITH_DATABASES = err('NAMESPACE is not allowed when redis-databases > 0')
const FLAGS = READONLY | ADMIN | NO_SCRIPT | NO_MONITOR

function sub(
  name: string,
  arity: number,
  syntax: string,
  summary: string,
  execute: (context: ServerContext, args: Args) => void,
  flags = FLAGS,
): AnyCommand {
  const spec = { name: `namespace|${name}`, arity, flags, syntax, summary, since: '1.0.0' }
  return serverCommand(spec, noOptions, (context, args) => {
    if (context.config['redis-databases'] > 0) throw NOT_WITH_DATABASES
    execute(context, args)
  })
}

export const namespaceCommands: readonly AnyCommand[] = [
  container(
    { name: 'namespace', flags: FLAGS, summary: 'A container for commands about namespaces.', since: '1.0.0' },
    [
      sub('get', 3, '<namespace | *>', 'Returns the token of a namespace, or all namespaces and tokens.', get),
      sub('add', 4, 'namespace token', 'Makes a namespace.', ({ client, reply, server }, args) => {
        server.namespaces.add(args.at(2), args.at(3))
        server.log.warning(`New namespace: ${args.latin1(2)}, addr: ${client.address}`)
        reply.ok()
      }),
      sub('set', 4, 'namespace token', 'Makes a namespace or changes its token.', ({ client, reply, server }, args) => {
        server.namespaces.set(args.at(2), args.at(3))
        server.log.warning(`Updated namespace: ${args.latin1(2)}, addr: ${client.address}`)
        reply.ok()
      }),
      sub('del', 3, 'namespace', 'Forgets the token of a namespace.', ({ client, reply, server }, args) => {
        server.namespaces.delete(args.at(2))
        server.log.warning(`Deleted namespace: ${args.latin1(2)}, addr: ${client.address}`)
        reply.ok()
      }),
      sub(
        'current',
        2,
        '',
        'Returns the namespace of the connection.',
        ({ client, reply }) => reply.bulk(client.namespace ?? DEFAULT_NAMESPACE),
        READONLY | NO_SCRIPT,
      ),
    ],
  ),
]

function get({ config, reply, server }: ServerContext, args: Args): void {
  if (args.latin1(2) !== '*') {
    const token = server.namespaces.token(args.at(2))
    if (token === undefined) reply.nil()
    else reply.bulkText(token)
    return
  }
  const all = [...server.namespaces.list(), [DEFAULT_NAMESPACE.latin1Slice(0), config.requirepass] as const]
  reply.array(all.length * 2)
  for (const [namespace, token] of all) {
    reply.bulkText(namespace)
    reply.bulkText(token)
  }
}
