/** What the tests of scripting share: an engine whose host has canned replies. */
import { ReplyError } from '../../src/protocol/errors.js'
import { LuaEngine } from '../../src/scripting/engine.js'
import { ScriptCache } from '../../src/scripting/script-cache.js'

export interface Bench {
  readonly engine: LuaEngine
  readonly scripts: ScriptCache
  /** The reply of EVAL as latin1 text, an error with its `-` and CRLF. */
  evaluate(script: string, options?: Partial<EvalOptions>): string
  /** What redis.call was given, one text a call, arguments joined by spaces. */
  readonly calls: string[]
  readonly logged: [number, string][]
}

export interface EvalOptions {
  readonly keys: readonly string[]
  readonly args: readonly string[]
  readonly protocol: 2 | 3
  readonly timeLimitMs: number
  readonly resp3Allowed: boolean
}

/** Replies by the text of the call. A function gets the protocol. Others are unknown commands. */
export type Replies = Readonly<Record<string, string | Buffer | ((protocol: 2 | 3) => string | Buffer)>>

export const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024

export function openBench(
  replies: Replies = {},
  memoryLimitBytes = MEMORY_LIMIT_BYTES,
  redisVersion = '7.0.15',
): Bench {
  const calls: string[] = []
  const logged: [number, string][] = []
  const engine = new LuaEngine(
    {
      call(args, protocol) {
        const text = args
          .rest(0)
          .map((arg) => arg.toString('latin1'))
          .join(' ')
        calls.push(text)
        const reply = replies[text] ?? '-ERR unknown command\r\n'
        return Buffer.from(typeof reply === 'function' ? reply(protocol) : reply)
      },
      isAllowed: (args) => (args.is(0, 'get') ? true : args.is(0, 'set') ? false : undefined),
      log: (level, message) => logged.push([level, message.toString('latin1')]),
    },
    { memoryLimitBytes, redisVersion },
  )
  const scripts = new ScriptCache(engine)
  const evaluate = (script: string, options: Partial<EvalOptions> = {}): string =>
    textOf(() => {
      const { sha, reference } = scripts.evaluate(Buffer.from(script))
      return engine.runScript(reference, sha, buffers(options.keys), buffers(options.args), {
        protocol: options.protocol ?? 2,
        timeLimitMs: options.timeLimitMs ?? 5000,
        resp3Allowed: options.resp3Allowed ?? true,
      })
    })
  return { engine, scripts, evaluate, calls, logged }
}

/** The reply of a script with binary arguments. */
export function evaluateWith(
  { engine, scripts }: Pick<Bench, 'engine' | 'scripts'>,
  script: string,
  args: readonly Buffer[],
): string {
  return textOf(() => {
    const { sha, reference } = scripts.evaluate(Buffer.from(script))
    return engine.runScript(reference, sha, [], args, { protocol: 2, timeLimitMs: 5000, resp3Allowed: true })
  })
}

/** The reply, or the error as a client would see it. */
export function textOf(run: () => Buffer): string {
  try {
    return run().toString('latin1')
  } catch (error) {
    if (error instanceof ReplyError) return `-${error.text}\r\n`
    throw error
  }
}

export function buffers(texts: readonly string[] = []): Buffer[] {
  return texts.map((text) => Buffer.from(text))
}
