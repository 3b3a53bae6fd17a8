/** What replication needs of a client's connection, and what it does with one that it has taken over. */

import type { Bytes } from '../bytes/bytes.js'

/** Bytes of one request of a replica, of which the longest says where it is. */
export const REPLICA_REQUEST_BYTES_MAX = 4096

/** A connection that serves a replica instead of running commands. */
export interface PeerLink {
  /** Letter of CLIENT LIST: S for the stream of changes. */
  readonly flag: 'S' | ''
  /** Called once all replies of commands that came before have been handed to the socket. */
  begin(): void
  /** What the peer sends; borrowed until the call returns. */
  received(chunk: Bytes): void
  /** The socket takes bytes again, after `write` has returned false. */
  drained(): void
  /** The connection is closed, from whichever end. */
  closed(): void
}

/** What REPLCONF has said. */
export interface Announced {
  /** The port that it listens on; 0 = nothing was said. */
  port: number
  /** Its address; empty = nothing was said. */
  ip: string
  /** Of a Redis replica: it takes an RDB file of unknown length … */
  takesEof: boolean
  /** … it wants nothing after the file … */
  wantsFileOnly: boolean
  /** … and it reads RDB files of this version. */
  rdbVersion: number
}

/** The version that Redis 7.0 reads, and all that came after it. */
const RDB_VERSION = 10

export function nothingAnnounced(): Announced {
  return { port: 0, ip: '', takesEof: false, wantsFileOnly: false, rdbVersion: RDB_VERSION }
}

export interface Peer {
  /** `ip:port`. */
  readonly address: string
  readonly announced: Announced
  /** Hands the connection to `link` for good. */
  takeOver(link: PeerLink): void
  /** Sends bytes, which must not change any more. False: wait for `drained`. Only after `begin`. */
  transmit(bytes: Bytes): boolean
  /** Bytes that the peer has not taken. */
  readonly outputBytes: number
  /** Closes after what was sent has left. */
  finish(): void
  /** Closes at once. */
  kill(): void
}

/** The address under which a replica is known: what it announced, or what its connection tells. */
export function announcedAddress({ address, announced }: Peer): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return {
    host: announced.ip === '' ? host : announced.ip,
    port: announced.port === 0 ? Number(address.slice(colon + 1)) : announced.port,
  }
}
