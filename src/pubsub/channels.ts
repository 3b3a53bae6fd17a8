/**
 * Who listens to which channels, patterns and shard channels. Channels belong to the whole server, not to a namespace.
 * Source: redis src/pubsub.c; kvrocks src/server/server.cc, PublishMessage.
 */

import { type Bytes, copy, latin1 } from '../bytes/bytes.js'
import { globMatch } from '../bytes/glob.js'
import { type Protocol, Reply } from '../protocol/reply.js'

export type SubscriptionKind = 'channels' | 'patterns' | 'shards'

/** One that can subscribe. */
export interface Subscriber {
  readonly protocol: Protocol
  /** Kept up to date by Channels. */
  readonly subscriptionCounts: Record<SubscriptionKind, number>
  /** Takes a message: bytes of a push, shared with other subscribers. */
  deliver(message: Bytes): void
}

const MESSAGE = latin1('message')
const PATTERN_MESSAGE = latin1('pmessage')
const SHARD_MESSAGE = latin1('smessage')

type Subscribers = Map<string, Set<Subscriber>>

export class Channels {
  readonly #subscribers: Readonly<Record<SubscriptionKind, Subscribers>> = {
    channels: new Map(),
    patterns: new Map(),
    shards: new Map(),
  }
  readonly #names = new Map<Subscriber, Record<SubscriptionKind, Set<string>>>()

  /** False if the subscriber had subscribed before. */
  subscribe(subscriber: Subscriber, kind: SubscriptionKind, name: Bytes): boolean {
    const key = name.latin1Slice(0)
    let names = this.#names.get(subscriber)
    if (names === undefined) {
      names = { channels: new Set(), patterns: new Set(), shards: new Set() }
      this.#names.set(subscriber, names)
    }
    if (names[kind].has(key)) return false
    names[kind].add(key)
    subscriber.subscriptionCounts[kind] = names[kind].size
    const subscribers = this.#subscribers[kind]
    const present = subscribers.get(key)
    if (present === undefined) subscribers.set(key, new Set([subscriber]))
    else present.add(subscriber)
    return true
  }

  /** False if the subscriber had not subscribed. */
  unsubscribe(subscriber: Subscriber, kind: SubscriptionKind, name: Bytes): boolean {
    const key = name.latin1Slice(0)
    const names = this.#names.get(subscriber)
    if (names === undefined || !names[kind].delete(key)) return false
    subscriber.subscriptionCounts[kind] = names[kind].size
    const present = this.#subscribers[kind].get(key)
    present?.delete(subscriber)
    if (present?.size === 0) this.#subscribers[kind].delete(key)
    if (names.channels.size + names.patterns.size + names.shards.size === 0) this.#names.delete(subscriber)
    return true
  }

  /** What a subscriber has subscribed to. */
  namesOf(subscriber: Subscriber, kind: SubscriptionKind): Bytes[] {
    return [...(this.#names.get(subscriber)?.[kind] ?? [])].map((name) => Buffer.from(name, 'latin1'))
  }

  /** Ends all subscriptions of one that leaves. */
  leave(subscriber: Subscriber): void {
    for (const kind of ['channels', 'patterns', 'shards'] as const) {
      for (const name of this.namesOf(subscriber, kind)) this.unsubscribe(subscriber, kind, name)
    }
  }

  /** True if nobody listens to channels or patterns. */
  get isQuiet(): boolean {
    return this.#subscribers.channels.size === 0 && this.#subscribers.patterns.size === 0
  }

  /** Sends `message` to the subscribers of `channel` and of patterns that match it. Returns how many deliveries it made. */
  publish(channel: Bytes, message: Bytes): number {
    let deliveries = 0
    const receivers = this.#subscribers.channels.get(channel.latin1Slice(0))
    if (receivers !== undefined) deliveries += send(receivers, [MESSAGE, channel, message])
    for (const [pattern, subscribers] of this.#subscribers.patterns) {
      const glob = Buffer.from(pattern, 'latin1')
      if (globMatch(glob, channel)) deliveries += send(subscribers, [PATTERN_MESSAGE, glob, channel, message])
    }
    return deliveries
  }

  /** Sends `message` to the subscribers of the shard channel. Returns how many there are. */
  publishToShard(channel: Bytes, message: Bytes): number {
    const receivers = this.#subscribers.shards.get(channel.latin1Slice(0))
    return receivers === undefined ? 0 : send(receivers, [SHARD_MESSAGE, channel, message])
  }

  /** The channels or shard channels that have subscribers, in order of their names, if they match `pattern`. */
  active(kind: 'channels' | 'shards', pattern: Bytes | undefined): Bytes[] {
    const names = [...this.#subscribers[kind].keys()].sort().map((name) => Buffer.from(name, 'latin1'))
    return pattern === undefined ? names : names.filter((name) => globMatch(pattern, name))
  }

  subscriberCount(kind: 'channels' | 'shards', name: Bytes): number {
    return this.#subscribers[kind].get(name.latin1Slice(0))?.size ?? 0
  }

  get channelCount(): number {
    return this.#subscribers.channels.size
  }

  get patternCount(): number {
    return this.#subscribers.patterns.size
  }
}

/** Encodes a message once a protocol, however many receive it. */
function send(subscribers: ReadonlySet<Subscriber>, words: readonly Bytes[]): number {
  const encoded: Partial<Record<Protocol, Bytes>> = {}
  for (const subscriber of subscribers) {
    const { protocol } = subscriber
    const message = encoded[protocol] ?? encodePush(protocol, words)
    encoded[protocol] = message
    subscriber.deliver(message)
  }
  return subscribers.size
}

/** Messages are written here and copied, for a buffer of its own costs more than the message. */
const WRITERS: Readonly<Record<Protocol, Reply>> = { 2: new Reply(2), 3: new Reply(3) }

function encodePush(protocol: Protocol, words: readonly Bytes[]): Bytes {
  const reply = WRITERS[protocol]
  reply.push(words.length)
  for (const word of words) reply.bulk(word)
  const message = copy(reply.written())
  reply.clear()
  return message
}
