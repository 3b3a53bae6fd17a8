/** What the server remembers of a client that tracks keys, while its connection lives. */

import type { TrackingMode } from '../../commands/server-view.js'
import type { Connection } from '../connection.js'

const OFF: TrackingMode = {
  redirect: undefined,
  isBroadcast: false,
  isOptIn: false,
  isOptOut: false,
  isNoLoop: false,
}

export class Tracker {
  /** Undefined once the connection is closed: keys may remember the tracker longer. */
  connection: Connection | undefined
  isOn = false
  mode: TrackingMode = OFF
  /** CLIENT CACHING was given for the next command or transaction. */
  isCachingGiven = false
  /** The client that invalidations were to be sent to is gone, and this one was told so. */
  isRedirectBroken = false
  /** What the keys that are broadcast to the client begin with, one character a byte. */
  readonly prefixes = new Set<string>()

  constructor(connection: Connection) {
    this.connection = connection
  }

  /** True if the keys that the client reads now are to be remembered. */
  get remembersReads(): boolean {
    const { isBroadcast, isOptIn, isOptOut } = this.mode
    if (!this.isOn || isBroadcast) return false
    if (isOptIn) return this.isCachingGiven
    return !isOptOut || !this.isCachingGiven
  }

  /** The letters of CLIENT LIST. */
  get letters(): string {
    if (!this.isOn) return ''
    return `t${this.isRedirectBroken ? 'R' : ''}${this.mode.isBroadcast ? 'B' : ''}`
  }

  turnOff(): void {
    this.isOn = false
    this.mode = OFF
    this.isCachingGiven = false
    this.isRedirectBroken = false
    this.prefixes.clear()
  }
}
