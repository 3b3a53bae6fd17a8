/** CDC SUBSCRIBE: the change feed pushed, as fast as the subscriber gives credit. Ours alone. */

import { type Bytes, copy } from '../bytes/bytes.js'
import type { ChangeOp } from '../cdc/change.js'
import { CREDIT_MAX } from '../cdc/subscriptions.js'
import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/feed.js'
import {
  type AnyCommand,
  NO_MULTI,
  NO_SCRIPT,
  noOptions,
  OK_SUBSCRIBED,
  PUSHES,
  READONLY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { sequenceAt, settle } from './feed.js'
import { changeFilter, changeOp, FILTER_SYNTAX, storedNamespace } from './feed-filter.js'
import { historyId, isSameHistory } from './history.js'
import { OptionReader } from './options.js'
import { checkLiving, livingSlot } from './slot.js'

const FLAGS = READONLY | NO_MULTI | NO_SCRIPT | OK_SUBSCRIBED | PUSHES
const CREDIT_DEFAULT = 1000

export const subscriptionCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'cdc|subscribe',
      arity: -3,
      flags: FLAGS,
      syntax: `<sequence | NOW | OLDEST> [CREDIT count] ${FILTER_SYNTAX} [SLOT name] [REPLID id] [OLDVALUE]`,
      summary: 'Pushes the changes after a sequence, or after the position (>) of a slot, while there is credit.',
      since: '0.1.0',
    },
    parseSubscribe,
    subscribe,
  ),
  serverCommand(
    {
      name: 'cdc|credit',
      arity: -3,
      flags: FLAGS,
      syntax: 'count [ACK sequence]',
      summary: 'Lets the server push so many changes more, and acknowledges what was dealt with to the slot.',
      since: '0.1.0',
    },
    parseCredit,
    credit,
  ),
  serverCommand(
    {
      name: 'cdc|unsubscribe',
      arity: 2,
      flags: FLAGS,
      syntax: '',
      summary: 'Ends CDC SUBSCRIBE.',
      since: '0.1.0',
    },
    noOptions,
    (context) => confirm(context, 'unsubscribe', context.server.subscriptions.remove(context.client) ?? 0),
  ),
]

interface SubscribeOptions {
  readonly from: number | 'now' | 'oldest' | 'slot'
  credit: number
  readonly patterns: Bytes[]
  readonly types: string[]
  readonly ops: ChangeOp[]
  readonly namespaces: Bytes[]
  slot: string | undefined
  replicationId: string | undefined
  hasOldValues: boolean
}

function parseSubscribe(args: Args): SubscribeOptions {
  const given: SubscribeOptions = {
    from: beginning(args),
    credit: CREDIT_DEFAULT,
    patterns: [],
    types: [],
    ops: [],
    namespaces: [],
    slot: undefined,
    replicationId: undefined,
    hasOldValues: false,
  }
  const options = new OptionReader(args, 3)
  while (options.hasMore) {
    if (options.take('credit')) given.credit = options.integer(0, CREDIT_MAX)
    else if (options.take('match')) given.patterns.push(copy(options.word()))
    else if (options.take('type')) given.types.push(options.word().latin1Slice(0))
    else if (options.take('op')) given.ops.push(changeOp(options.word()))
    else if (options.take('namespace')) given.namespaces.push(storedNamespace(options.word()))
    else if (options.take('replid')) given.replicationId = options.word().latin1Slice(0)
    else if (options.take('oldvalue')) given.hasOldValues = true
    else if (options.take('slot')) given.slot = options.word().latin1Slice(0)
    else break
  }
  options.end()
  if (given.from === 'slot' && given.slot === undefined) throw errors.SLOT_NEEDED
  return given
}

function beginning(args: Args): SubscribeOptions['from'] {
  if (args.is(2, 'now')) return 'now'
  if (args.is(2, 'oldest')) return 'oldest'
  return args.is(2, '>') ? 'slot' : sequenceAt(args, 2)
}

function subscribe(context: ServerContext, _args: Args, options: SubscribeOptions): void {
  const { client, server, store } = context
  settle(store)
  const slot = options.slot === undefined ? undefined : livingSlot(server, client, options.slot)
  const after = startOf(context, options, slot?.position)
  if (after > store.wal.latest) throw errors.POLL_AHEAD
  if (options.replicationId !== undefined && !isSameHistory(context, options.replicationId, after)) {
    throw errors.diverged(historyId(context))
  }
  const own = changeFilter(options, client.isAdmin ? undefined : client.namespace)
  client.feedSlot = options.slot
  server.subscriptions.add(client, {
    after,
    credit: options.credit,
    hasOldValues: options.hasOldValues,
    filter: slot === undefined ? own : { ...own, and: slot.spec.filter },
    check: () => {
      if (slot !== undefined) checkLiving(slot)
    },
  })
  confirm(context, 'subscribe', after)
}

function startOf({ store }: ServerContext, { from }: SubscribeOptions, slotPosition: number | undefined): number {
  if (from === 'slot') return slotPosition ?? 0
  if (from === 'now') return store.wal.latest
  return from === 'oldest' ? store.wal.range(store.turn.nowMs).oldest - 1 : from
}

interface CreditOptions {
  readonly count: number
  readonly acknowledged: number | undefined
}

function parseCredit(args: Args): CreditOptions {
  const options = new OptionReader(args, 2)
  const count = options.integer(0, CREDIT_MAX)
  const acknowledged = options.hasMore && options.take('ack') ? options.integer(0, Number.MAX_SAFE_INTEGER) : undefined
  options.end()
  return { count, acknowledged }
}

function credit(context: ServerContext, _args: Args, { count, acknowledged }: CreditOptions): void {
  const { client, server, store } = context
  const total = server.subscriptions.addCredit(client, count)
  if (total === undefined) throw errors.NOT_SUBSCRIBED
  if (acknowledged !== undefined) {
    if (client.feedSlot === undefined) throw errors.ACK_NEEDS_SLOT
    const slot = livingSlot(server, client, client.feedSlot)
    if (acknowledged > store.wal.latest) throw errors.POLL_AHEAD
    server.slots.acknowledge(slot, Math.max(slot.position, acknowledged))
  }
  confirm(context, 'credit', total)
}

/** As the messages look, so that a RESP2 client tells it from nothing else. */
function confirm({ reply }: ServerContext, what: string, value: number): void {
  reply.push(3)
  reply.bulkText('cdc')
  reply.bulkText(what)
  reply.integer(value)
}
