/** Publish and subscribe. Source: kvrocks src/commands/cmd_pubsub.cc; redis src/pubsub.c. */

import type { Bytes } from '../bytes/bytes.js'
import type { Args } from '../protocol/args.js'
import { wrongArity } from '../protocol/errors.js'
import type { SubscriptionKind } from '../pubsub/channels.js'
import { CF_PUBSUB } from '../storage/column-family.js'
import { WriteBatch } from '../storage/write-batch.js'
import {
  type AnyCommand,
  container,
  FAST,
  MAY_WRITE,
  NO_MULTI,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  OK_SUBSCRIBED,
  PUBSUB,
  PUSHES,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

const SUBSCRIBING = READONLY | PUBSUB | NO_MULTI | NO_SCRIPT | OK_LOADING | OK_STALE | OK_SUBSCRIBED | PUSHES
const PUBLISHING = READONLY | MAY_WRITE | PUBSUB | FAST | OK_LOADING | OK_STALE

interface Verb {
  readonly name: string
  readonly kind: SubscriptionKind
  readonly argument: string
  readonly since: string
}

const SUBSCRIBE: Verb = { name: 'subscribe', kind: 'channels', argument: 'channel', since: '2.0.0' }
const PSUBSCRIBE: Verb = { name: 'psubscribe', kind: 'patterns', argument: 'pattern', since: '2.0.0' }
const SSUBSCRIBE: Verb = { name: 'ssubscribe', kind: 'shards', argument: 'shardchannel', since: '7.0.0' }

function subscribes({ name, kind, argument, since }: Verb, what: string): AnyCommand {
  const syntax = `${argument} [${argument} ...]`
  return serverCommand(
    { name, arity: -2, flags: SUBSCRIBING, syntax, summary: `Listens for messages published to ${what}.`, since },
    noOptions,
    (context, args) => {
      for (const channel of args.rest(1)) {
        context.server.channels.subscribe(context.client, kind, channel)
        confirm(context, name, kind, channel)
      }
    },
  )
}

function unsubscribes({ name: verb, kind, argument, since }: Verb, what: string): AnyCommand {
  const name = verb.replace('subscribe', 'unsubscribe')
  const summary = `Stops listening to messages posted to ${what}.`
  const syntax = `[${argument} [${argument} ...]]`
  return serverCommand({ name, arity: -1, flags: SUBSCRIBING, syntax, summary, since }, noOptions, (context, args) => {
    const { channels } = context.server
    const names = args.count > 1 ? args.rest(1) : channels.namesOf(context.client, kind)
    for (const channel of names) {
      channels.unsubscribe(context.client, kind, channel)
      confirm(context, name, kind, channel)
    }
    if (names.length === 0) confirm(context, name, kind, undefined)
  })
}

export const pubsubCommands: readonly AnyCommand[] = [
  subscribes(SUBSCRIBE, 'channels'),
  subscribes(PSUBSCRIBE, 'channels that match one or more patterns'),
  subscribes(SSUBSCRIBE, 'shard channels'),
  unsubscribes(SUBSCRIBE, 'channels'),
  unsubscribes(PSUBSCRIBE, 'channels that match one or more patterns'),
  unsubscribes(SSUBSCRIBE, 'shard channels'),
  serverCommand(
    {
      name: 'publish',
      arity: 3,
      flags: PUBLISHING,
      syntax: 'channel message',
      summary: 'Posts a message to a channel.',
      since: '2.0.0',
    },
    noOptions,
    (context, args) => context.reply.integer(publish(context, args.at(1), args.at(2))),
  ),
  serverCommand(
    {
      name: 'mpublish',
      arity: -3,
      flags: PUBLISHING,
      syntax: 'channel message [message ...]',
      summary: 'Posts several messages to a channel.',
      since: '2.10.0',
    },
    noOptions,
    (context, args) => {
      let deliveries = 0
      for (const message of args.rest(2)) deliveries += publish(context, args.at(1), message)
      context.reply.integer(deliveries)
    },
  ),
  serverCommand(
    {
      name: 'spublish',
      arity: 3,
      flags: PUBLISHING,
      syntax: 'shardchannel message',
      summary: 'Posts a message to a shard channel.',
      since: '7.0.0',
    },
    noOptions,
    ({ server, reply }, args) => reply.integer(server.channels.publishToShard(args.at(1), args.at(2))),
  ),
  container(
    {
      name: 'pubsub',
      flags: READONLY | PUBSUB | OK_LOADING | OK_STALE,
      summary: 'A container for Pub/Sub commands.',
      since: '2.8.0',
    },
    [
      lists('channels', 'channels', 'Returns the active channels.', '2.8.0'),
      lists('shardchannels', 'shards', 'Returns the active shard channels.', '7.0.0'),
      counts('numsub', 'channels', 'Returns a count of subscribers to channels.', '2.8.0'),
      counts('shardnumsub', 'shards', 'Returns the count of subscribers of shard channels.', '7.0.0'),
      serverCommand(
        {
          name: 'pubsub|numpat',
          arity: 2,
          flags: READONLY | PUBSUB | OK_LOADING | OK_STALE,
          syntax: '',
          summary: 'Returns a count of unique pattern subscriptions.',
          since: '2.8.0',
        },
        noOptions,
        ({ server, reply }) => reply.integer(server.channels.patternCount),
      ),
    ],
  ),
]

/** Answers one subscription or its end, with the number of those that are left. */
function confirm(context: ServerContext, verb: string, kind: SubscriptionKind, name: Bytes | undefined): void {
  const { reply, client } = context
  const { channels, patterns, shards } = client.subscriptionCounts
  reply.push(3)
  reply.bulkText(verb)
  reply.bulkOrNil(name)
  reply.integer(kind === 'shards' ? shards : channels + patterns)
}

/** Used again and again: the memory of a batch costs several times what its record does. */
const MESSAGE_BATCH = new WriteBatch()

/**
 * Where sentinels tell each other of themselves, on every server that they know, replicas too. To write that would set a
 * master that has returned apart from the one it is about to follow.
 */
const SENTINELS = Buffer.from('__sentinel__:hello')

/** Delivers here, and leaves the record that carries the message to replicas, in a batch of its own. */
function publish({ server, store }: ServerContext, channel: Bytes, message: Bytes): number {
  if (server.role === 'master' && store.writeFailure === undefined && !SENTINELS.equals(channel)) {
    MESSAGE_BATCH.clear()
    MESSAGE_BATCH.put(CF_PUBSUB, channel, channel.length, message)
    store.turn.writeAlone(MESSAGE_BATCH)
  }
  return server.channels.publish(channel, message)
}

function lists(word: string, kind: 'channels' | 'shards', summary: string, since: string): AnyCommand {
  return serverCommand(
    {
      name: `pubsub|${word}`,
      arity: -2,
      flags: READONLY | PUBSUB | OK_LOADING | OK_STALE,
      syntax: '[pattern]',
      summary,
      since,
    },
    (args) => {
      if (args.count > 3) throw wrongArity(`pubsub|${word}`)
    },
    ({ server, reply }, args: Args) => {
      const names = server.channels.active(kind, args.count === 3 ? args.at(2) : undefined)
      reply.array(names.length)
      for (const name of names) reply.bulk(name)
    },
  )
}

function counts(word: string, kind: 'channels' | 'shards', summary: string, since: string): AnyCommand {
  return serverCommand(
    {
      name: `pubsub|${word}`,
      arity: -2,
      flags: READONLY | PUBSUB | OK_LOADING | OK_STALE,
      syntax: '[channel [channel ...]]',
      summary,
      since,
    },
    noOptions,
    ({ server, reply }, args) => {
      const names = args.rest(2)
      reply.array(names.length * 2)
      for (const name of names) {
        reply.bulk(name)
        reply.integer(server.channels.subscriberCount(kind, name))
      }
    },
  )
}
