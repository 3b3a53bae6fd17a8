/** Whether a peer takes what it is sent: one that does not is dropped after replication-send-timeout-ms. */

import type { Config } from '../config/config.js'
import type { Peer } from './peer.js'

export class SendWatch {
  readonly #peer: Pick<Peer, 'outputBytes'>
  readonly #config: Config
  /** What the peer had not taken when it was looked at last. */
  #bytes = 0
  /** Unix milliseconds since when it has taken nothing; undefined: it has. */
  #sinceMs: number | undefined

  constructor(peer: Pick<Peer, 'outputBytes'>, config: Config) {
    this.#peer = peer
    this.#config = config
  }

  /** The peer has taken all. As much may wait again at the next look. */
  drained(): void {
    this.#sinceMs = undefined
  }

  /** Why the peer is to be dropped at `nowMs`; undefined: it is not. Called by the clock. */
  complaint(nowMs: number): string | undefined {
    const bytes = this.#peer.outputBytes
    if (bytes === 0 || bytes < this.#bytes || this.#sinceMs === undefined) this.#sinceMs = nowMs
    this.#bytes = bytes
    const stuckMs = nowMs - this.#sinceMs
    const timeoutMs = this.#config.values['replication-send-timeout-ms']
    if (bytes === 0 || timeoutMs === 0 || stuckMs < timeoutMs) return undefined
    return `it has taken nothing for ${stuckMs} ms (replication-send-timeout-ms)`
  }
}
