/**
 * The scripts and function libraries of one server: it finds or compiles them, keeps them in the column family
 * `propagate`, and runs them as one atomic step. What a script wrote stays when it raises an error, as
 * in Redis and Kvrocks, and is taken back when it is stopped.
 *
 * The Lua state is made when it is first needed, and libraries are then loaded from the database.
 */
import type { Bytes } from '../bytes/bytes.js'
import type { Log } from '../log/log.js'
import type { Args } from '../protocol/args.js'
import {
  keepsWrites,
  libraryExists,
  NO_SCRIPT,
  NO_SUCH_FUNCTION,
  NO_SUCH_LIBRARY,
  ScriptRefusal,
} from '../protocol/errors/scripting.js'
import { BATCH_TOO_LARGE, MASTER_DOWN, ReplyError } from '../protocol/errors.js'
import { type Protocol, Reply } from '../protocol/reply.js'
import { CF_PROPAGATE } from '../storage/column-family.js'
import { createFunctionPayload } from '../storage/rdb/payload.js'
import type { Store } from '../storage/store.js'
import { WriteBatch } from '../storage/write-batch.js'
import { LuaEngine } from './engine.js'
import { ALLOW_STALE, NO_WRITES } from './flags.js'
import { FunctionLibraries, type Library } from './function-libraries.js'
import { type Script, ScriptCache } from './script-cache.js'
import {
  functionKey,
  LIBRARIES_BEGIN,
  LIBRARIES_END,
  libraryKey,
  PROPAGATED_FLUSH,
  PROPAGATED_KEY,
  SCRIPTS_BEGIN,
  SCRIPTS_END,
  scriptKey,
} from './stored-keys.js'

/** What a script may do. */
export interface ScriptRules {
  /** Only commands that read. */
  readonly readOnly: boolean
  /** The keys, one character a byte, that commands may write; undefined: all. */
  readonly writableKeys: ReadonlySet<string> | undefined
}

/** One call of EVAL or FCALL. */
export interface ScriptCall {
  readonly keys: readonly Bytes[]
  readonly args: readonly Bytes[]
  readonly protocol: Protocol
  /** Whether the command is one of those that only read. */
  readonly readOnly: boolean
  /** 0 for no limit. */
  readonly timeLimitMs: number
  readonly resp3Allowed: boolean
  /** Whether scripts may only write keys that they declare. */
  readonly strictKeys: boolean
  /** Whether the server is a replica without its master that says so instead of reading old data. */
  readonly isStale: boolean
  /** What one script may write; 0 for no limit. */
  readonly batchBytesMax: number
  /** Runs one command for the script's client. Throws a ReplyError where it is refused. */
  run(args: Args, reply: Reply, rules: ScriptRules): void
  /** Whether the client may run the command; undefined for an unknown one. */
  isAllowed(args: Args): boolean | undefined
}

export interface ScriptsOptions {
  readonly memoryLimitBytes: number
  readonly redisVersion: string
  readonly log: Log
}

export type RestorePolicy = 'flush' | 'append' | 'replace'

interface Loaded {
  readonly engine: LuaEngine
  readonly cache: ScriptCache
  readonly libraries: FunctionLibraries
}

/** How long the code that FUNCTION LOAD brings may run to register its functions, as in Redis. */
const LOAD_LIMIT_MS = 500
/** What redis.log shows at each of its levels. */
const LOG_METHODS = ['info', 'info', 'info', 'warning'] as const

export class Scripts {
  readonly #store: Store
  readonly #options: ScriptsOptions
  readonly #reply = new Reply()
  #loaded: Loaded | undefined
  #call: ScriptCall | undefined
  #rules: ScriptRules = { readOnly: false, writableKeys: undefined }
  #batchStart = 0
  /** SCRIPT FLUSH has come in the transaction that runs: the database has the scripts until its end. */
  #hasFlushed = false
  /** What a transaction did to scripts and libraries may not have been written. */
  #hasLost = false

  constructor(store: Store, options: ScriptsOptions) {
    this.#store = store
    this.#options = options
    store.turn.waiting.listener = (areWritten) => {
      this.#hasFlushed = false
      if (!areWritten) this.#hasLost = true
    }
  }

  /** Bytes of the Lua state. */
  get memoryBytes(): number {
    return this.#loaded?.engine.memoryBytes ?? 0
  }

  /** Compiled scripts that are kept. */
  get cachedCount(): number {
    return this.#loaded?.cache.size ?? 0
  }

  /** The libraries, for reading. */
  get libraries(): Omit<FunctionLibraries, 'load' | 'remove' | 'flush'> {
    return this.#open().libraries
  }

  /** Runs a script. The reply is RESP, a view until the next run. Throws a ReplyError when it fails or was stopped. */
  evaluate(body: Bytes, call: ScriptCall): Bytes {
    return this.#runScript(this.#open().cache.evaluate(body), call)
  }

  /** Runs a script by its SHA-1, in any case. Throws NO_SCRIPT if it is neither here nor in the database. */
  evaluateSha(sha: string, call: ScriptCall): Bytes {
    const { cache } = this.#open()
    const name = sha.toLowerCase()
    const known = cache.find(name)
    if (known !== undefined) return this.#runScript(known, call)
    const isStored = name.length === 40 && !this.#hasFlushed
    const body = isStored ? this.#store.rocks.get(CF_PROPAGATE, scriptKey(name)) : undefined
    if (body === undefined) throw NO_SCRIPT
    return this.#runScript(cache.load(body), call)
  }

  /** Compiles a script and stores it. Returns its SHA-1. Throws a ReplyError. */
  load(body: Bytes): string {
    const { sha } = this.#open().cache.load(body)
    const key = scriptKey(sha)
    const batch = new WriteBatch()
    batch.put(CF_PROPAGATE, key, key.length, body)
    this.#store.turn.writeAlone(batch)
    return sha
  }

  /** Which of the scripts EVALSHA would find: those that are stored, and those that were evaluated lately. */
  exist(shas: readonly string[]): boolean[] {
    const rows = this.#store.turn.readMany(
      CF_PROPAGATE,
      shas.map((sha) => scriptKey(sha.toLowerCase())),
    )
    return rows.map((row, index) => (row !== undefined && !this.#hasFlushed) || this.#isCached(shas[index]!))
  }

  /** Forgets all scripts, here, in the database and on replicas. */
  flush(): void {
    const { turn } = this.#store
    const batch = new WriteBatch()
    batch.deleteRange(CF_PROPAGATE, SCRIPTS_BEGIN, SCRIPTS_END)
    turn.writeAlone(batch)
    // A replica acts on this row; what it deletes by the range it only stores.
    const notice = new WriteBatch()
    notice.put(CF_PROPAGATE, PROPAGATED_KEY, PROPAGATED_KEY.length, PROPAGATED_FLUSH)
    turn.writeAlone(notice)
    this.#hasFlushed = turn.isHeld
    this.#loaded?.cache.flush()
  }

  /** Calls a library's function. Otherwise as evaluate. */
  callFunction(name: string, call: ScriptCall): Bytes {
    const { engine, libraries } = this.#open()
    const found = libraries.find(name)
    if (found === undefined) throw NO_SUCH_FUNCTION
    if (call.isStale && (found.flags & ALLOW_STALE) === 0) throw MASTER_DOWN
    return this.#atomically(found.flags, call, () =>
      engine.runFunction(found.reference, name, call.keys, call.args, call),
    )
  }

  /** Loads a library and stores it. Throws a ReplyError, and then nothing has changed. */
  loadLibrary(code: Bytes, replace: boolean): Library {
    const { libraries } = this.#open()
    const before = new Map(libraries.all.map((library) => [library.name, library]))
    const library = libraries.load(code, replace, LOAD_LIMIT_MS)
    this.#storeLibraries([before.get(library.name)], [library])
    return library
  }

  /** Deletes a library. Throws a ReplyError if there is none. */
  deleteLibrary(name: string): void {
    const { libraries } = this.#open()
    const library = libraries.library(name)
    if (library === undefined) throw NO_SUCH_LIBRARY
    libraries.remove(name)
    this.#storeLibraries([library], [])
  }

  /** Deletes all libraries. */
  flushLibraries(): void {
    const { libraries } = this.#open()
    const before = libraries.all
    libraries.flush()
    this.#storeLibraries(before, [])
  }

  /** The payload of FUNCTION DUMP. */
  dumpLibraries(): Bytes {
    return createFunctionPayload(this.libraries.all.map(({ code }) => code))
  }

  /**
   * Brings in libraries by their codes, each of which may run for `limitMs`; 0 for no limit. Throws a ReplyError, and then
   * nothing has changed.
   */
  restoreLibraries(codes: readonly Bytes[], policy: RestorePolicy, limitMs: number): void {
    const { engine, libraries } = this.#open()
    const restored = new FunctionLibraries(engine)
    try {
      for (const code of codes) restore(restored, code, policy, limitMs)
      const same = restored.all.map(({ name }) => libraries.library(name)).filter((library) => library !== undefined)
      if (policy === 'append' && same.length > 0) throw libraryExists(same[0]!.name)
      const removed = policy === 'flush' ? libraries.all : same
      if (policy === 'flush') libraries.flush()
      libraries.adopt(restored)
      this.#storeLibraries(removed, restored.all)
    } catch (error) {
      if (error instanceof ReplyError) restored.flush()
      throw error
    }
  }

  /** The master's scripts or libraries have changed in the database: they are read again when they are needed. */
  forget(): void {
    this.#loaded?.engine.close()
    this.#loaded = undefined
  }

  close(): void {
    this.forget()
  }

  #isCached(sha: string): boolean {
    return this.#loaded?.cache.has(sha.toLowerCase()) === true
  }

  /** Stores how the libraries have changed. If that fails, they are read from the database again. */
  #storeLibraries(removed: readonly (Library | undefined)[], added: readonly Library[]): void {
    const batch = new WriteBatch()
    for (const library of removed) removeFrom(batch, library)
    for (const library of added) putInto(batch, library)
    if (batch.isEmpty) return
    try {
      this.#store.turn.writeAlone(batch)
    } catch (error) {
      this.#reloadLibraries()
      throw error
    }
  }

  #runScript(script: Script, call: ScriptCall): Bytes {
    const { engine } = this.#open()
    if (call.isStale && !script.isLegacy && (script.flags & ALLOW_STALE) === 0) throw MASTER_DOWN
    return this.#atomically(script.flags, call, () =>
      engine.runScript(script.reference, script.sha, call.keys, call.args, call),
    )
  }

  #atomically(flags: number, call: ScriptCall, run: () => Bytes): Bytes {
    const { turn } = this.#store
    const savepoint = turn.savepoint()
    this.#call = call
    this.#batchStart = savepoint.length
    this.#rules = {
      readOnly: call.readOnly || (flags & NO_WRITES) !== 0,
      writableKeys: call.strictKeys ? new Set(call.keys.map((key) => key.latin1Slice(0))) : undefined,
    }
    turn.hold()
    try {
      return run()
    } catch (error) {
      if (!keepsWrites(error)) turn.rollback(savepoint)
      throw error
    } finally {
      this.#call = undefined
      turn.release()
    }
  }

  #runCommand(args: Args, protocol: Protocol): Bytes {
    const call = this.#call
    const reply = this.#reply
    reply.clear()
    reply.protocol = protocol
    if (call === undefined) throw new Error('a command without a script')
    const { turn } = this.#store
    const savepoint = call.batchBytesMax > 0 ? turn.savepoint() : undefined
    try {
      call.run(args, reply, this.#rules)
      if (savepoint !== undefined && turn.batchBytes - this.#batchStart > call.batchBytesMax) {
        turn.rollback(savepoint)
        throw BATCH_TOO_LARGE
      }
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      reply.clear()
      if (error instanceof ScriptRefusal) writeRefusal(reply, error)
      else reply.error(error)
    }
    return reply.written()
  }

  #open(): Loaded {
    if (this.#loaded !== undefined) {
      if (this.#hasLost) this.#reloadLibraries()
      return this.#loaded
    }
    const { memoryLimitBytes, redisVersion, log } = this.#options
    const engine = new LuaEngine(
      {
        call: (args, protocol) => this.#runCommand(args, protocol),
        isAllowed: (args) => this.#call?.isAllowed(args),
        log: (level, message) => log[LOG_METHODS[level] ?? 'info'](message.utf8Slice(0)),
      },
      { memoryLimitBytes, redisVersion },
    )
    this.#loaded = { engine, cache: new ScriptCache(engine), libraries: new FunctionLibraries(engine) }
    this.#reloadLibraries()
    return this.#loaded
  }

  #reloadLibraries(): void {
    this.#hasLost = false
    if (this.#loaded === undefined) return
    const { libraries } = this.#loaded
    libraries.flush()
    using cursor = this.#store.turn.scan(CF_PROPAGATE, { lower: LIBRARIES_BEGIN, upper: LIBRARIES_END })
    while (cursor.next()) {
      try {
        libraries.load(Buffer.from(cursor.value), true, 0, true)
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        this.#options.log.error(`cannot load the function library ${cursor.key.utf8Slice(0)}: ${error.text}`)
      }
    }
  }
}

/** Loads a library of a payload, which may have several of one name only if those are to be replaced. */
function restore(libraries: FunctionLibraries, code: Bytes, policy: RestorePolicy, limitMs: number): void {
  const before = new Set(libraries.all.map(({ name }) => name))
  const { name } = libraries.load(code, true, limitMs)
  if (policy !== 'replace' && before.has(name)) throw libraryExists(name)
}

/** A blob error, by which the engine tells a refusal from an error of the command. */
function writeRefusal(reply: Reply, { text }: ScriptRefusal): void {
  reply.raw(Buffer.from(`!${text.length}\r\n${text}\r\n`, 'latin1'))
}

function putInto(batch: WriteBatch, { name, code, functions }: Library): void {
  const libraryName = Buffer.from(name)
  for (const { name: functionName } of functions) {
    const key = functionKey(functionName)
    batch.put(CF_PROPAGATE, key, key.length, libraryName)
  }
  const key = libraryKey(name)
  batch.put(CF_PROPAGATE, key, key.length, code)
}

function removeFrom(batch: WriteBatch, library: Library | undefined): void {
  if (library === undefined) return
  for (const { name } of library.functions) {
    const key = functionKey(name)
    batch.delete(CF_PROPAGATE, key, key.length)
  }
  const key = libraryKey(library.name)
  batch.delete(CF_PROPAGATE, key, key.length)
}
