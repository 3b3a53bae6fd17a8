/**
 * The change feed: POLLUPDATES and APPLYBATCH. Source: kvrocks src/commands/cmd_server.cc; FORMAT JSON, the filters, BLOCK,
 * BYTES, SLOT and REPLID are ours.
 */

import { copy, latin1 } from '../bytes/bytes.js'
import { type Int64, toInt64 } from '../bytes/int64.js'
import { parseLooseInt64 } from '../bytes/loose-int64.js'
import type { ChangeFilter } from '../cdc/filter.js'
import { checkAligned, dataOf, type PollRange, pollBatches, pollChanges, positionAfter } from '../cdc/poll.js'
import { hexText } from '../cdc/raw-format.js'
import { respCommands } from '../cdc/resp-format.js'
import type { Slot } from '../cdc/slot.js'
import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/feed.js'
import { ADMIN_ONLY, type ReplyError, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { WRITE_LOW_PRI } from '../rocksdb/native.js'
import { writeFlags } from '../storage/open-store.js'
import type { Store } from '../storage/store.js'
import { BatchFormatError } from '../storage/write-batch.js'
import {
  ADMIN,
  type AnyCommand,
  BLOCKING,
  NO_MULTI,
  NO_SCRIPT,
  READONLY,
  SLOW,
  serverCommand,
  WRITE,
} from './command.js'
import type { ServerContext } from './context.js'
import { changeFilter, changeOp, FILTER_SYNTAX, type FilterWords, isFiltering, storedNamespace } from './feed-filter.js'
import { historyId, historyIdAt, isSameHistory } from './history.js'
import { checkLiving, livingSlot, slotName } from './slot.js'

const MAX_BATCHES = 1000
const MAX_BATCHES_DEFAULT = 16
/** Of a reply in JSON without BYTES. */
const JSON_BYTES_MAX = 16 * 1024 * 1024
/** What stands around a bulk string, at most. */
const BULK_BYTES = 32
const UINT64_MAX = 2n ** 64n - 1n

const LATEST_SEQUENCE = latin1('latest_sequence')
const NEXT_SEQUENCE = latin1('next_sequence')
const REPLICATION_ID = latin1('replid')
const UPDATES = latin1('updates')

export const feedCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'pollupdates',
      arity: -2,
      flags: READONLY | BLOCKING | SLOW,
      syntax:
        'sequence [MAX count] [STRICT] [FORMAT <RAW | RESP | JSON>] [BLOCK milliseconds] [BYTES bytes] ' +
        `${FILTER_SYNTAX} [SLOT name] [REPLID id] [OLDVALUE]`,
      summary: 'Returns the changes of the whole database that follow a sequence.',
      since: '2.11.0',
    },
    parsePoll,
    poll,
  ),
  serverCommand(
    {
      name: 'applybatch',
      arity: -2,
      flags: WRITE | ADMIN | NO_MULTI | NO_SCRIPT,
      syntax: 'batch [LOWPRI]',
      summary: 'Applies a raw write batch, as POLLUPDATES returns it in hexadecimal.',
      since: '2.3.0',
    },
    parseApply,
    applyBatch,
  ),
]

type Format = 'raw' | 'resp' | 'json'

interface PollOptions extends FilterWords {
  /** Undefined: the position of the slot. */
  readonly after: number | undefined
  batchesMax: number
  isStrict: boolean
  format: Format
  /** Undefined: answers at once. 0 = waits for ever. */
  blockMs: number | undefined
  bytesMax: number | undefined
  slot: string | undefined
  /** Tells what was there before each change. */
  hasOldValues: boolean
  /** The history that `after` belongs to, as far as the reader knows. */
  replicationId: string | undefined
}

function parsePoll(args: Args): PollOptions {
  const options: PollOptions = {
    after: args.is(1, '>') ? undefined : sequenceAt(args, 1),
    batchesMax: MAX_BATCHES_DEFAULT,
    isStrict: false,
    format: 'raw',
    blockMs: undefined,
    bytesMax: undefined,
    slot: undefined,
    replicationId: undefined,
    hasOldValues: false,
    patterns: [],
    types: [],
    ops: [],
    namespaces: [],
  }
  for (let at = 2; at < args.count; ) {
    const read = POLL_WORDS.get(args.latin1(at).toLowerCase())
    if (read === undefined) throw SYNTAX
    at = read(args, at, options)
  }
  if (options.after === undefined && options.slot === undefined) throw errors.SLOT_NEEDED
  if (options.format !== 'json' && (isFiltering(options) || options.bytesMax !== undefined)) {
    throw errors.FILTER_NEEDS_JSON
  }
  if (options.format !== 'json' && options.hasOldValues) throw errors.OLDVALUE_NEEDS_JSON
  return options
}

/** Reads the option whose word is at `at`; returns the index after it. */
type PollWord = (args: Args, at: number, options: PollOptions) => number

const POLL_WORDS: ReadonlyMap<string, PollWord> = new Map<string, PollWord>([
  ['max', valued((args, at) => ({ batchesMax: looseInteger(args, at, 1, MAX_BATCHES) }))],
  ['format', valued((args, at) => ({ format: formatAt(args, at) }))],
  ['block', valued((args, at) => ({ blockMs: looseInteger(args, at, 0) }))],
  ['bytes', valued((args, at) => ({ bytesMax: looseInteger(args, at, 1) }))],
  ['match', valued((args, at, { patterns }) => ({ patterns: [...patterns, copy(args.at(at))] }))],
  ['type', valued((args, at, { types }) => ({ types: [...types, args.latin1(at)] }))],
  ['op', valued((args, at, { ops }) => ({ ops: [...ops, changeOp(args.at(at))] }))],
  ['namespace', valued((args, at, { namespaces }) => ({ namespaces: [...namespaces, storedNamespace(args.at(at))] }))],
  ['replid', valued((args, at) => ({ replicationId: args.latin1(at) }))],
  ['slot', valued((args, at) => ({ slot: slotName(args, at) }))],
  [
    'oldvalue',
    (_args, at, options) => {
      options.hasOldValues = true
      return at + 1
    },
  ],
  [
    'strict',
    (_args, at, options) => {
      options.isStrict = true
      return at + 1
    },
  ],
])

/** An option with a value, which `read` finds at its index. */
function valued(read: (args: Args, at: number, options: PollOptions) => Partial<PollOptions>): PollWord {
  return (args, at, options) => {
    if (at + 1 >= args.count) throw errors.POLL_NO_MORE
    Object.assign(options, read(args, at + 1, options))
    return at + 2
  }
}

function formatAt(args: Args, at: number): Format {
  const word = args.latin1(at).toLowerCase()
  if (word !== 'raw' && word !== 'resp' && word !== 'json') throw errors.POLL_FORMAT
  return word
}

/** A sequence as Kvrocks reads it: 0x and a leading 0 choose the base, -1 is 2^64-1, after which comes 0. */
export function sequenceAt(args: Args, at: number): number {
  const value = looseInt64(args, at)
  if (value === -1) return -1
  const unsigned = BigInt.asUintN(64, BigInt(value))
  // RocksDB never counts so far: this is out of range wherever the log ends.
  return unsigned > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER - 1 : Number(unsigned)
}

function looseInt64(args: Args, at: number): Int64 {
  const parsed = parseLooseInt64(args.at(at), 0)
  if (parsed.ok) return parsed.value
  if (parsed.fault === 'out-of-range') {
    const text = args.latin1(at)
    if (/^\d+$/.test(text) && BigInt(text) <= UINT64_MAX) return toInt64(BigInt.asIntN(64, BigInt(text)))
  }
  throw FAULTS[parsed.fault]
}

const FAULTS: Readonly<Record<'not-started' | 'trailing' | 'out-of-range', ReplyError>> = {
  'not-started': errors.NOT_STARTED_AS_INTEGER,
  trailing: errors.NON_INTEGER_CHARACTERS,
  'out-of-range': errors.OUT_OF_INTEGER_TYPE,
}

export function looseInteger(args: Args, at: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = looseInt64(args, at)
  if (typeof value !== 'number' || value < min || value > max) throw errors.POLL_RANGE
  return value
}

function poll(context: ServerContext, _args: Args, options: PollOptions): void {
  const { client, store } = context
  // Kvrocks gives the feed to the administrator alone; in JSON others may read the changes of their own namespace.
  if (!client.isAdmin && options.format !== 'json') throw ADMIN_ONLY
  // What others have written and not been told of is not there yet: to commit it here would cut their turns short.
  if (client.awaitsCommit) settle(store)
  const slot = slotOf(context, options)
  const own = changeFilter(options, client.isAdmin ? undefined : client.namespace)
  const filter: ChangeFilter = slot === undefined ? own : { ...own, and: slot.spec.filter }
  let position = options.after ?? slot?.position ?? 0
  if (options.replicationId !== undefined && !isSameHistory(context, options.replicationId, position)) {
    throw errors.diverged(historyId(context))
  }
  if (slot !== undefined) context.server.slots.acknowledge(slot, Math.max(slot.position, options.after ?? 0))
  const place = (at: number): Place => ({
    position: at,
    historyId: options.replicationId === undefined ? undefined : historyIdAt(context, at),
  })
  const attempt = (reply: Reply, isLast: boolean): boolean => {
    if (slot !== undefined) {
      checkLiving(slot)
      slot.activeMs = context.server.nowMs()
    }
    // A slot promises that nothing is left out.
    const isStrict = options.isStrict || slot !== undefined
    const { oldValues } = context.server.snapshots
    const range = {
      after: position,
      batchesMax: options.batchesMax,
      isStrict,
      ...(options.hasOldValues ? { oldValues: oldValues.reader(position) } : {}),
    }
    if (options.format === 'json') {
      const page = pollChanges(store, range, filter, options.bytesMax ?? JSON_BYTES_MAX)
      position = page.position
      if (options.hasOldValues) oldValues.keep(position, context.server.nowMs())
      // A consumer that has dealt with all before has nothing to do with what is filtered out, however long it waits.
      if (slot !== undefined && page.changes.count === 0 && slot.position >= range.after) {
        context.server.slots.acknowledge(slot, Math.max(slot.position, position))
      }
      if (page.changes.count === 0 && !isLast) return false
      replyWith(reply, store, place(position), () => {
        reply.array(page.changes.count)
        page.changes.writeTo(reply)
      })
      return true
    }
    return pollWhole(reply, store, range, options, isLast, place)
  }
  if (options.blockMs === undefined) {
    attempt(context.reply, true)
    return
  }
  const behind = (): number => store.wal.latest - position
  // So little is told in the next round.
  const isLittle = behind() > 0 && behind() < options.batchesMax
  if (!isLittle && attempt(context.reply, false)) return
  context.block({
    keys: [],
    inRounds: true,
    // Also if an attempt has filtered out all that it looked at, and there is more.
    isReady: () => behind() > 0,
    timeoutMs: options.blockMs,
    attempt: ({ reply }) => attempt(reply, false),
    expire: (reply) => void attempt(reply, true),
  })
}

/** The slot to read from, if it can come to the given position. Throws a ReplyError. */
function slotOf({ client, server, store }: ServerContext, { after, format, slot }: PollOptions): Slot | undefined {
  if (slot === undefined) return undefined
  const found = livingSlot(server, client, slot)
  if (format !== 'json' && Object.keys(found.spec.filter).length > 0) throw errors.FILTER_NEEDS_JSON
  if (after !== undefined && after > store.wal.latest) throw errors.POLL_AHEAD
  return found
}

/** Whole batches, in hexadecimal or translated. False if there are none and `isLast` is false. */
function pollWhole(
  reply: Reply,
  store: Store,
  range: PollRange,
  { format, isStrict }: PollOptions,
  isLast: boolean,
  place: (position: number) => Place,
): boolean {
  const batches = pollBatches(store, range)
  if (batches.length === 0 && !isLast) return false
  if (isStrict) checkAligned(batches, range)
  replyWith(reply, store, place(positionAfter(batches, range)), () => {
    if (format === 'raw') {
      reply.expect(batches.reduce((sum, { data }) => sum + data.length * 2 + BULK_BYTES, 0))
      reply.array(batches.length)
      for (const { data } of batches) reply.bulk(hexText(data))
      return
    }
    const namespaces = respCommands(dataOf(batches), store.slotEncoded)
    reply.array(namespaces.length * 2)
    for (const { name, commands } of namespaces) {
      reply.bulk(name)
      reply.array(commands.length)
      for (const words of commands) {
        reply.array(words.length)
        for (const word of words) reply.bulk(word)
      }
    }
  })
  return true
}

interface Place {
  /** The sequence to ask with next. */
  readonly position: number
  /** The history that it belongs to, for a reader who has named one. */
  readonly historyId: string | undefined
}

/**
 * The order of the keys is that of Kvrocks: of their encoded texts, whose lengths stand first. The history comes last, so
 * that what the others are called by number stays.
 */
function replyWith(reply: Reply, store: Store, { position, historyId }: Place, updates: () => void): void {
  reply.map(historyId === undefined ? 3 : 4)
  reply.bulk(NEXT_SEQUENCE)
  reply.integer(position)
  reply.bulk(LATEST_SEQUENCE)
  reply.integer(store.wal.latest)
  reply.bulk(UPDATES)
  updates()
  if (historyId === undefined) return
  reply.bulk(REPLICATION_ID)
  reply.bulkText(historyId)
}

/** The log holds committed batches alone: what the turn has written so far goes first, but not half a transaction. */
export function settle(store: Store): void {
  if (!store.turn.isHeld) store.turn.commit()
}

function parseApply(args: Args): { isLowPriority: boolean } {
  if (args.count > 3) throw SYNTAX
  if (args.count === 3 && !args.is(2, 'lowpri')) throw errors.LOW_PRIORITY_ONLY
  return { isLowPriority: args.count === 3 }
}

function applyBatch(
  { reply, server, config }: ServerContext,
  args: Args,
  { isLowPriority }: { isLowPriority: boolean },
): void {
  const batch = args.at(1)
  const flags = writeFlags(config)
  try {
    server.applyForeign(batch, isLowPriority ? flags | WRITE_LOW_PRI : flags)
  } catch (error) {
    if (!(error instanceof BatchFormatError)) throw error
    throw errors.badBatch(error.message)
  }
  reply.integer(batch.length)
}
