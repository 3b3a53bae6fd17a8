/** Keyspace notifications: what happened to a key, for those who subscribed to it. Source: redis src/notify.c. */

import type { Bytes } from '../bytes/bytes.js'

/** Classes of events, as bits of notify-keyspace-events. */
export const EVENT_KEYSPACE = 1 << 0 // K
export const EVENT_KEYEVENT = 1 << 1 // E
export const EVENT_GENERIC = 1 << 2 // g
export const EVENT_STRING = 1 << 3 // $
export const EVENT_LIST = 1 << 4 // l
export const EVENT_SET = 1 << 5 // s
export const EVENT_HASH = 1 << 6 // h
export const EVENT_ZSET = 1 << 7 // z
export const EVENT_EXPIRED = 1 << 8 // x
export const EVENT_EVICTED = 1 << 9 // e
export const EVENT_STREAM = 1 << 10 // t
export const EVENT_KEY_MISS = 1 << 11 // m
export const EVENT_MODULE = 1 << 12 // d
export const EVENT_NEW = 1 << 13 // n

export interface KeyEvents {
  /** The classes that somebody may be listening to; 0 = none, so that callers can skip work. */
  readonly classes: number
  /** Tells the subscribers that `event` (lower case, e.g. `lpush`) happened to `key`. */
  notify(eventClass: number, event: string, key: Bytes): void
}
