/** Commands about the connection itself. Source: redis src/networking.c, acl.c; kvrocks src/commands/cmd_server.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64 } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import {
  BAD_CLIENT_NAME,
  DATABASE_OUT_OF_RANGE,
  HELLO_WITHOUT_AUTH,
  NO_PASSWORD_SET,
  NO_PROTO,
  NOT_AN_INTEGER,
  PROTOCOL_NOT_AN_INTEGER,
  SYNTAX,
  unknownHelloOption,
  WRONG_PASSWORD,
  wrongArity,
} from '../protocol/errors.js'
import type { Protocol } from '../protocol/reply.js'
import {
  type AnyCommand,
  FAST,
  IN_MULTI,
  NO_AUTH_NEEDED,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  OK_SUBSCRIBED,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { authSecrets, helloSecrets } from './secrets.js'

/** For all that must work in any state of the server and of the connection. */
const ALWAYS = FAST | OK_LOADING | OK_STALE | NO_AUTH_NEEDED

export const connectionCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'ping',
      arity: -1,
      flags: READONLY | FAST | OK_STALE | OK_SUBSCRIBED,
      syntax: '[message]',
      summary: "Returns the server's liveliness response.",
      since: '1.0.0',
    },
    parsePing,
    ping,
  ),
  serverCommand(
    {
      name: 'echo',
      arity: 2,
      flags: READONLY | FAST | OK_STALE,
      syntax: 'message',
      summary: 'Returns the given string.',
      since: '1.0.0',
    },
    noOptions,
    ({ reply }, args) => reply.bulk(args.at(1)),
  ),
  serverCommand(
    {
      name: 'auth',
      arity: -2,
      flags: READONLY | ALWAYS | NO_SCRIPT,
      secrets: authSecrets,
      syntax: '[username] password',
      summary: 'Authenticates the connection.',
      since: '1.0.0',
    },
    parseAuth,
    auth,
  ),
  serverCommand(
    {
      name: 'hello',
      arity: -1,
      flags: READONLY | ALWAYS | NO_SCRIPT,
      secrets: helloSecrets,
      syntax: '[protover [AUTH username password] [SETNAME clientname]]',
      summary: 'Handshakes with the server.',
      since: '6.0.0',
    },
    parseHello,
    hello,
  ),
  serverCommand(
    {
      name: 'select',
      arity: 2,
      flags: READONLY | FAST | OK_LOADING | OK_STALE,
      syntax: 'index',
      summary: 'Changes the selected database.',
      since: '1.0.0',
    },
    noOptions,
    select,
  ),
  serverCommand(
    {
      name: 'reset',
      arity: 1,
      flags: ALWAYS | NO_SCRIPT | IN_MULTI | OK_SUBSCRIBED,
      syntax: '',
      summary: 'Resets the connection.',
      since: '6.2.0',
    },
    noOptions,
    ({ client, server, reply }) => {
      server.clients.reset(client)
      reply.status('RESET')
    },
  ),
  serverCommand(
    {
      name: 'quit',
      arity: -1,
      flags: READONLY | ALWAYS | NO_SCRIPT | IN_MULTI | OK_SUBSCRIBED,
      syntax: '',
      summary: 'Closes the connection.',
      since: '1.0.0',
    },
    noOptions,
    ({ client, reply }) => {
      reply.ok()
      client.closeAfterReply()
    },
  ),
]

function parsePing(args: Args): void {
  if (args.count > 2) throw wrongArity('ping')
}

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

interface Credentials {
  /** Undefined if only a password was given. */
  readonly user: Bytes | undefined
  readonly password: Bytes
}

function parseAuth(args: Args): Credentials {
  if (args.count > 3) throw SYNTAX
  if (args.count === 2) return { user: undefined, password: args.at(1) }
  return { user: args.at(1), password: args.at(2) }
}

function auth(context: ServerContext, _args: Args, credentials: Credentials): void {
  authenticate(context, credentials)
  context.reply.ok()
}

/** The one user is `default`: the password says which namespace is entered, and whether as its administrator. */
function authenticate({ client, server }: ServerContext, { user, password }: Credentials): void {
  if (user !== undefined && user.latin1Slice(0) !== 'default') throw WRONG_PASSWORD
  const { namespaces } = server
  if (!namespaces.needsPassword) {
    // As in Redis, the default user without a password accepts any, but only if the client names the user.
    if (user === undefined) throw NO_PASSWORD_SET
    return
  }
  const access = namespaces.authenticate(password)
  if (access === undefined) throw WRONG_PASSWORD
  client.authenticate(access.namespace, access.isAdmin)
}

interface Hello {
  /** Undefined keeps the protocol that there is. */
  readonly protocol: Protocol | undefined
  readonly credentials: Credentials | undefined
  readonly name: Bytes | undefined
}

function parseHello(args: Args): Hello {
  if (args.count === 1) return { protocol: undefined, credentials: undefined, name: undefined }
  const protocol = parseInt64(args.at(1))
  if (protocol === undefined) throw PROTOCOL_NOT_AN_INTEGER
  if (protocol !== 2 && protocol !== 3) throw NO_PROTO
  let credentials: Credentials | undefined
  let name: Bytes | undefined
  for (let at = 2; at < args.count; ) {
    const more = args.count - at - 1
    if (args.is(at, 'auth') && more > 0) {
      // Kvrocks takes a password alone, too; what is left tells which of both is meant.
      const hasUser = more === 2 || more === 4
      credentials = hasUser
        ? { user: args.at(at + 1), password: args.at(at + 2) }
        : { user: undefined, password: args.at(at + 1) }
      at += hasUser ? 3 : 2
    } else if (args.is(at, 'setname') && more > 0) {
      name = args.at(at + 1)
      at += 2
    } else {
      throw unknownHelloOption(args.latin1(at))
    }
  }
  return { protocol, credentials, name }
}

function hello(context: ServerContext, _args: Args, { protocol, credentials, name }: Hello): void {
  const { client, config, reply, server } = context
  if (credentials !== undefined) authenticate(context, credentials)
  else if (client.namespace === undefined) throw HELLO_WITHOUT_AUTH
  if (name !== undefined) {
    if (!isClientName(name)) throw BAD_CLIENT_NAME
    client.name = name.latin1Slice(0)
  }
  if (protocol !== undefined) client.protocol = config['resp3-enabled'] ? protocol : 2
  reply.map(7)
  reply.bulkText('server')
  reply.bulkText('redis')
  reply.bulkText('version')
  reply.bulkText(server.versions.redis)
  reply.bulkText('proto')
  reply.integer(client.protocol)
  reply.bulkText('id')
  reply.integer(client.id)
  reply.bulkText('mode')
  reply.bulkText(config['cluster-enabled'] ? 'cluster' : 'standalone')
  reply.bulkText('role')
  reply.bulkText(server.role === 'slave' ? 'replica' : 'master')
  reply.bulkText('modules')
  reply.array(0)
}

/** True for what CLIENT LIST can show: printable ASCII without spaces. */
export function isClientName(name: Bytes): boolean {
  return name.every((byte) => byte >= 0x21 && byte <= 0x7e)
}

/** Database n is the namespace `db<n>`. Without redis-databases there is one, whose number is not looked at. */
function select({ client, config, reply }: ServerContext, args: Args): void {
  const databases = config['redis-databases']
  if (databases > 0) {
    const index = parseInt64(args.at(1))
    if (typeof index !== 'number') throw NOT_AN_INTEGER
    if (index < 0 || index >= databases) throw DATABASE_OUT_OF_RANGE
    client.selectDatabase(index)
  }
  reply.ok()
}
