/**
 * Keys that were changed in a turn, for clients that want to hear of all keys with certain prefixes. Each gets one message
 * a prefix and turn. Source: redis src/tracking.c, trackingBroadcastInvalidationMessages.
 */

import { keyOffset } from '../../storage/keys.js'
import type { Connection } from '../connection.js'
import type { Tracker } from './tracker.js'

interface Audience {
  readonly listeners: Set<Tracker>
  /** By namespace: the keys, with those who changed them last. */
  readonly changes: Map<string, Map<string, Connection | undefined>>
}

/** Tells `listener` that `keys`, one character a byte, are no longer what they were. */
export type Broadcast = (listener: Tracker, keys: readonly string[]) => void

export class Broadcasts {
  readonly #audiences = new Map<string, Audience>()

  get prefixCount(): number {
    return this.#audiences.size
  }

  join(listener: Tracker, prefix: string): void {
    listener.prefixes.add(prefix)
    const audience = this.#audiences.get(prefix)
    if (audience === undefined) this.#audiences.set(prefix, { listeners: new Set([listener]), changes: new Map() })
    else audience.listeners.add(listener)
  }

  leave(listener: Tracker): void {
    for (const prefix of listener.prefixes) {
      const audience = this.#audiences.get(prefix)
      audience?.listeners.delete(listener)
      if (audience?.listeners.size === 0) this.#audiences.delete(prefix)
    }
  }

  /** True if somebody wants to hear of changes of `nsKey`, one character a byte. */
  concerns(nsKey: string, slotEncoded: boolean): boolean {
    if (this.#audiences.size === 0) return false
    const keyAt = keyOffset(nsKey, slotEncoded)
    for (const prefix of this.#audiences.keys()) if (nsKey.startsWith(prefix, keyAt)) return true
    return false
  }

  /** `author` has changed `key` of `namespace`, both one character a byte. */
  note(namespace: string, key: string, author: Connection | undefined): void {
    for (const [prefix, { changes }] of this.#audiences) {
      if (!key.startsWith(prefix)) continue
      const keys = changes.get(namespace)
      if (keys === undefined) changes.set(namespace, new Map([[key, author]]))
      else keys.set(key, author)
    }
  }

  /** At the end of a turn: tells those who are in the namespaces of the keys, in order of prefixes and keys. */
  send(broadcast: Broadcast): void {
    for (const prefix of [...this.#audiences.keys()].sort()) {
      const { listeners, changes } = this.#audiences.get(prefix) as Audience
      if (changes.size === 0) continue
      const changed = [...changes].map(([namespace, keys]) => ({ namespace, keys, names: [...keys.keys()].sort() }))
      changes.clear()
      for (const { namespace, keys, names } of changed) {
        for (const listener of listeners) {
          const { connection, mode } = listener
          if (connection?.namespace?.latin1Slice(0) !== namespace) continue
          const told = mode.isNoLoop ? names.filter((name) => keys.get(name) !== connection) : names
          if (told.length > 0) broadcast(listener, told)
        }
      }
    }
  }

  /** Forgets what was changed. */
  forget(): void {
    for (const { changes } of this.#audiences.values()) changes.clear()
  }
}
