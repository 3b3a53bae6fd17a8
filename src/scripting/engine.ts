/**
 * Runs Lua scripts. One engine is one Lua state; scripts run in it one at a time, on the thread that calls.
 *
 * Time: a script that runs longer than `timeLimitMs` is stopped with an error that its own pcall cannot catch, whatever it
 * does: in Lua code a hook counts instructions and allocated bytes, in C++ loops (tables, patterns, JSON, MessagePack,
 * replies) the steps are counted, and redis.call and coroutines look at the clock. The caller then rolls back what the
 * script wrote. While a script runs nobody else is served, so SCRIPT KILL cannot arrive; the limit takes its place.
 *
 * Memory: an allocation beyond `memoryLimitBytes` fails with Lua's "not enough memory", and the state stays usable. With
 * LuaJIT, where the system has no Lua 5.1, memory is not bounded.
 */
import type { Bytes } from '../bytes/bytes.js'
import { Args } from '../protocol/args.js'
import { notCompiled, notLoaded, raised } from '../protocol/errors/scripting.js'
import type { Protocol } from '../protocol/reply.js'
import { type LuaState, loadAddon, type NativeFunction } from './native.js'
import { packedSize, packInto, unpackInto } from './packing.js'

/** What scripts reach outside of themselves. */
export interface ScriptHost {
  /**
   * Runs a command for the script and returns its one reply in RESP, of the version that the script asked for. The
   * words live until it returns; the reply is read at once. A blob error (`!<len>\r\n…`) stands for a
   * refusal that speaks of the script, and gets its line. An exception stops the script and leaves run().
   */
  call(args: Args, protocol: Protocol): Bytes
  /** Whether the script's user may run the command; undefined for an unknown one. */
  isAllowed(args: Args): boolean | undefined
  /** redis.log: 0 debug, 1 verbose, 2 notice, 3 warning. */
  log(level: number, message: Buffer): void
}

export interface EngineOptions {
  /** Bytes that the Lua state may hold; 0 for no limit. */
  readonly memoryLimitBytes: number
  /** What redis.REDIS_VERSION says: `7.4.0`. */
  readonly redisVersion: string
}

export interface RunOptions {
  /** The protocol of the reply. Scripts themselves begin with RESP2. */
  readonly protocol: Protocol
  /** 0 for no limit. */
  readonly timeLimitMs: number
  /** Whether redis.setresp(3) is allowed. */
  readonly resp3Allowed: boolean
}

const SHARED_BYTES = 64 * 1024

export class LuaEngine {
  readonly #state: LuaState
  readonly #in = Buffer.allocUnsafeSlow(SHARED_BYTES)
  readonly #out = Buffer.allocUnsafeSlow(SHARED_BYTES)

  constructor(host: ScriptHost, options: EngineOptions) {
    const call = Buffer.allocUnsafeSlow(SHARED_BYTES)
    const args = new Args(call)
    const { LuaState } = loadAddon()
    this.#state = new LuaState(
      (count, _bytes, protocol, packed) => host.call(unpackInto(args, packed ?? call, count), protocol === 3 ? 3 : 2),
      (level, message) => host.log(level, message),
      (count, _bytes, _protocol, packed) => host.isAllowed(unpackInto(args, packed ?? call, count)),
      call,
      this.#in,
      this.#out,
      options.memoryLimitBytes,
      options.redisVersion,
      versionNumber(options.redisVersion),
    )
  }

  /** Bytes that the Lua state holds. */
  get memoryBytes(): number {
    return this.#state.memory()
  }

  /** Compiles a script's code. Returns what run() and release() take. Throws a ScriptError. */
  compile(code: Uint8Array): number {
    const reference = this.#state.compile(code, '@user_script')
    if (typeof reference === 'string') throw notCompiled(reference)
    return reference
  }

  /** Forgets a script or a function. */
  release(reference: number): void {
    this.#state.release(reference)
  }

  /**
   * Runs a script; KEYS and ARGV are its globals. Returns its reply in RESP, a view that lives until the next run. Throws a
   * ScriptError, which ends in the script's `name` and the line.
   */
  runScript(
    reference: number,
    name: string,
    keys: readonly Uint8Array[],
    args: readonly Uint8Array[],
    options: RunOptions,
  ): Buffer {
    return this.#run(reference, false, name, keys, args, options)
  }

  /** Calls a library's function with its keys and arguments. Otherwise as runScript. */
  runFunction(
    reference: number,
    name: string,
    keys: readonly Uint8Array[],
    args: readonly Uint8Array[],
    options: RunOptions,
  ): Buffer {
    return this.#run(reference, true, name, keys, args, options)
  }

  /**
   * Runs a library's code and returns the functions that it registers. What comes from the database may have been stored by
   * Kvrocks: it may name functions as it likes, and see all of `redis`. Throws a ScriptError.
   */
  loadLibrary(code: Uint8Array, timeLimitMs: number, isStored: boolean): NativeFunction[] {
    const functions = this.#state.loadLibrary(code, timeLimitMs, isStored)
    if (functions !== undefined) return functions
    const { text, stopped } = this.#state.failure()
    throw notLoaded(text, stopped)
  }

  /** Frees the Lua state. The engine cannot be used afterwards. */
  close(): void {
    this.#state.close()
  }

  #run(
    reference: number,
    isFunction: boolean,
    name: string,
    keys: readonly Uint8Array[],
    args: readonly Uint8Array[],
    { protocol, timeLimitMs, resp3Allowed }: RunOptions,
  ): Buffer {
    const bytes = packedSize(keys) + packedSize(args)
    const block = bytes <= SHARED_BYTES ? this.#in : Buffer.allocUnsafeSlow(bytes)
    packInto(block, packInto(block, 0, keys), args)
    const state = this.#state
    const result =
      block === this.#in
        ? state.run(reference, isFunction, keys.length, args.length, bytes, protocol, timeLimitMs, resp3Allowed)
        : state.run(reference, isFunction, keys.length, args.length, bytes, protocol, timeLimitMs, resp3Allowed, block)
    if (typeof result !== 'number') return result
    if (result >= 0) return this.#out.subarray(0, result)
    const { text, source, line, stopped } = state.failure()
    throw raised(text, stopped, name, source, line)
  }
}

function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return (major << 16) | (minor << 8) | patch
}
