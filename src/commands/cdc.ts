/** CDC: snapshots to begin a copy with. Ours alone. */

import { type Bytes, copy } from '../bytes/bytes.js'
import type { ChangeFilter } from '../cdc/filter.js'
import { SnapshotError, type SnapshotFormat, type SnapshotPage } from '../cdc/snapshots.js'
import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors/feed.js'
import { SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import { ADMIN, type AnyCommand, container, READONLY, SLOW, serverCommand } from './command.js'
import type { ServerContext } from './context.js'
import { subscriptionCommands } from './feed-subscription.js'
import { OptionReader } from './options.js'
import { slotCommand } from './slot.js'

const FLAGS = READONLY | ADMIN
const COUNT_DEFAULT = 1000
const COUNT_MAX = 100_000

export const cdcCommands: readonly AnyCommand[] = [
  container({ name: 'cdc', flags: FLAGS, summary: 'A container for commands of the change feed.', since: '0.1.0' }, [
    serverCommand(
      {
        name: 'cdc|snapshot',
        arity: -3,
        flags: READONLY | SLOW,
        syntax:
          '<OPEN [MATCH pattern [MATCH pattern ...]] [TYPE type [TYPE type ...]] ' +
          '[NAMESPACE namespace [NAMESPACE namespace ...]] | ' +
          'READ id cursor [COUNT count] [FORMAT <JSON | RESP | RDB>] | CLOSE id>',
        summary: 'Reads all keys as of one sequence, as changes, commands or payloads, after which the feed goes on.',
        since: '0.1.0',
      },
      parseSnapshot,
      (context, _args, run) => run(context),
    ),
    slotCommand,
    ...subscriptionCommands,
  ]),
]

function storedNamespace(name: Bytes): Buffer {
  return name.latin1Slice(0) === 'default' ? DEFAULT_NAMESPACE : copy(name)
}

type Run = (context: ServerContext) => void

/** The words of CDC SNAPSHOT: each reads what follows it. */
const SNAPSHOT_WORDS: ReadonlyMap<string, (args: Args) => Run> = new Map([
  ['open', parseOpen],
  ['read', parseRead],
  ['close', parseClose],
])

function parseSnapshot(args: Args): Run {
  const parse = SNAPSHOT_WORDS.get(args.latin1(2).toLowerCase())
  if (parse === undefined) throw SYNTAX
  return parse(args)
}

function parseOpen(args: Args): Run {
  const patterns: Buffer[] = []
  const types = new Set<string>()
  const namespaces: Buffer[] = []
  const options = new OptionReader(args, 3)
  while (options.hasMore) {
    if (options.take('match')) patterns.push(copy(options.word()))
    else if (options.take('type')) types.add(options.word().latin1Slice(0))
    else if (options.take('namespace')) namespaces.push(storedNamespace(options.word()))
    else break
  }
  options.end()
  const filter: ChangeFilter = {
    ...(patterns.length > 0 ? { patterns } : {}),
    ...(types.size > 0 ? { types } : {}),
    ...(namespaces.length > 0 ? { namespaces } : {}),
  }
  return (context) => {
    const { isAdmin, namespace } = context.client
    openSnapshot(context, isAdmin || namespace === undefined ? filter : { ...filter, only: copy(namespace) })
  }
}

function openSnapshot({ reply, server, store }: ServerContext, filter: ChangeFilter): void {
  if (!store.turn.isHeld) store.turn.commit()
  const { id, sequence } = answered(() => server.snapshots.open(filter, server.nowMs()))
  reply.map(2)
  reply.bulkText('id')
  reply.bulkText(id)
  reply.bulkText('sequence')
  reply.integer(sequence)
}

function parseRead(args: Args): Run {
  if (args.count < 5) throw SYNTAX
  const id = args.latin1(3)
  const cursor = args.latin1(4)
  const options = new OptionReader(args, 5)
  let count = COUNT_DEFAULT
  let format: SnapshotFormat = 'json'
  while (options.hasMore) {
    if (options.take('count')) count = options.integer(1, COUNT_MAX)
    else if (options.take('format')) format = formatOf(options.word())
    else break
  }
  options.end()
  return ({ reply, server }) => {
    const page = answered(() => server.snapshots.read(id, cursor, count, server.nowMs(), format))
    reply.array(2)
    reply.bulkText(page.cursor)
    writePage(reply, page, format)
  }
}

function formatOf(word: Bytes): SnapshotFormat {
  const name = word.latin1Slice(0).toLowerCase()
  if (name !== 'json' && name !== 'resp' && name !== 'rdb') throw errors.SNAPSHOT_FORMAT
  return name
}

function writePage(reply: Reply, { changes, commands, keys }: SnapshotPage, format: SnapshotFormat): void {
  if (format === 'json') {
    reply.array(changes.length)
    for (const text of changes) reply.bulkText(text)
  } else if (format === 'resp') {
    reply.array(commands.length)
    for (const words of commands) {
      reply.array(words.length)
      for (const word of words) reply.bulk(word)
    }
  } else {
    reply.array(keys.length)
    for (const { namespace, key, type, expireMs, payload } of keys) {
      reply.array(5)
      if (namespace.equals(DEFAULT_NAMESPACE)) reply.bulkText('default')
      else reply.bulk(namespace)
      reply.bulk(key)
      reply.bulkText(type)
      reply.integer(expireMs)
      reply.bulkOrNil(payload)
    }
  }
}

function parseClose(args: Args): Run {
  if (args.count !== 4) throw SYNTAX
  const id = args.latin1(3)
  return ({ reply, server }) => reply.integer(server.snapshots.close(id) ? 1 : 0)
}

/** Turns a SnapshotError into the client's error. */
function answered<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
    throw errors.SNAPSHOT_FAULTS[error.fault]
  }
}
