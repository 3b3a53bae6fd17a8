/** Finding keys and counting them. Source: redis src/db.c; kvrocks src/commands/cmd_server.cc. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_AN_INTEGER, SYNTAX, wrongArity } from '../protocol/errors.js'
import { CF_METADATA } from '../storage/column-family.js'
import { DEFAULT_NAMESPACE, namespacePrefix } from '../storage/keys.js'
import { TYPE_NAMES } from '../storage/metadata.js'
import { countKeysNow } from '../types/key-count.js'
import { eachKey, type KeyPattern, randomKey, scanKeys } from '../types/key-scan.js'
import { type AnyCommand, command, noOptions, READONLY, SLOW, serverCommand } from './command.js'
import type { Context, ServerContext } from './context.js'
import { OptionReader } from './options.js'
import { checkCursor, cursorPosition, replyCursor } from './scan-cursor.js'

export const scanCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'scan',
      arity: -2,
      flags: READONLY,
      syntax: 'cursor [MATCH pattern] [COUNT count] [TYPE type]',
      summary: 'Iterates over the key names in the database.',
      since: '2.8.0',
    },
    parseScan,
    scan,
  ),
  command(
    {
      name: 'keys',
      arity: 2,
      flags: READONLY | SLOW,
      syntax: 'pattern',
      summary: 'Returns all key names that match a pattern.',
      since: '1.0.0',
    },
    noOptions,
    listKeys,
  ),
  command(
    {
      name: 'randomkey',
      arity: 1,
      flags: READONLY,
      syntax: '',
      summary: 'Returns a random key name from the database.',
      since: '1.0.0',
    },
    noOptions,
    ({ db, reply }) => reply.bulkOrNil(randomKey(db)),
  ),
  serverCommand(
    {
      name: 'dbsize',
      arity: -1,
      flags: READONLY,
      syntax: '[SCAN]',
      summary:
        'Returns the number of keys in the database: exact where they are few, else as of the last DBSIZE SCAN, or before any, as estimated by RocksDB.',
      since: '1.0.0',
    },
    parseDbSize,
    dbSize,
  ),
]

const COUNT_DEFAULT = 10
const COUNT_MAX = 2 ** 31 - 1

interface ScanOptions extends KeyPattern {
  readonly count: number
}

function parseScan(args: Args): ScanOptions {
  checkCursor(args.at(1))
  const options = new OptionReader(args, 2)
  let count = COUNT_DEFAULT
  let pattern: Bytes | undefined
  let typeName: string | undefined
  while (options.hasMore) {
    if (options.take('match')) pattern = options.word()
    else if (options.take('type')) typeName = options.word().latin1Slice(0)
    else if (options.take('count')) {
      count = options.integer(Number.MIN_SAFE_INTEGER, COUNT_MAX, NOT_AN_INTEGER)
      if (count < 1) options.refuse(SYNTAX)
    } else throw SYNTAX
  }
  options.end()
  const type = typeName === undefined ? undefined : typeNamed(typeName)
  return { count, pattern: isAll(pattern) ? undefined : pattern, type }
}

const STAR = 0x2a

function isAll(pattern: Bytes | undefined): boolean {
  return pattern?.length === 1 && pattern[0] === STAR
}

const INVALID_TYPE = err('Invalid type')

/** Refuses an unknown name, as Kvrocks's tests demand; Redis finds no key of it. Source: kvrocks src/commands/cmd_server.cc. */
function typeNamed(name: string): number {
  const type = TYPE_NAMES.indexOf(name.toLowerCase())
  if (type === -1) throw INVALID_TYPE
  return type
}

function scan(context: Context, args: Args, options: ScanOptions): void {
  const { db, reply } = context
  const { keys, next } = scanKeys(db, options, options.count, cursorPosition(context, 'keys', args.at(1)))
  reply.array(2)
  replyCursor(context, 'keys', next)
  reply.array(keys.length)
  for (const key of keys) reply.bulk(key)
}

function listKeys({ db, reply }: Context, args: Args): void {
  const pattern = args.at(1)
  reply.counted('array', () => {
    let count = 0
    eachKey(db, { pattern: isAll(pattern) ? undefined : pattern }, (key) => {
      reply.bulk(key)
      count++
    })
    return count
  })
}

/** True for SCAN. */
function parseDbSize(args: Args): boolean {
  if (args.count === 1) return false
  if (args.count > 2) throw wrongArity('dbsize')
  if (!args.is(1, 'scan')) throw err('DBSIZE subcommand only supports scan')
  return true
}

/**
 * The default namespace's DBSIZE counts the keys of all namespaces, as Kvrocks's does, unless redis-databases makes a
 * database of it.
 */
export function countedNamespace(namespace: Bytes, config: Context['config']): Bytes | undefined {
  return config['redis-databases'] === 0 && namespace.equals(DEFAULT_NAMESPACE) ? undefined : namespace
}

function dbSize(context: ServerContext, _args: Args, isScan: boolean): void {
  const { db, reply, store, server, config } = context
  const namespace = countedNamespace(db.namespace, config)
  if (isScan) {
    server.keyCounts.scan(namespace)
    reply.ok()
    return
  }
  const prefix = namespace === undefined ? EMPTY : namespacePrefix(namespace)
  const count = countKeysNow(db, store.rocks, prefix) ?? server.keyCounts.latest(namespace)?.keys
  reply.integer(count ?? store.rocks.intProperty(CF_METADATA, 'rocksdb.estimate-num-keys') ?? 0)
}
