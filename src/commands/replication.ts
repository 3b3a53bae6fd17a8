/**
 * Commands between master and replica, and those that make a server one or the other.
 * Source: kvrocks src/commands/cmd_replication.cc; src/commands/cmd_server.cc, CommandSlaveOf.
 */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { bindAddresses } from '../config/derived.js'
import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/replication.js'
import { ADMIN_ONLY } from '../protocol/errors.js'
import type { FailoverOptions } from '../replication/failover.js'
import type { Announced } from '../replication/peer.js'
import { REPLICATION_ID_LENGTH } from '../replication/replication-id.js'
import {
  ADMIN,
  type AnyCommand,
  NO_MULTI,
  NO_SCRIPT,
  noOptions,
  OK_STALE,
  READONLY,
  REPLICATION,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { OptionReader } from './options.js'
import { feedRedis, isUnanswered, parseRedisPsync, redisSetting } from './redis-replication.js'
import type { ServerView } from './server-view.js'

const LINK = READONLY | ADMIN | NO_SCRIPT | NO_MULTI | REPLICATION | OK_STALE
const PORT_MAX = 65535
const NO_PORT_MAX = 65534

export const replicationCommands: readonly AnyCommand[] = [
  follows('slaveof', '1.0.0'),
  follows('replicaof', '5.0.0'),
  serverCommand(
    {
      name: 'failover',
      arity: -1,
      flags: READONLY | ADMIN | NO_SCRIPT | OK_STALE,
      syntax: '[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]',
      summary: 'Starts a coordinated failover from the server to one of its replicas.',
      since: '6.2.0',
    },
    parseFailover,
    ({ config, reply, server }, _args, options) => {
      if (config['cluster-enabled']) throw errors.IN_CLUSTER_MODE
      if (server.role === 'slave') throw errors.FAILOVER_ON_REPLICA
      if (options === 'abort') server.replication.failover.abort()
      else server.replication.failover.start(options)
      reply.ok()
    },
  ),
  serverCommand(
    {
      name: 'replconf',
      arity: -3,
      flags: READONLY | NO_SCRIPT | REPLICATION | OK_STALE,
      syntax: '<listening-port port | ip-address address | capa capability | rdb-only flag | version version> ...',
      summary: 'Tells the master about the replica at the other end of the connection.',
      since: '1.0.0',
    },
    parseReplicaSettings,
    ({ client, reply }, _args, settings) => {
      if (settings === undefined) return
      Object.assign(client.announced, settings)
      reply.ok()
    },
  ),
  serverCommand(
    {
      name: 'psync',
      arity: -2,
      // Redis's form is for every user: it sends the keys of the user's namespace.
      flags: LINK & ~ADMIN,
      syntax: '[replication-id] sequence',
      summary: 'Sends all changes from a sequence on: as write batches, or to a Redis replica as commands.',
      since: '1.0.0',
    },
    (args) => parseRedisPsync(args) ?? parsePsync(args),
    (context, _args, request) => {
      if (!('sequence' in request)) {
        feedRedis(context, request)
        return
      }
      const { client, reply, server, store } = context
      const { sequence, id } = request
      if (!client.isAdmin) throw ADMIN_ONLY
      // What clients were told of must be in the log that the replica is compared with.
      store.turn.commit()
      server.replication.feeds.follow(client, sequence, id)
      reply.ok()
    },
  ),
  serverCommand(
    {
      name: '_fetch_meta',
      arity: 1,
      flags: LINK,
      syntax: '',
      summary: 'Answers with the names of the files of a checkpoint, and closes the connection.',
      since: '1.0.0',
    },
    noOptions,
    ({ client, server, store }) => {
      store.turn.commit()
      server.replication.feeds.sendFileNames(client)
    },
  ),
  serverCommand(
    {
      name: '_fetch_file',
      arity: 2,
      flags: LINK,
      syntax: 'name[,name ...]',
      summary: 'Answers with sizes and contents of files of the checkpoint, and closes the connection.',
      since: '1.0.0',
    },
    noOptions,
    ({ client, server }, args) => server.replication.feeds.sendFiles(client, args.latin1(1).split(',')),
  ),
  serverCommand(
    {
      name: '_db_name',
      arity: 1,
      flags: LINK,
      syntax: '',
      summary: 'Answers with the name of the database, as a line.',
      since: '1.0.0',
    },
    noOptions,
    ({ config, reply }) => reply.raw(Buffer.from(`${config['db-name']}\r\n`)),
  ),
]

function parseFailover(args: Args): FailoverOptions | 'abort' {
  if (args.count === 2 && args.is(1, 'abort')) return 'abort'
  const options = new OptionReader(args, 1)
  let target: FailoverOptions['target']
  let isForced = false
  let timeoutMs = 0
  while (options.hasMore) {
    if (options.take('to')) target = { host: options.word().latin1Slice(0), port: options.integer(1, PORT_MAX) }
    else if (target !== undefined && options.take('force')) isForced = true
    else if (options.take('timeout')) {
      timeoutMs = options.integer(Number.MIN_SAFE_INTEGER, 2 ** 31 - 1)
      if (timeoutMs <= 0) options.refuse(errors.FAILOVER_TIMEOUT)
    } else break
  }
  options.end()
  if (isForced && timeoutMs === 0) throw errors.FAILOVER_FORCE
  return { target, isForced, timeoutMs }
}

/** SLAVEOF and its newer name. */
function follows(name: string, since: string): AnyCommand {
  return serverCommand(
    {
      name,
      arity: 3,
      flags: READONLY | ADMIN | NO_SCRIPT | OK_STALE,
      syntax: '<host port | NO ONE>',
      summary: 'Makes the server a replica of another one, or ends that.',
      since,
    },
    parseMaster,
    follow,
  )
}

interface MasterChoice {
  readonly host: string
  readonly port: number
}

/** Undefined: no master. */
function parseMaster(args: Args): MasterChoice | undefined {
  if (args.is(1, 'no') && args.is(2, 'one')) return undefined
  const port = Number(/^[0-9]{1,10}$/.test(args.latin1(2)) ? args.latin1(2) : Number.NaN)
  if (!(port >= 1 && port <= PORT_MAX)) throw errors.MASTER_PORT
  const host = args.latin1(1)
  // No name of a host; and with a blank inside, or empty, the file that CONFIG REWRITE writes would not be read back.
  if (!/^[!-~]+$/.test(host)) throw errors.unresolvable(host)
  return { host, port }
}

function follow(context: ServerContext, _args: Args, choice: MasterChoice | undefined): void {
  const { client, config, reply, server } = context
  if (config['cluster-enabled']) throw errors.IN_CLUSTER_MODE
  if (config['rocksdb.write_options.disable_wal']) throw errors.WITHOUT_WAL
  checkNoFailover(server)
  if (choice === undefined) {
    server.replication.promote()
    server.log.warning(`MASTER MODE enabled (user request from '${client.address}')`)
    reply.ok()
    return
  }
  // Nor does a server start that way.
  if (bindAddresses(config).length === 0) throw errors.WITHOUT_TCP
  const { host, port } = choice
  const begin = (): void => {
    server.replication.follow(host, port)
    server.log.warning(`SLAVE OF ${host}:${port} enabled (user request from '${client.address}')`)
  }
  const check = (address: string): void => {
    const refusal = server.replication.refusalOf(address, port)
    if (refusal !== undefined) throw refusal
  }
  // Inside a transaction nothing can wait for a name to be looked up: the link will do that.
  if (isIP(host) !== 0 || context.isNested) {
    check(host)
    begin()
    reply.ok()
    return
  }
  const resolved = lookup(host, { all: true }).catch(() => {
    throw errors.unresolvable(host)
  })
  context.defer(
    resolved.then((addresses) => {
      checkNoFailover(server)
      for (const { address } of addresses) check(address)
      begin()
    }),
    (answer) => answer.ok(),
  )
}

/** A failover that waits would undo it. Throws a ReplyError. */
function checkNoFailover({ replication }: ServerView): void {
  if (replication.failover.state !== 'no-failover') throw errors.FAILING_OVER
}

/** Undefined: nothing is answered. */
function parseReplicaSettings(args: Args): Partial<Announced> | undefined {
  if (isUnanswered(args)) return undefined
  if (args.count % 2 === 0) throw errors.REPLCONF_ARITY
  const settings: Partial<Announced> = {}
  for (let at = 1; at < args.count; at += 2) {
    const value = args.latin1(at + 1)
    if (args.is(at, 'listening-port')) {
      const port = Number(/^[0-9]{1,5}$/.test(value) ? value : Number.NaN)
      if (!(port >= 1 && port <= NO_PORT_MAX)) throw errors.BAD_LISTENING_PORT
      settings.port = port
    } else if (args.is(at, 'ip-address')) {
      if (value === '') throw errors.EMPTY_IP_ADDRESS
      settings.ip = value
    } else {
      Object.assign(settings, redisSetting(args, at))
    }
  }
  return settings
}

interface Psync {
  readonly sequence: number
  readonly id: string | undefined
}

function parsePsync(args: Args): Psync {
  const id = args.count >= 3 ? args.latin1(1) : undefined
  const digits = args.latin1(id === undefined ? 1 : 2)
  const sequence = /^[0-9]{1,20}$/.test(digits) ? Number(digits) : Number.NaN
  if (!(sequence < 2 ** 64)) throw errors.BAD_SEQUENCE
  if (id !== undefined && id.length !== REPLICATION_ID_LENGTH) throw errors.BAD_ID_LENGTH
  return { sequence, id }
}
