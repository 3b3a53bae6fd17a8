/**
 * Posts changes to a URL: a JSON array of them, with a signature of the body. What is not answered by 2xx is posted again,
 * later and later; an answer of 4xx other than 408 and 429 is final.
 */

import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FeedPage } from '../../cdc-client/feed-reader.js'
import type { CopyTarget } from './target.js'

export interface WebhookTargetOptions {
  readonly url: string
  /** Undefined: bodies are not signed. */
  readonly secret: string | undefined
  /** Changes of one request. */
  readonly batch: number
  readonly onRetry: (error: Error) => void
  readonly signal: AbortSignal | undefined
}

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 30_000
const TIMEOUT_MS = 30_000
const SIGNATURE = 'x-kvrocks-signature'
/** Of the last change in the body: with the first one's it tells a repeated request. */
const SEQUENCE = 'x-kvrocks-sequence'

/** The other side refuses what it was sent. */
class RefusedError extends Error {}

export class WebhookTarget implements CopyTarget {
  readonly #options: WebhookTargetOptions

  constructor(options: WebhookTargetOptions) {
    this.#options = options
  }

  load(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async apply({ texts }: FeedPage): Promise<number> {
    const { batch } = this.#options
    for (let at = 0; at < texts.length; at += batch) {
      const some = texts.slice(at, at + batch)
      await this.#post(`[${some.join(',')}]`, sequenceOf(some.at(-1) as string))
    }
    return texts.length
  }

  close(): void {}

  async #post(body: string, sequence: number): Promise<void> {
    const { signal, onRetry } = this.#options
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        await this.#postOnce(body, sequence)
        return
      } catch (error) {
        if (signal?.aborted === true || error instanceof RefusedError) throw error
        onRetry(error as Error)
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }

  async #postOnce(body: string, sequence: number): Promise<void> {
    const { url, secret, signal } = this.#options
    const headers: Record<string, string> = { 'content-type': 'application/json', [SEQUENCE]: String(sequence) }
    if (secret !== undefined) headers[SIGNATURE] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    await response.arrayBuffer()
    if (response.ok) return
    const told = `${url} answered ${response.status}`
    const isFinal = response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status)
    throw isFinal ? new RefusedError(told) : new Error(told)
  }
}

/** Of a change in JSON. */
function sequenceOf(text: string): number {
  return (JSON.parse(text) as { sequence: number }).sequence
}
