/** The lines of CLIENT LIST, and which clients a filter means. Source: redis src/networking.c, catClientInfoString. */

import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import type { Client } from './client.js'
import { integerAt } from './options.js'

/** Fields are Redis's, in its order, with Kvrocks's namespace behind the flags. Node hides file descriptors: fd is -1. */
export function describeClient(client: Client, nowMs: number): string {
  const { channels, patterns, shards } = client.subscriptionCounts
  const fields: readonly (readonly [string, string | number])[] = [
    ['id', client.id],
    ['addr', client.address],
    ['laddr', client.localAddress],
    ['fd', -1],
    ['name', client.name],
    ['age', seconds(nowMs - client.connectedAtMs)],
    ['idle', seconds(nowMs - client.lastCommandAtMs)],
    ['flags', client.flags],
    ['namespace', client.namespace?.utf8Slice(0) ?? ''],
    ['db', client.database],
    ['sub', channels],
    ['psub', patterns],
    ['ssub', shards],
    ['multi', client.queuedCommands],
    ['qbuf', client.queryBytes],
    ['obuf', client.outputBytes],
    ['cmd', client.lastCommand],
    ['user', 'default'],
    ['redir', client.trackingRedirect],
    ['resp', client.protocol],
    ['lib-name', client.libraryName],
    ['lib-ver', client.libraryVersion],
  ]
  return fields.map(([name, value]) => `${name}=${value}`).join(' ')
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000))
}

export type ClientKind = Client['kind']

/** The word after TYPE. Throws a ReplyError. */
export function clientKindAt(args: Args, index: number): ClientKind {
  const word = args.latin1(index).toLowerCase()
  if (word === 'slave') return 'replica'
  if (word === 'normal' || word === 'pubsub' || word === 'replica' || word === 'master') return word
  throw err(`Unknown client type '${args.latin1(index)}'`)
}

/** What CLIENT KILL looks for; absent fields match all. */
export interface ClientFilter {
  id?: number
  address?: string
  localAddress?: string
  kind?: ClientKind
  user?: string
  /** Seconds since it connected. */
  ageMin?: number
  skipMe: boolean
}

const NO_SUCH_USER = (name: string) => err(`No such user '${name}'`)
const BAD_CLIENT_ID = err('client-id should be greater than 0')
const BAD_AGE = err('maxage should be greater than 0')

/** Reads filters from word `from`. Throws a ReplyError. */
export function parseClientFilter(args: Args, from: number): ClientFilter {
  const filter: ClientFilter = { skipMe: true }
  if ((args.count - from) % 2 !== 0) throw SYNTAX
  for (let at = from; at < args.count; at += 2) {
    const value = at + 1
    if (args.is(at, 'id')) filter.id = integerAt(args, value, 1, Number.MAX_SAFE_INTEGER, BAD_CLIENT_ID)
    else if (args.is(at, 'maxage')) filter.ageMin = integerAt(args, value, 1, Number.MAX_SAFE_INTEGER, BAD_AGE)
    else if (args.is(at, 'type')) filter.kind = clientKindAt(args, value)
    else if (args.is(at, 'addr')) filter.address = args.latin1(value)
    else if (args.is(at, 'laddr')) filter.localAddress = args.latin1(value)
    else if (args.is(at, 'user')) {
      filter.user = args.latin1(value)
      if (filter.user !== 'default') throw NO_SUCH_USER(filter.user)
    } else if (args.is(at, 'skipme')) {
      if (!args.is(value, 'yes') && !args.is(value, 'no')) throw SYNTAX
      filter.skipMe = args.is(value, 'yes')
    } else throw SYNTAX
  }
  return filter
}

/** The token of a namespace sees, and ends, the connections of its own namespace alone; likewise what is known of them. */
export function isVisible({ namespace }: Pick<Client, 'namespace'>, self: Client): boolean {
  if (self.isAdmin) return true
  return self.namespace !== undefined && namespace?.equals(self.namespace) === true
}

export function matchesFilter(client: Client, filter: ClientFilter, self: Client, nowMs: number): boolean {
  return (
    isVisible(client, self) &&
    (filter.id === undefined || client.id === filter.id) &&
    (filter.address === undefined || client.address === filter.address) &&
    (filter.localAddress === undefined || client.localAddress === filter.localAddress) &&
    (filter.kind === undefined || client.kind === filter.kind) &&
    (filter.ageMin === undefined || nowMs - client.connectedAtMs >= filter.ageMin * 1000) &&
    !(filter.skipMe && client === self)
  )
}

/** The ids after ID. Throws a ReplyError. */
export function clientIdsFrom(args: Args, from: number): ReadonlySet<number> {
  const ids = new Set<number>()
  for (let at = from; at < args.count; at++) {
    ids.add(integerAt(args, at, 1, Number.MAX_SAFE_INTEGER, err('Invalid client ID')))
  }
  return ids
}
