/** The counts of the last DBSIZE SCAN of each namespace. */

import type { Bytes } from '../bytes/bytes.js'
import type { KeyCount, KeyCounts } from '../commands/server-view.js'

export class KeyCountTable implements KeyCounts {
  readonly #byNamespace = new Map<string, KeyCount>()

  latest(namespace: Bytes): KeyCount | undefined {
    return this.#byNamespace.get(namespace.latin1Slice(0))
  }

  record(namespace: Bytes, count: KeyCount): void {
    this.#byNamespace.set(namespace.latin1Slice(0), count)
  }
}
