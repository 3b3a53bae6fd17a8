/**
 * Changes that are pushed to those who subscribed. A subscriber gives credit, one for each change that it is ready to
 * take: what it has no credit for, or what its connection has not taken, stays in the log and is not kept in memory.
 */

import type { Bytes } from '../bytes/bytes.js'
import { ReplyError } from '../protocol/errors.js'
import { type Protocol, Reply } from '../protocol/reply.js'
import type { Store } from '../storage/store.js'
import type { ChangeFilter } from './filter.js'
import type { OldValues } from './old-values.js'
import { pollChanges } from './poll.js'

/** One that can subscribe. */
export interface FeedSubscriber {
  readonly protocol: Protocol
  /** 1 while it is subscribed, kept up to date here. */
  feedSubscriptions: number
  /** Bytes that it has been sent and has not taken. */
  readonly outputBytes: number
  /** Takes the bytes of a push. */
  deliver(message: Bytes): void
}

export interface SubscriptionSpec {
  /** The last sequence that the subscriber has. */
  readonly after: number
  readonly credit: number
  readonly filter: ChangeFilter
  /** Tells what was there before each change. */
  readonly hasOldValues: boolean
  /** Throws a ReplyError when the subscription has no basis any more, such as a lost slot. */
  check(): void
}

interface Subscription {
  readonly spec: SubscriptionSpec
  position: number
  credit: number
  /** The position that the subscriber was told last, and when. */
  told: number
  toldAtMs: number
}

const OUTPUT_BYTES_MAX = 1024 * 1024
const PAGE_BYTES = 256 * 1024
const BATCHES_MAX = 64
const FULL_MS = 20
/** A subscriber hears so often that the connection lives, and earlier where its position has moved. */
const SILENCE_MS_MAX = 5000
export const CREDIT_MAX = 1_000_000

/** A change is pushed as three elements, of which the last is its text. */
const FRAMES: Readonly<Record<Protocol, Bytes>> = { 2: frameOf(2), 3: frameOf(3) }

export class Subscriptions {
  readonly #store: Store
  readonly #oldValues: OldValues
  readonly #now: () => number
  readonly #subscriptions = new Map<FeedSubscriber, Subscription>()
  #isScheduled = false
  /** The last look found a subscriber whose output is full. */
  #hasFull = false
  #later: NodeJS.Timeout | undefined

  /** `now`: Unix milliseconds. */
  constructor(store: Store, oldValues: OldValues, now: () => number) {
    this.#store = store
    this.#oldValues = oldValues
    this.#now = now
  }

  get count(): number {
    return this.#subscriptions.size
  }

  /** Begins a subscription, in the place of a former one. */
  add(subscriber: FeedSubscriber, spec: SubscriptionSpec): void {
    const { after, credit } = spec
    this.#subscriptions.set(subscriber, { spec, position: after, credit, told: after, toldAtMs: this.#now() })
    subscriber.feedSubscriptions = 1
    if (spec.hasOldValues) this.#oldValues.keep(after, this.#now())
    this.schedule()
  }

  /** Gives credit for `count` changes more, and returns all that it now has; undefined if it has not subscribed. */
  addCredit(subscriber: FeedSubscriber, count: number): number | undefined {
    const subscription = this.#subscriptions.get(subscriber)
    if (subscription === undefined) return undefined
    // One that had credit left has been told all, or will be in the next round.
    if (subscription.credit === 0) this.schedule()
    subscription.credit = Math.min(CREDIT_MAX, subscription.credit + count)
    return subscription.credit
  }

  /** Ends a subscription. Returns the position that it has come to; undefined if there is none. */
  remove(subscriber: FeedSubscriber): number | undefined {
    const position = this.#subscriptions.get(subscriber)?.position
    this.#subscriptions.delete(subscriber)
    subscriber.feedSubscriptions = 0
    return position
  }

  /** Ends all subscriptions, and tells why. */
  endAll(error: ReplyError): void {
    for (const [subscriber, subscription] of [...this.#subscriptions]) this.#end(subscriber, subscription, error)
  }

  #end(subscriber: FeedSubscriber, subscription: Subscription, error: ReplyError): void {
    this.remove(subscriber)
    tell(subscriber, subscription, this.#now(), (reply) => {
      reply.push(3)
      reply.bulkText('cdc')
      reply.bulkText('error')
      reply.bulkText(error.text)
    })
  }

  /** Called every second: tells of progress. */
  tick(): void {
    const nowMs = this.#now()
    for (const [subscriber, subscription] of this.#subscriptions) {
      const { spec, position, told, toldAtMs } = subscription
      if (spec.hasOldValues) this.#oldValues.keep(position, nowMs)
      if (position === told && nowMs - toldAtMs < SILENCE_MS_MAX) continue
      tell(subscriber, subscription, nowMs, (reply) => {
        reply.push(3)
        reply.bulkText('cdc')
        reply.bulkText('progress')
        reply.integer(position)
      })
    }
  }

  /** Pushes when the present turn has ended. */
  schedule(): void {
    if (this.#isScheduled || this.#subscriptions.size === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.pump()
    })
  }

  /** Pushes what can be pushed now; what is left follows. */
  pump(): void {
    if (this.#pumpAll()) this.schedule()
    else if (this.#hasFull) this.#scheduleLater()
  }

  /** Output is taken without a word: looks again soon. */
  #scheduleLater(): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined
      this.schedule()
    }, FULL_MS).unref()
  }

  /** True if there is more that could be pushed at once. */
  #pumpAll(): boolean {
    if (!this.#store.rocks.isOpen || this.#store.turn.isHeld) return false
    let hasMore = false
    this.#hasFull = false
    for (const [subscriber, subscription] of [...this.#subscriptions]) {
      try {
        hasMore = this.#pump(subscriber, subscription) || hasMore
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        this.#end(subscriber, subscription, error)
      }
    }
    return hasMore
  }

  #pump(subscriber: FeedSubscriber, subscription: Subscription): boolean {
    const { spec, position, credit } = subscription
    spec.check()
    const { wal } = this.#store
    if (credit === 0 || position >= wal.latest) return false
    if (subscriber.outputBytes > OUTPUT_BYTES_MAX) {
      this.#hasFull = true
      return false
    }
    const oldValues = spec.hasOldValues ? { oldValues: this.#oldValues.reader(position) } : {}
    const frame = FRAMES[subscriber.protocol]
    const range = { after: position, batchesMax: BATCHES_MAX, isStrict: true, changesMax: credit, frame, ...oldValues }
    const page = pollChanges(this.#store, range, spec.filter, PAGE_BYTES)
    subscription.position = page.position
    if (spec.hasOldValues) this.#oldValues.keep(page.position, this.#now())
    subscription.credit -= page.changes.count
    if (page.changes.count > 0) {
      tell(subscriber, subscription, this.#now(), (reply) => page.changes.writeTo(reply))
    }
    return page.position > position && page.position < wal.latest
  }
}

function frameOf(protocol: Protocol): Bytes {
  const reply = new Reply(protocol)
  reply.push(3)
  reply.bulkText('cdc')
  reply.bulkText('change')
  return reply.take()
}

function tell(
  subscriber: FeedSubscriber,
  subscription: Subscription,
  nowMs: number,
  write: (reply: Reply) => void,
): void {
  const reply = new Reply(subscriber.protocol)
  write(reply)
  subscription.told = subscription.position
  subscription.toldAtMs = nowMs
  subscriber.deliver(reply.take())
}
