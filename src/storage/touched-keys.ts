/** The keys that were changed and that somebody wants to know of; whoever tells them clears it. */

import type { Bytes } from '../bytes/bytes.js'

export class TouchedKeys {
  /** While false, nothing is noted. */
  isObserved = false
  /** Told of the nsKey, latin1, of a key that a command has found expired and may not delete. */
  expiredListener: ((nsKey: string) => void) | undefined
  /** Told of each key that comes to be where there was none; undefined = nobody wants to know. */
  newKeyListener: ((namespace: Bytes, key: Bytes) => void) | undefined
  /** Whether somebody wants to know of changes of a key; asked at each write, for those that nobody cares for are many. */
  concerns: (nsKey: string) => boolean = () => true
  /** nsKeys, latin1. */
  readonly keys = new Set<string>()
  /** What the nsKeys, latin1, begin with that were deleted all at once. Empty: those of all namespaces. */
  readonly prefixes: string[] = []

  get isEmpty(): boolean {
    return this.keys.size === 0 && this.prefixes.length === 0
  }

  /** The key has changed, `isObserved` being true. */
  note(nsKey: string): void {
    if (this.concerns(nsKey)) this.keys.add(nsKey)
  }

  /** Keys were deleted all at once. */
  notePrefix(prefix: string): void {
    if (this.isObserved) this.prefixes.push(prefix)
  }

  clear(): void {
    this.keys.clear()
    this.prefixes.length = 0
  }
}
