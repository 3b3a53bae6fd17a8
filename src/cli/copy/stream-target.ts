/** Brings changes as entries of a Redis stream: fields `sequence` and `change`, its JSON. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { FeedPage } from '../../cdc-client/feed-reader.js'
import { type FeedPosition, parsePosition, positionText } from '../../cdc-client/position.js'
import { type RedisConnection, type RespValue, ServerError } from '../../cdc-client/redis-connection.js'
import type { CopyTarget } from './target.js'
import { checkOwned, openTarget, TargetError } from './target-connection.js'

export interface StreamTargetOptions {
  readonly url: string
  readonly stream: string
  readonly checkpointKey: string | undefined
  readonly onRetry: (error: Error) => void
  readonly signal: AbortSignal | undefined
}

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

export class StreamTarget implements CopyTarget {
  readonly #options: StreamTargetOptions
  readonly #checkpointKey: string
  #target: RedisConnection | undefined
  /** What the checkpoint key holds, as far as this copy knows: null = nothing, undefined = it has not looked. */
  #saved: string | null | undefined

  constructor(options: StreamTargetOptions) {
    this.#options = options
    this.#checkpointKey = options.checkpointKey ?? `${options.stream}:checkpoint`
  }

  load(): Promise<FeedPosition | undefined> {
    return this.#withRetries(async (target) => {
      const saved = await target.command('GET', this.#checkpointKey)
      this.#saved = saved === null ? null : String(saved)
      return saved === null ? undefined : parsePosition(String(saved))
    })
  }

  /** One transaction, so that no entry comes twice. */
  async apply({ texts, position }: FeedPage): Promise<number> {
    const text = positionText(position)
    const adds = texts.map((change) => {
      const { sequence } = JSON.parse(change) as { sequence: number }
      return ['XADD', this.#options.stream, '*', 'sequence', sequence, 'change', change]
    })
    const key = this.#checkpointKey
    await this.#withRetries(async (target) => {
      for (let replies: RespValue[] = []; !Array.isArray(replies.at(-1)); ) {
        // What a process that was killed had still sent may come between.
        const [, held] = await target.pipeline([
          ['WATCH', key],
          ['GET', key],
        ])
        if (held instanceof ServerError) throw held
        const saved = held === null || held === undefined ? null : String(held)
        // The connection may have broken after the transaction had arrived.
        if (saved === text && saved !== this.#saved) break
        checkOwned(key, saved, this.#saved)
        replies = await target.pipeline([['MULTI'], ...adds, ['SET', key, text], ['EXEC']])
        const results = replies.at(-1)
        for (const reply of [...replies, ...(Array.isArray(results) ? results : [])]) {
          if (reply instanceof ServerError) throw reply
        }
      }
    })
    this.#saved = text
    return texts.length
  }

  close(): void {
    this.#target?.close()
  }

  async #withRetries<T>(work: (target: RedisConnection) => Promise<T>): Promise<T> {
    const { url, signal, onRetry } = this.#options
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#target ??= await openTarget(url, signal)
        return await work(this.#target)
      } catch (error) {
        const isFinal = error instanceof TargetError || (error instanceof ServerError && error.code !== 'LOADING')
        if (signal?.aborted === true || isFinal) throw error
        this.#target?.close()
        this.#target = undefined
        onRetry(error as Error)
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }
}
