/** Brings changes as entries of a Redis stream: fields `sequence` and `change`, its JSON. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { FeedPage } from '../../cdc-client/feed-reader.js'
import { type FeedPosition, parsePosition, positionText } from '../../cdc-client/position.js'
import { RedisConnection, ServerError } from '../../cdc-client/redis-connection.js'
import type { CopyTarget } from './target.js'

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

  constructor(options: StreamTargetOptions) {
    this.#options = options
    this.#checkpointKey = options.checkpointKey ?? `${options.stream}:checkpoint`
  }

  load(): Promise<FeedPosition | undefined> {
    return this.#withRetries(async (target) => {
      const saved = await target.command('GET', this.#checkpointKey)
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
    let isFirst = true
    await this.#withRetries(async (target) => {
      // The connection may have broken after the transaction had arrived.
      if (!isFirst && String(await target.command('GET', this.#checkpointKey)) === text) return
      isFirst = false
      const replies = await target.pipeline([['MULTI'], ...adds, ['SET', this.#checkpointKey, text], ['EXEC']])
      for (const reply of [...replies, ...(replies.at(-1) as unknown[])]) if (reply instanceof ServerError) throw reply
    })
    return texts.length
  }

  close(): void {
    this.#target?.close()
  }

  async #withRetries<T>(work: (target: RedisConnection) => Promise<T>): Promise<T> {
    const { url, signal, onRetry } = this.#options
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#target ??= await RedisConnection.open(url, signal)
        return await work(this.#target)
      } catch (error) {
        if (signal?.aborted === true || (error instanceof ServerError && error.code !== 'LOADING')) throw error
        this.#target?.close()
        this.#target = undefined
        onRetry(error as Error)
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }
}
