/** ACL categories of a command, as its flags and group say. Source: redis src/server.c, setImplicitACLCategories. */

import { ADMIN, BLOCKING, type CommandGroup, FAST, hasFlag, PUBSUB, READONLY, WRITE } from './command.js'
import type { BoundCommand } from './command-table.js'

const GROUP_CATEGORIES: Readonly<Record<CommandGroup, readonly string[]>> = {
  bitmap: ['bitmap'],
  bloom: ['bloom'],
  cdc: ['dangerous'],
  cluster: [],
  connection: ['connection'],
  generic: ['keyspace'],
  geo: ['geo'],
  hash: ['hash'],
  hyperloglog: ['hyperloglog'],
  json: ['json'],
  list: ['list'],
  pubsub: ['pubsub'],
  replication: ['dangerous'],
  scripting: ['scripting'],
  search: ['search'],
  server: [],
  set: ['set'],
  'sorted-set': ['sortedset'],
  sortedint: ['sortedint'],
  stream: ['stream'],
  string: ['string'],
  tdigest: ['tdigest'],
  timeseries: ['timeseries'],
  transactions: ['transaction'],
}

/** All names, in the order of ACL CAT. */
export const ACL_CATEGORIES: readonly string[] = [
  ...new Set([
    'keyspace',
    'read',
    'write',
    ...Object.values(GROUP_CATEGORIES).flat(),
    'admin',
    'fast',
    'slow',
    'blocking',
    'dangerous',
  ]),
]

export function aclCategories(command: BoundCommand): readonly string[] {
  const isData = GROUP_CATEGORIES[command.group].length > 0 && command.group !== 'connection'
  const categories = new Set(GROUP_CATEGORIES[command.group])
  if (hasFlag(command, WRITE)) categories.add('write')
  if (hasFlag(command, READONLY) && isData) categories.add('read')
  if (hasFlag(command, ADMIN)) categories.add('admin').add('dangerous')
  if (hasFlag(command, PUBSUB)) categories.add('pubsub')
  if (hasFlag(command, BLOCKING)) categories.add('blocking')
  categories.add(hasFlag(command, FAST) ? 'fast' : 'slow')
  return [...categories]
}
