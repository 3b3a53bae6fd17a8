/**
 * Cursors as SCAN, HSCAN, SSCAN and ZSCAN read and answer them: `0` begins and ends; between, a number, or with
 * `redis-cursor-compatible no` the last key or element itself after `_`. Both forms are understood whatever the setting,
 * so that it can be changed while clients scan. Source: kvrocks src/commands/scan_base.h; redis src/db.c.
 */

import { type Bytes, concat, latin1 } from '../bytes/bytes.js'
import { decimal, parseUint64 } from '../bytes/int64.js'
import { BAD_CURSOR } from '../protocol/errors.js'
import type { CursorKind } from '../storage/cursor-table.js'
import type { Context } from './context.js'

const PREFIX = latin1('_')
const START = latin1('0')

/** Throws BAD_CURSOR for a word that is no cursor of either form. */
export function checkCursor(word: Bytes): void {
  if (word[0] !== PREFIX[0] && parseUint64(word) === undefined) throw BAD_CURSOR
}

/**
 * The position after which the scan goes on; undefined: from the beginning. A number that is no longer known begins
 * anew, so that a scan repeats elements rather than missing some.
 */
export function cursorPosition({ db }: Context, kind: CursorKind, word: Bytes): Bytes | undefined {
  if (word[0] === PREFIX[0]) return word.subarray(PREFIX.length)
  const number = parseUint64(word)
  if (number === undefined) throw BAD_CURSOR
  return typeof number === 'number' ? db.cursors.find(kind, number) : undefined
}

/** Answers the cursor that goes on after `position`, or `0` if that is undefined: the scan has ended. */
export function replyCursor({ db, config, reply }: Context, kind: CursorKind, position: Bytes | undefined): void {
  if (position === undefined) reply.bulk(START)
  else if (config['redis-cursor-compatible']) reply.bulk(decimal(db.cursors.issue(kind, position)))
  else reply.bulk(concat(PREFIX, position))
}
