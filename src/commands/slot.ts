/** CDC SLOT: consumers' named places in the change feed, for whose sake the log is kept. Ours alone. */

import { type Bytes, copy } from '../bytes/bytes.js'
import type { ChangeOp } from '../cdc/change.js'
import { SLOT_LOSS_TEXTS, type Slot, type SlotSpec } from '../cdc/slot.js'
import { SlotError } from '../cdc/slots.js'
import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/feed.js'
import { SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Store } from '../storage/store.js'
import type { Client } from './client.js'
import { type AnyCommand, NO_MULTI, NO_SCRIPT, READONLY, SLOW, serverCommand } from './command.js'
import type { ServerContext } from './context.js'
import { changeFilter, changeOp, FILTER_SYNTAX, storedNamespace } from './feed-filter.js'
import { integerAt, OptionReader } from './options.js'
import type { ServerView } from './server-view.js'

export const slotCommand: AnyCommand = serverCommand(
  {
    name: 'cdc|slot',
    arity: -3,
    flags: READONLY | SLOW | NO_MULTI | NO_SCRIPT,
    syntax:
      '<CREATE name [AT <sequence | NOW | OLDEST | TIME unix-time-milliseconds>] [MAXBYTES bytes] [MAXAGE milliseconds] ' +
      `${FILTER_SYNTAX} | ACK name sequence | LIST | INFO name [NAMESPACE namespace] | ` +
      'DROP name [NAMESPACE namespace]>',
    summary: 'Keeps the log for a consumer of the change feed from the last change that it has acknowledged.',
    since: '0.1.0',
  },
  parseSlot,
  (context, _args, run) => run(context),
)

type Run = (context: ServerContext) => void

const SLOT_WORDS: ReadonlyMap<string, (args: Args) => Run> = new Map([
  ['create', parseCreate],
  ['ack', parseAcknowledge],
  ['list', parseList],
  ['info', (args) => parseOne(args, slotInfo)],
  ['drop', (args) => parseOne(args, dropSlot)],
])

function parseSlot(args: Args): Run {
  const parse = SLOT_WORDS.get(args.latin1(2).toLowerCase())
  if (parse === undefined) throw SYNTAX
  return parse(args)
}

const NAME = /^[\w.:-]{1,64}$/
/** Milliseconds and bytes that a double holds exactly. */
const LIMIT_MAX = Number.MAX_SAFE_INTEGER

/** The name of a slot at an index. Throws a ReplyError. */
export function slotName(args: Args, at: number): string {
  if (at >= args.count) throw SYNTAX
  const name = args.latin1(at)
  if (!NAME.test(name)) throw errors.SLOT_NAME
  return name
}

/** The slot of that name that the client may use: its namespace's, or for the administrator any. Throws a ReplyError. */
function usableSlot(server: ServerView, client: Client, name: string, namespace?: Bytes): Slot {
  if (namespace !== undefined && !client.isAdmin) throw errors.SLOT_NAMESPACE
  return answered(() => server.slots.get(namespace ?? ownerOf(client), name))
}

/** The same, not lost. */
export function livingSlot(server: ServerView, client: Client, name: string): Slot {
  const slot = usableSlot(server, client, name)
  checkLiving(slot)
  return slot
}

/** Throws SLOTLOST for a slot that has lost its place, and NOSLOT for one that was dropped. */
export function checkLiving({ spec, loss, isDropped }: Slot): void {
  if (isDropped) throw errors.SLOT_FAULTS['no-slot']
  if (loss !== undefined) throw errors.slotLost(spec.name, loss.sequence, SLOT_LOSS_TEXTS[loss.reason])
}

/** What the changes are numbered by: the administrator's slots are of the default namespace, and see all. */
function ownerOf({ isAdmin, namespace }: Client): Bytes {
  return isAdmin ? DEFAULT_NAMESPACE : (namespace ?? DEFAULT_NAMESPACE)
}

/** Where a slot begins. */
type Place = number | 'now' | 'oldest' | { readonly timeMs: number }

interface CreateOptions {
  readonly spec: Omit<SlotSpec, 'namespace'>
  readonly at: Place
}

function parseCreate(args: Args): Run {
  const name = slotName(args, 3)
  const patterns: Bytes[] = []
  const types: string[] = []
  const ops: ChangeOp[] = []
  const namespaces: Bytes[] = []
  const options = new OptionReader(args, 4)
  let at: Place = 'now'
  let bytesMax = 0
  let ageMsMax = 0
  while (options.hasMore) {
    if (options.take('at')) at = readPlace(options)
    else if (options.take('maxbytes')) bytesMax = options.integer(1, LIMIT_MAX)
    else if (options.take('maxage')) ageMsMax = options.integer(1, LIMIT_MAX)
    else if (options.take('match')) patterns.push(copy(options.word()))
    else if (options.take('type')) types.push(options.word().latin1Slice(0))
    else if (options.take('op')) ops.push(changeOp(options.word()))
    else if (options.take('namespace')) namespaces.push(storedNamespace(options.word()))
    else break
  }
  options.end()
  const filter = changeFilter({ patterns, types, ops, namespaces })
  return (context) => createSlot(context, { spec: { name, filter, bytesMax, ageMsMax }, at })
}

function readPlace(options: OptionReader): Place {
  if (options.take('now')) return 'now'
  if (options.take('oldest')) return 'oldest'
  if (options.take('time')) return { timeMs: options.integer(0, Number.MAX_SAFE_INTEGER) }
  return options.integer(0, Number.MAX_SAFE_INTEGER)
}

function createSlot(context: ServerContext, { spec, at }: CreateOptions): void {
  const { client, config, server, store } = context
  settle(store)
  if (spec.bytesMax > (config['cdc-slot-max-bytes'] || LIMIT_MAX)) throw errors.SLOT_BYTES
  if (spec.ageMsMax > (config['cdc-slot-max-age'] * 1000 || LIMIT_MAX)) throw errors.SLOT_AGE
  const namespace = copy(ownerOf(client))
  const made = answered(() => server.slots.create({ ...spec, namespace }, () => positionOf(at, context)))
  context.defer(saved(made), (reply, { position }) => reply.integer(position))
}

/** Throws a ReplyError where the next change is not, or no more, in the log. */
function positionOf(at: Place, { server, store }: ServerContext): number {
  const { oldest, latest } = store.wal.range(server.nowMs())
  if (at === 'now') return latest
  if (at === 'oldest') return oldest - 1
  const sequence = typeof at === 'number' ? at : sequenceBefore(server, at.timeMs, latest)
  if (sequence > latest) throw errors.POLL_AHEAD
  if (sequence + 1 < oldest) throw errors.walGap(sequence + 1, oldest)
  return sequence
}

/** The sequence after which all changes since a time come, to the second. Throws a ReplyError if that is not known. */
export function sequenceBefore(server: ServerView, timeMs: number, latest: number): number {
  if (timeMs >= server.nowMs()) return latest
  const sequence = server.sequenceTimes.sequenceAt(timeMs)
  if (sequence === undefined) throw errors.TIME_UNKNOWN
  return sequence
}

function parseAcknowledge(args: Args): Run {
  if (args.count !== 5) throw SYNTAX
  const name = slotName(args, 3)
  const sequence = integerAt(args, 4, 0)
  return ({ client, reply, server, store }) => {
    const slot = livingSlot(server, client, name)
    settle(store)
    if (sequence > store.wal.latest) throw errors.POLL_AHEAD
    if (sequence < slot.position) throw errors.slotBehind(sequence, slot.position)
    server.slots.acknowledge(slot, sequence)
    reply.ok()
  }
}

/** INFO and DROP. */
function parseOne(args: Args, run: (context: ServerContext, slot: Slot) => void): Run {
  const name = slotName(args, 3)
  const options = new OptionReader(args, 4)
  const namespace = options.take('namespace') ? storedNamespace(options.word()) : undefined
  options.end()
  return (context) => run(context, usableSlot(context.server, context.client, name, namespace))
}

function dropSlot(context: ServerContext, slot: Slot): void {
  context.defer(saved(context.server.slots.drop(slot)), (reply) => reply.ok())
}

function parseList(args: Args): Run {
  if (args.count !== 3) throw SYNTAX
  return (context) => {
    settle(context.store)
    const views = slotViews(context)
    context.reply.array(views.length)
    for (const view of views) writeView(context.reply, view)
  }
}

function slotInfo(context: ServerContext, slot: Slot): void {
  settle(context.store)
  writeView(context.reply, viewOf(context, slot, context.store.retention.lagMeter()))
}

/** A slot as CDC SLOT INFO and INFO show it. */
export interface SlotView {
  readonly name: string
  readonly namespace: string
  readonly state: string
  readonly position: number
  readonly lag_changes: number
  /** Of the log, live files included; about. */
  readonly lag_bytes: number
  /** Since the first change that is not acknowledged; about. */
  readonly lag_seconds: number
  /** Of files that are kept, for it or for others too: what its limit is about. */
  readonly held_bytes: number
  readonly max_bytes: number
  readonly max_age: number
  readonly match: readonly Bytes[]
  readonly types: readonly string[]
  readonly ops: readonly string[]
  readonly namespaces: readonly string[]
  /** Unix milliseconds, as the next one. */
  readonly created: number
  readonly last_active: number
  /** Of a lost slot: why, and the first change that it had not acknowledged. */
  readonly lost_reason: string
  readonly lost_sequence: number
}

/** The slots that the client may see. */
export function slotViews(context: ServerContext): SlotView[] {
  const { client, server, store } = context
  const slots = server.slots.list(client.isAdmin ? undefined : ownerOf(client))
  if (slots.length === 0) return []
  const meter = store.retention.lagMeter()
  return slots.map((slot) => viewOf(context, slot, meter))
}

function viewOf({ server, store }: ServerContext, slot: Slot, meter: (sequence: number) => number): SlotView {
  const { spec, position, hold, loss, createdMs, activeMs } = slot
  const { patterns = [], types = [], ops = [], namespaces = [] } = spec.filter
  const isLost = loss !== undefined
  const limits = hold?.limits()
  return {
    name: spec.name,
    namespace: shownNamespace(spec.namespace),
    state: slot.state(server.nowMs()),
    position,
    lag_changes: Math.max(0, store.wal.latest - position),
    lag_bytes: isLost ? 0 : meter(position),
    lag_seconds: isLost ? 0 : server.slots.lagSeconds(slot),
    held_bytes: hold?.heldBytes ?? 0,
    max_bytes: finite(limits?.bytesMax ?? spec.bytesMax),
    max_age: finite(limits?.ageMsMax ?? spec.ageMsMax),
    match: patterns,
    types: [...types],
    ops: [...ops],
    namespaces: namespaces.map(shownNamespace),
    created: createdMs,
    last_active: activeMs,
    lost_reason: isLost ? SLOT_LOSS_TEXTS[loss.reason] : '',
    lost_sequence: loss?.sequence ?? 0,
  }
}

function shownNamespace(namespace: Bytes): string {
  return namespace.equals(DEFAULT_NAMESPACE) ? 'default' : namespace.latin1Slice(0)
}

/** No limit is shown as 0. */
function finite(limit: number): number {
  return Number.isFinite(limit) ? limit : 0
}

function writeView(reply: Reply, view: SlotView): void {
  const fields = Object.entries(view) as [string, number | string | readonly (string | Bytes)[]][]
  reply.map(fields.length)
  for (const [name, value] of fields) {
    reply.bulkText(name)
    if (typeof value === 'number') reply.integer(value)
    else if (typeof value === 'string') reply.bulkText(value)
    else {
      reply.array(value.length)
      for (const one of value) typeof one === 'string' ? reply.bulkText(one) : reply.bulk(one)
    }
  }
}

/** The log holds committed batches alone: what the turn has written so far goes first. */
function settle(store: Store): void {
  if (!store.turn.isHeld) store.turn.commit()
}

/** Tells the client why slots could not be saved. */
async function saved<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw errors.slotNotSaved((error as Error).message)
  }
}

/** Turns a SlotError into the client's error. */
function answered<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SlotError)) throw error
    throw errors.SLOT_FAULTS[error.fault]
  }
}
