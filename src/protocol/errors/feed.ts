/** Errors of the change feed. Source: kvrocks src/commands/cmd_server.cc, src/server/server.cc, PollUpdates. */

import { err, ReplyError } from '../errors.js'

export const POLL_FORMAT = err('invalid FORMAT option, should be RAW or RESP or JSON')
export const POLL_RANGE = err('out of numeric range')
export const POLL_NO_MORE = err('no more item to parse')
export const POLL_AHEAD = err('next sequence is out of range')
export const POLL_NO_DATA = err('iterator is not valid')
export const NOT_STARTED_AS_INTEGER = err('not started as an integer')
export const NON_INTEGER_CHARACTERS = err('encounter non-integer characters')
export const OUT_OF_INTEGER_TYPE = err('out of range of integer type')
export const FILTER_NEEDS_JSON = err('filters and BYTES need FORMAT JSON')
export const UNKNOWN_OP = err('unknown OP, see COMMAND DOCS of POLLUPDATES')
export const LOW_PRIORITY_ONLY = err('only support LOWPRI option')

export function sequenceMismatch(expected: number, found: number): ReplyError {
  return err(`mismatched sequence number, expected ${expected} but got ${found}`)
}

/** The log no longer reaches back to `wanted`. */
export function walGap(wanted: number, oldest: number): ReplyError {
  return new ReplyError(`WALGAP sequence ${wanted} has left the log, the oldest readable sequence is ${oldest}`)
}

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
