/**
 * Compiled scripts by the SHA-1 of their body. Scripts that were loaded stay until they are flushed; of those that were
 * only evaluated the most recently used are kept, as in Redis 7.4, so that a client that writes its arguments into the body
 * cannot fill the memory.
 */
import { sha1Hex } from '../bytes/sha1.js'
import type { LuaEngine } from './engine.js'
import { readScriptHead } from './shebang.js'

export interface Script {
  /** 40 hexadecimal digits, in lower case. */
  readonly sha: string
  readonly reference: number
  /** Bits of flags.ts. */
  readonly flags: number
  /** Whether it has no `#!` line, and with that Redis's older, looser rules. */
  readonly isLegacy: boolean
  readonly body: Buffer
}

const EVALUATED_MAX = 500

export class ScriptCache {
  readonly #engine: LuaEngine
  readonly #loaded = new Map<string, Script>()
  readonly #evaluated = new Map<string, Script>()
  /** By the body, one character a byte: finding it so costs less than its SHA-1. */
  readonly #byBody = new Map<string, Script>()

  constructor(engine: LuaEngine) {
    this.#engine = engine
  }

  /** The number of scripts that were loaded or evaluated and are still here. */
  get size(): number {
    return this.#byBody.size
  }

  /** Whether the script with this SHA-1 (in lower case) is here. */
  has(sha: string): boolean {
    return this.#loaded.has(sha) || this.#evaluated.has(sha)
  }

  /** The script with this SHA-1 (in lower case), if it is here, to be used now. */
  find(sha: string): Script | undefined {
    return this.#loaded.get(sha) ?? this.#used(this.#evaluated.get(sha))
  }

  /** The script for EVAL. Throws a ReplyError when its first line is wrong or it does not compile. */
  evaluate(body: Buffer): Script {
    const key = body.latin1Slice(0)
    const known = this.#byBody.get(key)
    if (known !== undefined) return this.#used(known)
    const script = this.#compile(body, key)
    this.#evaluated.set(script.sha, script)
    if (this.#evaluated.size > EVALUATED_MAX) this.#dropOldest()
    return script
  }

  /** The script for SCRIPT LOAD: as evaluate, and it stays. */
  load(body: Buffer): Script {
    const key = body.latin1Slice(0)
    const script = this.#byBody.get(key) ?? this.#compile(body, key)
    this.#evaluated.delete(script.sha)
    this.#loaded.set(script.sha, script)
    return script
  }

  /** Forgets all scripts. */
  flush(): void {
    for (const script of this.#byBody.values()) this.#engine.release(script.reference)
    this.#loaded.clear()
    this.#evaluated.clear()
    this.#byBody.clear()
  }

  #compile(body: Buffer, key: string): Script {
    const { flags, isLegacy, codeOffset } = readScriptHead(body)
    const reference = this.#engine.compile(body.subarray(codeOffset))
    const script = { sha: sha1Hex(body), reference, flags, isLegacy, body: Buffer.from(body) }
    this.#byBody.set(key, script)
    return script
  }

  /** Makes it the last to be dropped. */
  #used<T extends Script | undefined>(script: T): T {
    if (script !== undefined && this.#evaluated.delete(script.sha)) this.#evaluated.set(script.sha, script)
    return script
  }

  #dropOldest(): void {
    const [oldest] = this.#evaluated.values()
    if (oldest === undefined) return
    this.#evaluated.delete(oldest.sha)
    this.#byBody.delete(oldest.body.latin1Slice(0))
    this.#engine.release(oldest.reference)
  }
}
