/** The subcommands of CLIENT for client side caching. Source: redis src/networking.c, clientCommand. */

import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/tracking.js'
import { SYNTAX } from '../protocol/errors.js'
import { type AnyCommand, NO_SCRIPT, noOptions, OK_LOADING, OK_STALE, READONLY, serverCommand } from './command.js'
import type { ServerContext } from './context.js'
import { integerAt, onOffAt } from './options.js'
import type { TrackingMode } from './server-view.js'

/** Of CLIENT and its subcommands. */
export const CLIENT_FLAGS = READONLY | NO_SCRIPT | OK_LOADING | OK_STALE

export const clientTrackingCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'client|tracking',
      arity: -3,
      flags: CLIENT_FLAGS,
      syntax: '<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]',
      summary: 'Controls server-assisted client-side caching for the connection.',
      since: '6.0.0',
    },
    parseTracking,
    track,
  ),
  serverCommand(
    {
      name: 'client|caching',
      arity: 3,
      flags: CLIENT_FLAGS,
      syntax: '<YES | NO>',
      summary: 'Instructs the server whether to track the keys in the next request.',
      since: '6.0.0',
    },
    parseCaching,
    ({ client, reply, server }, _args, isAllowed) => {
      server.tracking.allowCaching(client, isAllowed)
      reply.ok()
    },
  ),
  serverCommand(
    {
      name: 'client|getredir',
      arity: 2,
      flags: CLIENT_FLAGS,
      syntax: '',
      summary: 'Returns the client ID to which the tracking notifications of the connection are redirected.',
      since: '6.0.0',
    },
    noOptions,
    ({ client, reply }) => reply.integer(client.trackingRedirect),
  ),
  serverCommand(
    {
      name: 'client|trackinginfo',
      arity: 2,
      flags: CLIENT_FLAGS,
      syntax: '',
      summary: 'Returns information about server-assisted client-side caching for the connection.',
      since: '6.2.0',
    },
    noOptions,
    describe,
  ),
]

interface TrackingRequest {
  readonly isOn: boolean
  readonly mode: TrackingMode
  readonly prefixes: readonly string[]
}

function parseTracking(args: Args): TrackingRequest {
  let redirect: number | undefined
  const prefixes: string[] = []
  const flags = { bcast: false, optin: false, optout: false, noloop: false }
  for (let at = 3; at < args.count; at++) {
    const word = args.latin1(at).toLowerCase()
    const hasMore = at + 1 < args.count
    if (word === 'redirect' && hasMore) {
      if (redirect !== undefined) throw errors.ONE_REDIRECT
      at++
      redirect = integerAt(args, at)
    } else if (word === 'prefix' && hasMore) {
      at++
      prefixes.push(args.latin1(at))
    } else if (word === 'bcast' || word === 'optin' || word === 'optout' || word === 'noloop') {
      flags[word] = true
    } else {
      throw SYNTAX
    }
  }
  const isOn = onOffAt(args, 2)
  const { bcast: isBroadcast, optin: isOptIn, optout: isOptOut, noloop: isNoLoop } = flags
  if (isOn) {
    if (!isBroadcast && prefixes.length > 0) throw errors.PREFIX_WITHOUT_BROADCAST
    if (isBroadcast && (isOptIn || isOptOut)) throw errors.OPTIONS_WITH_BROADCAST
    if (isOptIn && isOptOut) throw errors.BOTH_OPTIONS
  }
  return { isOn, mode: { redirect, isBroadcast, isOptIn, isOptOut, isNoLoop }, prefixes }
}

function track({ client, reply, server }: ServerContext, _args: Args, { isOn, mode, prefixes }: TrackingRequest): void {
  if (mode.redirect !== undefined && server.clients.byId(mode.redirect) === undefined) throw errors.NO_REDIRECT_TARGET
  if (isOn) server.tracking.enable(client, mode, prefixes)
  else server.tracking.disable(client)
  reply.ok()
}

function parseCaching(args: Args): boolean {
  if (args.is(2, 'yes')) return true
  if (args.is(2, 'no')) return false
  throw SYNTAX
}

function describe({ client, reply, server }: ServerContext): void {
  const { flags, redirect, prefixes } = server.tracking.describe(client)
  reply.map(3)
  reply.bulkText('flags')
  reply.set(flags.length)
  for (const flag of flags) reply.bulkText(flag)
  reply.bulkText('redirect')
  reply.integer(redirect)
  reply.bulkText('prefixes')
  reply.array(prefixes.length)
  for (const prefix of prefixes) reply.bulk(Buffer.from(prefix, 'latin1'))
}
