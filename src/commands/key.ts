/** Commands on keys of whatever type. Source: kvrocks src/commands/cmd_key.cc; redis src/db.c. */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64 } from '../bytes/int64.js'
import { NOTIFY_GENERIC } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { DATABASE_OUT_OF_RANGE, err, NO_SUCH_KEY, NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import { databaseNamespace } from '../storage/keys.js'
import { TYPE_NAMES } from '../storage/metadata.js'
import * as keys from '../types/key.js'
import {
  ALL_KEYS,
  type AnyCommand,
  command,
  FAST,
  FIRST_KEY,
  FIRST_TWO_KEYS,
  NO_MONITOR,
  NO_SIZE_CHECK,
  noOptions,
  READONLY,
  serverCommand,
  WRITE,
} from './command.js'
import type { Context, ServerContext } from './context.js'
import { OptionReader } from './options.js'

const REMOVES = { flags: WRITE | NO_SIZE_CHECK, keys: ALL_KEYS, arity: -2, syntax: 'key [key ...]' }

export const keyCommands: readonly AnyCommand[] = [
  command({ ...REMOVES, name: 'del', summary: 'Deletes one or more keys.', since: '1.0.0' }, noOptions, remove),
  command(
    {
      ...REMOVES,
      name: 'unlink',
      summary: 'Deletes one or more keys; like DEL, it leaves the space to be reclaimed later.',
      since: '4.0.0',
    },
    noOptions,
    remove,
  ),
  command(
    {
      name: 'exists',
      arity: -2,
      flags: READONLY | FAST,
      keys: ALL_KEYS,
      syntax: 'key [key ...]',
      summary: 'Determines whether one or more keys exist.',
      since: '1.0.0',
    },
    noOptions,
    countExisting,
  ),
  command(
    {
      name: 'touch',
      arity: -2,
      flags: READONLY | FAST,
      keys: ALL_KEYS,
      syntax: 'key [key ...]',
      summary: 'Returns the number of existing keys out of those specified; times of access are not kept.',
      since: '3.2.1',
    },
    noOptions,
    countExisting,
  ),
  command(
    {
      name: 'type',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Determines the type of value stored at a key.',
      since: '1.0.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.status(TYPE_NAMES[keys.typeOf(db, args.at(1))] ?? 'unknown'),
  ),
  command(
    {
      name: 'rename',
      arity: 3,
      flags: WRITE,
      keys: FIRST_TWO_KEYS,
      syntax: 'key newkey',
      summary: 'Renames a key and overwrites the destination.',
      since: '1.0.0',
    },
    noOptions,
    rename,
  ),
  command(
    {
      name: 'renamenx',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_TWO_KEYS,
      syntax: 'key newkey',
      summary: "Renames a key only when the target key name doesn't exist.",
      since: '1.0.0',
    },
    noOptions,
    renameIfAbsent,
  ),
  serverCommand(
    {
      name: 'copy',
      arity: -3,
      flags: WRITE,
      keys: FIRST_TWO_KEYS,
      syntax: 'source destination [DB destination-db] [REPLACE]',
      summary: 'Copies the value of a key to a new key.',
      since: '6.2.0',
    },
    parseCopy,
    copy,
  ),
  serverCommand(
    {
      name: 'move',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key db',
      summary: 'Moves a key to another database.',
      since: '1.0.0',
    },
    (args) => parseDatabase(args.at(2)),
    move,
  ),
  serverCommand(
    {
      name: 'movex',
      arity: 3,
      flags: WRITE | NO_MONITOR,
      keys: FIRST_KEY,
      syntax: 'key token',
      summary: 'Moves a key to the namespace that a token opens.',
      since: '2.9.0',
    },
    noOptions,
    moveByToken,
  ),
]

const SAME_OBJECT = err('source and destination objects are the same')

function remove({ db, reply, events }: Context, args: Args): void {
  const removed = keys.removeMany(db, args.rest(1))
  for (const key of removed) events.notify(NOTIFY_GENERIC, 'del', key)
  reply.integer(removed.length)
}

function countExisting({ db, reply }: Context, args: Args): void {
  reply.integer(keys.countExisting(db, args.rest(1)))
}

function rename({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  const newKey = args.at(2)
  if (!keys.exists(db, key)) throw NO_SUCH_KEY
  if (!key.equals(newKey)) {
    keys.copy({ db, key }, { db, key: newKey }, true)
    events.notify(NOTIFY_GENERIC, 'rename_from', key)
    events.notify(NOTIFY_GENERIC, 'rename_to', newKey)
  }
  reply.ok()
}

function renameIfAbsent({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  const newKey = args.at(2)
  if (!keys.exists(db, key)) throw NO_SUCH_KEY
  if (keys.exists(db, newKey)) {
    reply.integer(0)
    return
  }
  keys.copy({ db, key }, { db, key: newKey }, true)
  events.notify(NOTIFY_GENERIC, 'rename_from', key)
  events.notify(NOTIFY_GENERIC, 'rename_to', newKey)
  reply.integer(1)
}

function parseDatabase(word: Bytes): number {
  const index = parseInt64(word)
  if (typeof index !== 'number') throw NOT_AN_INTEGER
  return index
}

interface CopyOptions {
  readonly database: number | undefined
  readonly replaces: boolean
}

function parseCopy(args: Args): CopyOptions {
  const options = new OptionReader(args, 3)
  let database: number | undefined
  let replaces = false
  while (options.hasMore) {
    if (options.take('replace')) replaces = true
    else if (options.take('db')) database = parseDatabase(options.word())
    else throw SYNTAX
  }
  options.end()
  return { database, replaces }
}

/** The keys of database `index`, or `undefined` where SELECT offers one database by all numbers. */
function numberedDatabase({ config, store }: ServerContext, index: number): Database | undefined {
  const count = config['redis-databases']
  if (index < 0 || (count > 0 && index >= count)) throw DATABASE_OUT_OF_RANGE
  return count === 0 ? undefined : store.database(databaseNamespace(index))
}

function copy(context: ServerContext, args: Args, { database, replaces }: CopyOptions): void {
  const { db, reply, events } = context
  const key = args.at(1)
  const newKey = args.at(2)
  const target = database === undefined ? db : (numberedDatabase(context, database) ?? db)
  if (target === db && key.equals(newKey)) {
    // Redis refuses both; Kvrocks's own tests demand that REPLACE of a key by itself succeeds.
    if (!replaces) throw SAME_OBJECT
    reply.integer(keys.exists(db, key) ? 1 : 0)
    return
  }
  if (!keys.exists(db, key) || (!replaces && keys.exists(target, newKey))) {
    reply.integer(0)
    return
  }
  keys.copy({ db, key }, { db: target, key: newKey }, false)
  events.notify(NOTIFY_GENERIC, 'copy_to', newKey)
  reply.integer(1)
}

/**
 * With `redis-databases 0` every number names the one database, as for SELECT: a key that exists counts as moved, which
 * is what Kvrocks answers.
 */
function move(context: ServerContext, args: Args, index: number): void {
  const { db, reply } = context
  const key = args.at(1)
  const target = numberedDatabase(context, index)
  if (target === db) throw SAME_OBJECT
  if (target === undefined) reply.integer(keys.exists(db, key) ? 1 : 0)
  else reply.integer(moveTo(context, key, target) ? 1 : 0)
}

const MOVE_WITHOUT_PASSWORD = err('Forbidden to move key when requirepass is empty')
const BAD_TOKEN = err('Invalid password')

function moveByToken(context: ServerContext, args: Args): void {
  const { db, server, store, reply } = context
  if (!server.namespaces.needsPassword) throw MOVE_WITHOUT_PASSWORD
  const access = server.namespaces.authenticate(args.at(2))
  if (access === undefined) throw BAD_TOKEN
  const target = store.database(access.namespace)
  reply.integer(target !== db && moveTo(context, args.at(1), target) ? 1 : 0)
}

/** Moves a key to another database, unless the key is there already. False if it is, or if there is no such key. */
function moveTo({ db, events }: Context, key: Bytes, target: Database): boolean {
  if (!keys.exists(db, key) || keys.exists(target, key)) return false
  keys.copy({ db, key }, { db: target, key }, true)
  events.notify(NOTIFY_GENERIC, 'move_from', key)
  return true
}
