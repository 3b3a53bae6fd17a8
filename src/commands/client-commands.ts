/** CLIENT and its subcommands. Source: redis src/networking.c; kvrocks src/commands/cmd_server.cc, CommandClient. */

import type { Args } from '../protocol/args.js'
import { BAD_CLIENT_NAME, err, NO_SUCH_CLIENT, SYNTAX } from '../protocol/errors.js'
import { timeoutAt } from './blocking-options.js'
import type { Client, ReplyMode } from './client.js'
import {
  type ClientFilter,
  type ClientKind,
  clientIdsFrom,
  clientKindAt,
  describeClient,
  isVisible,
  matchesFilter,
  parseClientFilter,
} from './client-list.js'
import { CLIENT_FLAGS, clientTrackingCommands } from './client-tracking.js'
import { ADMIN, type AnyCommand, container, noOptions, serverCommand } from './command.js'
import { isClientName } from './connection.js'
import type { ServerContext } from './context.js'
import { integerAt, onOffAt } from './options.js'

/** A subcommand whose flags follow from the family, but for `more`. */
function sub<Options>(
  name: string,
  arity: number,
  syntax: string,
  summary: string,
  since: string,
  parse: (args: Args) => Options,
  execute: (context: ServerContext, args: Args, options: Options) => void,
  more = 0,
): AnyCommand {
  const flags = CLIENT_FLAGS | more
  return serverCommand({ name: `client|${name}`, arity, flags, syntax, summary, since }, parse, execute)
}

export const clientCommands: readonly AnyCommand[] = [
  container(
    { name: 'client', flags: CLIENT_FLAGS, summary: 'A container for client connection commands.', since: '2.4.0' },
    [
      sub('id', 2, '', 'Returns the unique client ID of the connection.', '5.0.0', noOptions, ({ client, reply }) =>
        reply.integer(client.id),
      ),
      sub('getname', 2, '', 'Returns the name of the connection.', '2.6.9', noOptions, ({ client, reply }) =>
        client.name === '' ? reply.nil() : reply.bulkText(client.name),
      ),
      sub('setname', 3, 'connection-name', 'Sets the connection name.', '2.6.9', parseName, setName),
      sub(
        'setinfo',
        4,
        '<LIB-NAME libname | LIB-VER libver>',
        'Sets information specific to the client or connection.',
        '7.2.0',
        parseInfo,
        setInfo,
      ),
      sub('info', 2, '', 'Returns information about the connection.', '6.2.0', noOptions, ({ client, reply, server }) =>
        reply.verbatim('txt', Buffer.from(`${describeClient(client, server.nowMs())}\n`)),
      ),
      sub(
        'list',
        -2,
        '[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]',
        'Lists open connections.',
        '2.4.0',
        parseList,
        list,
      ),
      sub(
        'kill',
        -3,
        '<old-format | <[ID client-id] | [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] | [USER username] | [ADDR addr] | [LADDR laddr] | [SKIPME <YES | NO>] | [MAXAGE maxage]>>',
        'Terminates open connections.',
        '2.4.0',
        parseKill,
        kill,
      ),
      sub(
        'reply',
        3,
        '<ON | OFF | SKIP>',
        'Instructs the server whether to reply to commands.',
        '3.2.0',
        parseReplyMode,
        setReplyMode,
      ),
      sub('pause', -3, 'timeout [WRITE | ALL]', 'Suspends commands processing.', '3.0.0', parsePause, pause, ADMIN),
      sub(
        'unpause',
        2,
        '',
        'Resumes processing commands from paused clients.',
        '6.2.0',
        noOptions,
        ({ reply, server }) => {
          server.clients.unpause()
          reply.ok()
        },
        ADMIN,
      ),
      sub(
        'unblock',
        -3,
        'client-id [TIMEOUT | ERROR]',
        'Unblocks a client blocked by a blocking command from a different connection.',
        '5.0.0',
        parseUnblock,
        unblock,
      ),
      sub(
        'no-evict',
        3,
        '<ON | OFF>',
        'Accepted for compatibility: no client is closed to free memory.',
        '7.0.0',
        (args) => onOffAt(args, 2),
        ({ client, reply }, _args, isOn) => {
          client.noEvict = isOn
          reply.ok()
        },
      ),
      sub(
        'no-touch',
        3,
        '<ON | OFF>',
        'Accepted for compatibility: commands leave no trace of their access to keys.',
        '7.2.0',
        (args) => onOffAt(args, 2),
        ({ client, reply }, _args, isOn) => {
          client.noTouch = isOn
          reply.ok()
        },
      ),
      ...clientTrackingCommands,
    ],
  ),
]

function parseName(args: Args): void {
  if (!isClientName(args.at(2))) throw BAD_CLIENT_NAME
}

function setName({ client, reply }: ServerContext, args: Args): void {
  client.name = args.latin1(2)
  reply.ok()
}

function parseInfo(args: Args): 'libraryName' | 'libraryVersion' {
  const isName = args.is(2, 'lib-name')
  if (!isName && !args.is(2, 'lib-ver')) throw err(`Unrecognized option '${args.latin1(2)}'`)
  if (!isClientName(args.at(3))) {
    throw err(`${isName ? 'lib-name' : 'lib-ver'} cannot contain spaces, newlines or special characters.`)
  }
  return isName ? 'libraryName' : 'libraryVersion'
}

function setInfo({ client, reply }: ServerContext, args: Args, field: 'libraryName' | 'libraryVersion'): void {
  client[field] = args.latin1(3)
  reply.ok()
}

type ListFilter = { readonly kind?: ClientKind; readonly ids?: ReadonlySet<number> }

function parseList(args: Args): ListFilter {
  if (args.count === 2) return {}
  if (args.is(2, 'type') && args.count === 4) return { kind: clientKindAt(args, 3) }
  if (args.is(2, 'id') && args.count > 3) return { ids: clientIdsFrom(args, 3) }
  throw SYNTAX
}

function list({ client: self, reply, server }: ServerContext, _args: Args, { kind, ids }: ListFilter): void {
  const nowMs = server.nowMs()
  let text = ''
  for (const client of server.clients.all()) {
    if (!isVisible(client, self)) continue
    if (kind !== undefined && client.kind !== kind) continue
    if (ids !== undefined && !ids.has(client.id)) continue
    text += `${describeClient(client, nowMs)}\n`
  }
  reply.verbatim('txt', Buffer.from(text))
}

interface Kill {
  readonly filter: ClientFilter
  /** The old form: one address, and +OK or an error instead of a number. */
  readonly byAddress: boolean
}

function parseKill(args: Args): Kill {
  if (args.count === 3) return { filter: { address: args.latin1(2), skipMe: false }, byAddress: true }
  return { filter: parseClientFilter(args, 2), byAddress: false }
}

function kill({ client: self, reply, server }: ServerContext, _args: Args, { filter, byAddress }: Kill): void {
  const nowMs = server.nowMs()
  const found = [...server.clients.all()].filter((client) => matchesFilter(client, filter, self, nowMs))
  const isLink = self.isAdmin && isOfMaster(filter, server.replication.master) && server.replication.reconnect()
  if (byAddress && found.length === 0 && !isLink) throw NO_SUCH_CLIENT
  for (const client of found) endClient(client, self)
  if (byAddress) reply.ok()
  else reply.integer(found.length + Number(isLink))
}

/** True if the link to the master, which is no client of this server, is meant: by its type, or by the master's address. */
function isOfMaster(filter: ClientFilter, master: { host: string; port: number } | undefined): boolean {
  if (master === undefined || filter.id !== undefined || filter.localAddress !== undefined) return false
  const { address, kind } = filter
  if (kind !== undefined && kind !== 'master') return false
  return address === undefined ? kind === 'master' : address === `${master.host}:${master.port}`
}

/** The client that gave the command still gets its reply. */
function endClient(client: Client, self: Client): void {
  if (client === self) client.closeAfterReply()
  else client.kill()
}

function parseReplyMode(args: Args): ReplyMode {
  const mode = args.latin1(2).toLowerCase()
  if (mode === 'on' || mode === 'off') return mode
  if (mode === 'skip') return 'skip-next'
  throw SYNTAX
}

function setReplyMode({ client, reply }: ServerContext, _args: Args, mode: ReplyMode): void {
  // SKIP is ignored while replies are off. Source: redis src/networking.c, clientCommand.
  if (mode === 'skip-next' && client.replyMode === 'off') return
  client.replyMode = mode
  if (mode === 'on') reply.ok()
}

interface Pause {
  readonly ms: number
  readonly mode: 'all' | 'write'
}

function parsePause(args: Args): Pause {
  if (args.count > 4) throw SYNTAX
  const isWrite = args.count === 4 && args.is(3, 'write')
  if (args.count === 4 && !isWrite && !args.is(3, 'all')) throw err('CLIENT PAUSE mode must be WRITE or ALL')
  const ms = timeoutAt(args, 2)
  return { ms, mode: isWrite ? 'write' : 'all' }
}

function pause({ reply, server }: ServerContext, _args: Args, { ms, mode }: Pause): void {
  server.clients.pause(server.nowMs() + ms, mode)
  reply.ok()
}

interface Unblock {
  readonly id: number
  readonly how: 'timeout' | 'error'
}

function parseUnblock(args: Args): Unblock {
  if (args.count > 4) throw SYNTAX
  const isError = args.count === 4 && args.is(3, 'error')
  if (args.count === 4 && !isError && !args.is(3, 'timeout')) {
    throw err('CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
  }
  return { id: integerAt(args, 2), how: isError ? 'error' : 'timeout' }
}

function unblock({ client: self, reply, server }: ServerContext, _args: Args, { id, how }: Unblock): void {
  const client = server.clients.byId(id)
  const isFound = client !== undefined && isVisible(client, self) && server.clients.unblock(client, how)
  reply.integer(isFound ? 1 : 0)
}
