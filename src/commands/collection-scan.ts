/**
 * HSCAN, SSCAN and ZSCAN: walk the rows of a collection by member, from where the cursor stands. What does not change
 * meanwhile is given exactly once. Source: kvrocks src/commands/scan_base.h; redis src/db.c, scanGenericCommand.
 */

import { type Bytes, compare, concat, copy, EMPTY } from '../bytes/bytes.js'
import { formatDouble } from '../bytes/double.js'
import { globMatch, globPrefix } from '../bytes/glob.js'
import type { Args } from '../protocol/args.js'
import { SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import type { CursorKind } from '../storage/cursor-table.js'
import type { Database } from '../storage/database.js'
import { prefixEnd } from '../storage/keys.js'
import type { RowWalk } from '../storage/row-cursor.js'
import type { SubkeyScan } from '../storage/subkeys.js'
import * as hashes from '../types/hash.js'
import * as sets from '../types/set.js'
import * as zsets from '../types/zset.js'
import { type AnyCommand, command, FIRST_KEY, READONLY, SLOW } from './command.js'
import type { Context } from './context.js'
import { OptionReader } from './options.js'
import { checkCursor, cursorPosition, replyCursor } from './scan-cursor.js'

const COUNT_DEFAULT = 10

/** How one type is scanned. */
interface Scanned {
  readonly kind: CursorKind
  readonly takesNoValues: boolean
  /** Undefined if the key is absent. */
  open(db: Database, key: Bytes): ((range: SubkeyScan) => RowWalk) | undefined
  /** Writes the row's value, if elements of the type have one. */
  readonly writeValue: ((reply: Reply, value: Bytes) => void) | undefined
}

const HASH: Scanned = {
  kind: 'hash',
  takesNoValues: true,
  open: (db, key) => hashes.scan(db, key)?.open,
  writeValue: (reply, value) => reply.bulk(value),
}

const SET: Scanned = {
  kind: 'set',
  takesNoValues: false,
  open: (db, key) => sets.scan(db, key)?.open,
  writeValue: undefined,
}

const ZSET: Scanned = {
  kind: 'zset',
  takesNoValues: false,
  open(db, key) {
    const zset = zsets.open(db, key)
    return zset === undefined ? undefined : (range) => zset.members.scan(range)
  },
  // A bulk string in RESP3 too, as Redis answers it.
  writeValue: (reply, value) => reply.bulkText(formatDouble(zsets.scoreOfRow(value))),
}

export const hashScanCommands = [scans('hscan', HASH, 'fields and values of a hash')]
export const setScanCommands = [scans('sscan', SET, 'members of a set')]
export const zsetScanCommands = [scans('zscan', ZSET, 'members and scores of a sorted set')]

function scans(name: string, scanned: Scanned, what: string): AnyCommand {
  return command(
    {
      name,
      arity: -3,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: `key cursor [MATCH pattern] [COUNT count]${scanned.takesNoValues ? ' [NOVALUES]' : ''}`,
      summary: `Iterates over ${what}.`,
      since: '2.8.0',
    },
    (args) => parseScan(args, scanned),
    (context, args, options) => scan(context, args, options, scanned),
  )
}

interface ScanOptions {
  readonly pattern: Bytes | undefined
  /** Rows to look at. */
  readonly count: number
  readonly withValues: boolean
}

function parseScan(args: Args, scanned: Scanned): ScanOptions {
  checkCursor(args.at(2))
  let pattern: Bytes | undefined
  let count = COUNT_DEFAULT
  let withValues = scanned.writeValue !== undefined
  const options = new OptionReader(args, 3)
  while (options.hasMore) {
    if (options.left > 1 && options.take('match')) {
      pattern = options.word()
    } else if (options.left > 1 && options.take('count')) {
      count = Number(options.int64())
      if (count < 1) options.refuse(SYNTAX)
    } else if (scanned.takesNoValues && options.take('novalues')) {
      withValues = false
    } else {
      throw SYNTAX
    }
  }
  options.end()
  return { pattern, count, withValues }
}

function scan(context: Context, args: Args, { pattern, count, withValues }: ScanOptions, scanned: Scanned): void {
  const { db, reply } = context
  const open = scanned.open(db, args.at(1))
  reply.array(2)
  if (open === undefined) {
    replyCursor(context, scanned.kind, undefined)
    reply.array(0)
    return
  }
  const range = rangeOf(cursorPosition(context, scanned.kind, args.at(2)), pattern)
  using cursor = open({ ...range, values: withValues, rowsExpected: count + 1 })
  const rows: { key: Bytes; value: Bytes }[] = []
  let position: Bytes | undefined
  let hasMore = cursor.next()
  for (let seen = 1; hasMore; seen++) {
    const { key } = cursor
    if (pattern === undefined || globMatch(pattern, key)) rows.push({ key: copy(key), value: copy(cursor.value) })
    if (seen === count) position = copy(key)
    hasMore = cursor.next()
    if (seen === count) break
  }
  replyCursor(context, scanned.kind, hasMore ? position : undefined)
  reply.array(withValues ? rows.length * 2 : rows.length)
  for (const { key, value } of rows) {
    reply.bulk(key)
    if (withValues) scanned.writeValue?.(reply, value)
  }
}

/** The rows after `position` that can match `pattern`. */
function rangeOf(position: Bytes | undefined, pattern: Bytes | undefined): SubkeyScan {
  const prefix = pattern === undefined ? EMPTY : globPrefix(pattern)
  const after = position === undefined ? EMPTY : concat(position, Buffer.of(0))
  const to = prefixEnd(prefix)
  return { from: compare(after, prefix) > 0 ? after : prefix, ...(to === undefined ? {} : { to }) }
}
