/**
 * Keys in the form of Redis's RDB: DUMP, RESTORE, and RDB LOAD of whole files.
 * Source: redis src/cluster.c, dumpCommand, restoreCommand; kvrocks src/commands/cmd_server.cc, CommandRdb.
 */

import { createReadStream } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { copy } from '../bytes/bytes.js'
import type { Int64 } from '../bytes/int64.js'
import { NOTIFY_GENERIC } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { BUSY_KEY, err, LOADING, NOT_AN_INTEGER, ReplyError, SYNTAX, utf8Err } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import { TYPE_NONE } from '../storage/metadata.js'
import { RdbFileReader, type RdbPart } from '../storage/rdb/file-reader.js'
import { createPayload, readPayload } from '../storage/rdb/payload.js'
import { RdbError } from '../storage/rdb/rdb-error.js'
import type { RdbValue } from '../storage/rdb/value.js'
import * as keys from '../types/key.js'
import { appendValue, readValue, replaceValue } from '../types/logical.js'
import {
  ADMIN,
  type AnyCommand,
  command,
  container,
  FIRST_KEY,
  NO_MULTI,
  NO_SCRIPT,
  noOptions,
  READONLY,
  serverCommand,
  WRITE,
} from './command.js'
import type { Context, ServerContext } from './context.js'
import { int64At, OptionReader } from './options.js'
import { checkWritable } from './writable.js'

export const dumpCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'dump',
      arity: 2,
      flags: READONLY,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns a serialized representation of the value stored at a key.',
      since: '2.6.0',
    },
    noOptions,
    dump,
  ),
  command(
    {
      name: 'restore',
      arity: -4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax: 'key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]',
      summary: 'Creates a key from the serialized representation of a value.',
      since: '2.6.0',
    },
    parseRestore,
    restore,
  ),
  container(
    { name: 'rdb', flags: ADMIN | WRITE, summary: 'A container for commands about RDB files.', since: '2.9.0' },
    [
      serverCommand(
        {
          name: 'rdb|load',
          arity: -3,
          flags: ADMIN | WRITE | NO_SCRIPT | NO_MULTI,
          syntax: 'path [NX] [DB index]',
          summary: 'Reads the keys of one database of an RDB file; NX keeps the keys that exist.',
          since: '2.9.0',
        },
        parseLoad,
        load,
      ),
    ],
  ),
]

const NOT_DUMPABLE = err('Invalid or Not supported object type')
const BAD_TTL = err('Invalid TTL value, must be >= 0')
const BAD_IDLE_TIME = err('Invalid IDLETIME value, must be >= 0')
const BAD_FREQUENCY = err('Invalid FREQ value, must be >= 0 and <= 255')
const BAD_PAYLOAD = err('DUMP payload version or checksum are wrong')
const BAD_FORMAT = err('Bad data format')
const FREQUENCY_MAX = 255

function dump({ db, reply }: Context, args: Args): void {
  const key = args.at(1)
  const type = keys.typeOf(db, key)
  if (type === TYPE_NONE) {
    reply.nil()
    return
  }
  const value = readValue(db, key, type)
  if (value === undefined) throw NOT_DUMPABLE
  reply.bulk(createPayload(value))
}

interface RestoreOptions {
  readonly replaces: boolean
  readonly isAbsolute: boolean
  readonly ttlMs: Int64
}

function parseRestore(args: Args): RestoreOptions {
  const options = new OptionReader(args, 4)
  let replaces = false
  let isAbsolute = false
  // Times of access are not kept: these two are checked and forgotten.
  let hasIdleTime = false
  let hasFrequency = false
  while (options.hasMore) {
    if (options.take('replace')) replaces = true
    else if (options.take('absttl')) isAbsolute = true
    else if (!hasFrequency && options.take('idletime')) {
      hasIdleTime = true
      if (options.int64() < 0) options.refuse(BAD_IDLE_TIME)
    } else if (!hasIdleTime && options.take('freq')) {
      hasFrequency = true
      const frequency = options.int64()
      if (frequency < 0 || frequency > FREQUENCY_MAX) options.refuse(BAD_FREQUENCY)
    } else throw SYNTAX
  }
  options.end()
  return { replaces, isAbsolute, ttlMs: int64At(args, 2) }
}

function restore({ db, reply, events }: Context, args: Args, options: RestoreOptions): void {
  const key = args.at(1)
  const { replaces, isAbsolute, ttlMs } = options
  const isPresent = keys.exists(db, key)
  if (isPresent && !replaces) throw BUSY_KEY
  if (ttlMs < 0) throw BAD_TTL
  const value = parsePayload(args.at(3))
  const expireMs = ttlMs === 0 ? 0 : Number(ttlMs) + (isAbsolute ? 0 : db.nowMs)
  if (expireMs !== 0 && expireMs <= db.nowMs) {
    if (isPresent) {
      keys.remove(db, key)
      events.notify(NOTIFY_GENERIC, 'del', key)
    }
    reply.ok()
    return
  }
  if (!replaceValue(db, key, value, expireMs)) throw BAD_FORMAT
  events.notify(NOTIFY_GENERIC, 'restore', key)
  reply.ok()
}

function parsePayload(payload: Buffer): RdbValue {
  try {
    return readPayload(payload)
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    throw error.fault === 'length' || error.fault === 'version' || error.fault === 'checksum' ? BAD_PAYLOAD : BAD_FORMAT
  }
}

interface LoadOptions {
  readonly path: string
  readonly keepsExisting: boolean
  readonly database: number
}

const DATABASE_MAX = 2 ** 31 - 1

function parseLoad(args: Args): LoadOptions {
  const options = new OptionReader(args, 3)
  let keepsExisting = false
  let database = 0
  while (options.hasMore) {
    if (options.take('nx')) keepsExisting = true
    else if (options.take('db')) database = options.integer(0, DATABASE_MAX, NOT_AN_INTEGER)
    else throw SYNTAX
  }
  options.end()
  return { path: args.at(2).toString('utf8'), keepsExisting, database }
}

function load(context: ServerContext, _args: Args, options: LoadOptions): void {
  const loader = new Loader(context, options)
  context.defer(loader.run(), (reply) => reply.ok())
}

/** Loads a file part by part, in turns with all other work. */
class Loader {
  readonly #db: Database
  readonly #context: ServerContext
  readonly #options: LoadOptions
  /** The parts of a key that is left alone follow. */
  #isSkipping = false

  constructor(context: ServerContext, options: LoadOptions) {
    this.#db = context.db
    this.#context = context
    this.#options = options
  }

  /** Rejects with a ReplyError; what was read before stays loaded. */
  async run(): Promise<void> {
    const reader = new RdbFileReader(createReadStream(this.#options.path))
    const { clients } = this.#context.server
    try {
      for await (const event of reader.events()) {
        if (event.kind !== 'part' || event.database !== this.#options.database) continue
        await nextTurn()
        while (clients.isPausedFor(true)) await clients.pauseEnded()
        this.#add(event)
      }
    } catch (error) {
      throw toReplyError(error)
    }
  }

  #add(part: RdbPart): void {
    const db = this.#db
    const { turn } = db
    const { server, store } = this.#context
    // What held when the command began may hold no longer.
    if (server.isLoading) throw LOADING
    checkWritable(server, store, true)
    turn.nowMs = server.nowMs()
    if (part.first) this.#isSkipping = this.#isUnwanted(part)
    if (this.#isSkipping) return
    const key = copy(part.key)
    const expireMs = Number(part.expireMs ?? 0)
    const savepoint = turn.savepoint()
    const isWritten = part.first ? replaceValue(db, key, part.value, expireMs) : appendValue(db, key, part.value)
    if (!isWritten) {
      turn.rollback(savepoint)
      throw NOT_DUMPABLE
    }
    server.commitSoon()
  }

  #isUnwanted({ key, expireMs }: RdbPart): boolean {
    const isOver = expireMs !== undefined && expireMs <= this.#db.nowMs
    return isOver || (this.#options.keepsExisting && keys.exists(this.#db, key))
  }
}

function toReplyError(error: unknown): unknown {
  if (error instanceof ReplyError) return error
  if (!(error instanceof RdbError)) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === undefined ? error : utf8Err(`Can't read the RDB file: ${message}`)
  }
  if (error.fault === 'magic') return err('Wrong signature trying to load DB from file')
  if (error.fault === 'version') return err(`Can't handle RDB format version ${error.found}`)
  if (error.fault === 'checksum') {
    return err('All objects were processed and loaded but the checksum is unexpected!')
  }
  return err(`Bad data format in the RDB file: ${error.message}`)
}
