/** Keyspace notifications: what happened to a key, for those who subscribed to it. Source: redis src/notify.c. */

import type { Bytes } from '../bytes/bytes.js'
import * as config from '../config/keyspace-events.js'

/** Classes of events, as bits of notify-keyspace-events. */
export const EVENT_KEYSPACE = config.NOTIFY_KEYSPACE
export const EVENT_KEYEVENT = config.NOTIFY_KEYEVENT
export const EVENT_GENERIC = config.NOTIFY_GENERIC
export const EVENT_STRING = config.NOTIFY_STRING
export const EVENT_LIST = config.NOTIFY_LIST
export const EVENT_SET = config.NOTIFY_SET
export const EVENT_HASH = config.NOTIFY_HASH
export const EVENT_ZSET = config.NOTIFY_ZSET
export const EVENT_EXPIRED = config.NOTIFY_EXPIRED
export const EVENT_EVICTED = config.NOTIFY_EVICTED
export const EVENT_STREAM = config.NOTIFY_STREAM
export const EVENT_KEY_MISS = config.NOTIFY_KEY_MISS
export const EVENT_MODULE = config.NOTIFY_MODULE
export const EVENT_NEW = config.NOTIFY_NEW

export interface KeyEvents {
  /** The classes that somebody may be listening to; 0 = none, so that callers can skip work. */
  readonly classes: number
  /** Tells the subscribers that `event` (lower case, e.g. `lpush`) happened to `key`. */
  notify(eventClass: number, event: string, key: Bytes): void
}
