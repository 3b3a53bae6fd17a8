/** Errors of the change feed. Source: kvrocks src/commands/cmd_server.cc, src/server/server.cc, PollUpdates. */

import { err, ReplyError, utf8Err } from '../errors.js'

export const POLL_FORMAT = err('invalid FORMAT option, should be RAW or RESP or JSON')
export const POLL_RANGE = err('out of numeric range')
export const POLL_NO_MORE = err('no more item to parse')
export const POLL_AHEAD = err('next sequence is out of range')
export const POLL_NO_DATA = err('iterator is not valid')
export const NOT_STARTED_AS_INTEGER = err('not started as an integer')
export const NON_INTEGER_CHARACTERS = err('encounter non-integer characters')
export const OUT_OF_INTEGER_TYPE = err('out of range of integer type')
export const FILTER_NEEDS_JSON = err('filters and BYTES need FORMAT JSON')
export const OLDVALUE_NEEDS_JSON = err('OLDVALUE needs FORMAT JSON')
export const UNKNOWN_OP = err('unknown OP, see COMMAND DOCS of POLLUPDATES')
export const LOW_PRIORITY_ONLY = err('only support LOWPRI option')

export function sequenceMismatch(expected: number, found: number): ReplyError {
  return err(`mismatched sequence number, expected ${expected} but got ${found}`)
}

/** The log no longer reaches back to `wanted`. */
export function walGap(wanted: number, oldest: number): ReplyError {
  return new ReplyError(`WALGAP sequence ${wanted} has left the log, the oldest readable sequence is ${oldest}`)
}

/** The reader's position belongs to a history that is not this server's. */
export function diverged(id: string): ReplyError {
  return new ReplyError(`DIVERGED the position is of another history than ${id}: begin anew with a snapshot`)
}

export const SNAPSHOT_FORMAT = err('invalid FORMAT option, should be JSON or RESP or RDB')
export const NOT_SUBSCRIBED = err('the connection has not subscribed: CDC SUBSCRIBE first')
export const ACK_NEEDS_SLOT = err('ACK needs a subscription with SLOT')
export const TIME_UNKNOWN = new ReplyError('WALGAP that time is before all that is known of the log')

export function walUnreadable(message: string): ReplyError {
  return err(message)
}

export function badBatch(message: string): ReplyError {
  return err(`Corruption: ${message}`)
}

/** Of CDC SNAPSHOT. */
export const SNAPSHOT_FAULTS = {
  'no-snapshot': new ReplyError('NOSNAPSHOT no such snapshot, it may have expired'),
  'bad-cursor': err('invalid cursor'),
  'too-many': err('too many snapshots are open'),
} as const

/** Of CDC SLOT. */
export const SLOT_FAULTS = {
  'no-slot': new ReplyError('NOSLOT no such slot'),
  exists: new ReplyError('SLOTEXISTS the slot already exists'),
  'too-many': err('the namespace has as many slots as cdc-slots-max allows'),
} as const
export const SLOT_NAME = err('a slot name is 1 to 64 letters, digits, dots, colons, hyphens and underscores')
export const SLOT_NAMESPACE = err('only the administrator names the namespace of a slot')
export const SLOT_BYTES = err('MAXBYTES is more than cdc-slot-max-bytes')
export const SLOT_AGE = err('MAXAGE is more than cdc-slot-max-age')
export const SLOT_NEEDED = err('the position > needs SLOT')

export function slotLost(name: string, sequence: number, why: string): ReplyError {
  return new ReplyError(`SLOTLOST slot ${name} has lost its place at sequence ${sequence}: ${why}`)
}

export function slotBehind(sequence: number, position: number): ReplyError {
  return err(`sequence ${sequence} lies before the slot, which is at ${position}`)
}

export function slotNotSaved(reason: string): ReplyError {
  return utf8Err(`the slots cannot be saved: ${reason}`)
}
