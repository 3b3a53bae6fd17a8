/** Keyspace notifications: what happened to a key, for those who subscribed to it. Source: redis src/notify.c. */

import type { Bytes } from '../bytes/bytes.js'
export interface KeyEvents {
  /** The classes that somebody may be listening to; 0 = none, so that callers can skip work. */
  readonly classes: number
  /** Tells the subscribers that `event` (lower case, e.g. `lpush`) happened to `key`. */
  notify(eventClass: number, event: string, key: Bytes): void
}
