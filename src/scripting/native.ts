/**
 * The addon: the only place that loads lua.node, and the types of what it exports. Arguments are positional; the comments
 * in native/addon.cc say how the shared buffers are laid out.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The host's side of redis.call: the count of arguments, the bytes they take in the call buffer, and script's protocol. */
export type OnCall = (count: number, packedBytes: number, protocol: number, packed?: Buffer) => Buffer

/** The host's side of redis.acl_check_cmd: undefined for an unknown command. */
export type OnAllowed = (count: number, packedBytes: number, protocol: number, packed?: Buffer) => boolean | undefined

/** What made the last run or load fail. */
export interface NativeFailure {
  readonly text: string
  readonly source: string
  /** -1 when the place is unknown. */
  readonly line: number
  /** Whether the script was stopped from outside: time, memory for the reply, an exception of the host. */
  readonly stopped: boolean
}

/** One call of redis.register_function. */
export interface NativeFunction {
  readonly name: string
  readonly description: string | undefined
  readonly flags: readonly string[]
  readonly reference: number
}

/** One Lua state. None of its methods may be called while a script runs in it. */
export interface LuaState {
  /** A reference for run, or why the code does not compile. */
  compile(code: Uint8Array, chunkName: string): number | string
  release(reference: number): void
  /**
   * The length of the reply in the out buffer, a buffer of its own when it does not fit, or -1 for a failure. The packed
   * keys and arguments are in the in buffer unless they are given.
   */
  run(
    reference: number,
    isFunction: boolean,
    keysCount: number,
    argumentsCount: number,
    packedBytes: number,
    protocol: number,
    timeLimitMs: number,
    resp3Allowed: boolean,
    packed?: Uint8Array,
  ): number | Buffer
  /** The functions that the library registered, undefined for a failure. */
  loadLibrary(code: Uint8Array, timeLimitMs: number, isStored: boolean): NativeFunction[] | undefined
  failure(): NativeFailure
  /** Bytes that the state holds. */
  memory(): number
  close(): void
}

interface Addon {
  readonly LuaState: new (
    onCall: OnCall,
    onLog: (level: number, message: Buffer) => void,
    onAllowed: OnAllowed,
    callBuffer: Buffer,
    inBuffer: Buffer,
    outBuffer: Buffer,
    memoryLimitBytes: number,
    version: string,
    versionNumber: number,
  ) => LuaState
  readonly version: string
}

/** The addon, loaded when scripting is first used. Throws with the command that builds it when it is not there. */
export function loadAddon(): Addon {
  addon ??= createRequire(import.meta.url)(addonPath()) as Addon
  return addon
}

let addon: Addon | undefined

function addonPath(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('cannot find the root of the package')
    folder = parent
  }
  const path = join(folder, 'src/scripting/build/Release/lua.node')
  if (!existsSync(path)) throw new Error(`${path} is not built: run node-gyp rebuild in src/scripting`)
  return path
}
