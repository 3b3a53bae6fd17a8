/**
 * Clients that wait for keys: first come, first served, whatever command wrote the key. A key's waiters try again after
 * the command that wrote it has ended. Source: redis src/blocked.c, handleClientsBlockedOnKeys.
 */

import type { BoundCommand } from '../commands/command-table.js'
import type { BlockRequest } from '../commands/context.js'
import type { Args } from '../protocol/args.js'
import { ReplyError, UNBLOCKED } from '../protocol/errors.js'
import { isExpired, isReadable, rowType } from '../storage/metadata.js'
import type { Connection } from './connection.js'

export interface Waiter {
  readonly connection: Connection
  readonly request: BlockRequest
  /** Stored forms of the keys, latin1. */
  readonly nsKeys: readonly string[]
  timer: NodeJS.Timeout | undefined
  /** What waits, for whoever counts commands. */
  run: WaitingRun | undefined
}

/** A command that waits for its end, to be counted then, with the time that it ran and not the time that it waited. */
export interface WaitingRun {
  readonly command: BoundCommand
  readonly args: Args
  us: number
}

export interface Attempts {
  /** Calls an attempt as a command of the waiting connection, with what follows a command. */
  runAttempt(waiter: Waiter, attempt: () => boolean): boolean
  /** Answers a waiting client with an error. */
  refuse(waiter: Waiter, error: ReplyError): void
  /** A waiting client has been answered. */
  ended(waiter: Waiter): void
}

/** What the server does when a waiting client has been answered. */
export type Resume = (connection: Connection) => void

/** The longest delay that a timer of Node takes. */
const TIMER_MS_MAX = 2 ** 31 - 1

export class Blocking {
  readonly #queues = new Map<string, Set<Waiter>>()
  /** Those who wait for any commit. */
  readonly #followers = new Set<Waiter>()
  /** Those who wait for the next round of the feed. */
  readonly #readers = new Set<Waiter>()
  readonly #resume: Resume
  readonly #attempts: Attempts
  #count = 0

  /** `resume` is called when a client may go on. */
  constructor(attempts: Attempts, resume: Resume) {
    this.#attempts = attempts
    this.#resume = resume
  }

  /** Number of clients that wait. */
  get count(): number {
    return this.#count
  }

  /** Keys that are waited for, and those of them for which a wait also ends when the key does. */
  countKeys(): { all: number; untilGone: number } {
    const queues = [...this.#queues.values()]
    const untilGone = queues.filter((queue) => [...queue].some(({ request }) => request.wants === undefined))
    return { all: queues.length, untilGone: untilGone.length }
  }

  /** True if somebody waits for keys. */
  get isWaitedForKeys(): boolean {
    return this.#queues.size > 0
  }

  /** True if somebody waits for any commit. */
  get isFollowed(): boolean {
    return this.#followers.size > 0
  }

  /** True if somebody waits for the next round of the feed. */
  get hasReaders(): boolean {
    return this.#readers.size > 0
  }

  add(connection: Connection, request: BlockRequest): void {
    const { db } = connection.context
    const nsKeys = [...new Set(request.keys.map((key) => db.nsKey(key).latin1Slice(0)))]
    const waiter: Waiter = { connection, request, nsKeys, timer: undefined, run: undefined }
    for (const nsKey of nsKeys) {
      const queue = this.#queues.get(nsKey)
      if (queue === undefined) this.#queues.set(nsKey, new Set([waiter]))
      else queue.add(waiter)
    }
    if (request.afterCommit) this.#followers.add(waiter)
    if (request.inRounds) this.#readers.add(waiter)
    this.#count++
    connection.waiter = waiter
    if (request.timeoutMs > 0) this.#arm(waiter, request.timeoutMs)
  }

  /** Lets the waiters of the written keys try. */
  wake(nsKeys: Iterable<string>): void {
    for (const nsKey of nsKeys) {
      for (const waiter of this.#queues.get(nsKey) ?? []) if (isServable(waiter, nsKey)) this.#attempt(waiter)
    }
  }

  /** Lets all try who wait for keys that begin with `prefix`: all of them were deleted. */
  wakePrefix(prefix: string): void {
    this.wake([...this.#queues.keys()].filter((nsKey) => nsKey.startsWith(prefix)))
  }

  /** Lets all try: the database is another. */
  wakeAll(): void {
    this.wake([...this.#queues.keys()])
  }

  /** Lets those try who wait for any commit. */
  wakeFollowers(): void {
    for (const waiter of [...this.#followers]) this.#attempt(waiter)
  }

  /** Lets those try who wait for the next round of the feed. True if one of them should try in the round after it. */
  wakeReaders(): boolean {
    for (const waiter of [...this.#readers]) this.#attempt(waiter)
    return [...this.#readers].some(({ request }) => request.isReady?.())
  }

  isWaitedFor(nsKey: string): boolean {
    return this.#queues.has(nsKey)
  }

  /** Ends the wait of `connection` with the answer of its timeout, or with an error. False if it does not wait. */
  unblock(connection: Connection, how: 'timeout' | 'error'): boolean {
    const { waiter } = connection
    if (waiter === undefined) return false
    this.remove(connection)
    const start = connection.reply.length
    if (how === 'timeout') this.#expire(waiter)
    else this.#attempts.refuse(waiter, UNBLOCKED)
    this.#answered(waiter, start)
    return true
  }

  /** Ends all waits for keys with an error. */
  unblockAll(error: ReplyError): void {
    this.#refuseAll(new Set([...this.#queues.values()].flatMap((queue) => [...queue])), error)
  }

  /** Ends with an error all waits for what is in the log. */
  unblockFollowers(error: ReplyError): void {
    this.#refuseAll([...this.#followers, ...this.#readers], error)
  }

  #refuseAll(waiters: Iterable<Waiter>, error: ReplyError): void {
    for (const waiter of waiters) {
      const { connection } = waiter
      this.remove(connection)
      const start = connection.reply.length
      this.#attempts.refuse(waiter, error)
      this.#answered(waiter, start)
    }
  }

  /** Forgets the wait of a connection. */
  remove(connection: Connection): void {
    const { waiter } = connection
    if (waiter === undefined) return
    connection.waiter = undefined
    this.#count--
    clearTimeout(waiter.timer)
    this.#followers.delete(waiter)
    this.#readers.delete(waiter)
    for (const nsKey of waiter.nsKeys) {
      const queue = this.#queues.get(nsKey)
      queue?.delete(waiter)
      if (queue?.size === 0) this.#queues.delete(nsKey)
    }
  }

  #attempt(waiter: Waiter): void {
    const { connection, request } = waiter
    // One that is being closed would take what it cannot deliver.
    if (connection.waiter !== waiter || connection.isClosing) return
    const start = connection.reply.length
    const answered = this.#attempts.runAttempt(waiter, () => {
      try {
        return request.attempt(connection.context)
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        this.#attempts.refuse(waiter, error)
        return true
      }
    })
    if (!answered) return
    this.remove(connection)
    this.#answered(waiter, start)
  }

  #expire(waiter: Waiter): void {
    const { reply } = waiter.connection
    const start = reply.length
    try {
      waiter.request.expire(reply)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      reply.truncate(start)
      this.#attempts.refuse(waiter, error)
    }
  }

  #answered(waiter: Waiter, replyStart: number): void {
    const { connection } = waiter
    this.#attempts.ended(waiter)
    if (connection.isAnswerSilent) connection.reply.truncate(replyStart)
    connection.isAnswerSilent = false
    this.#resume(connection)
  }

  #arm(waiter: Waiter, leftMs: number): void {
    waiter.timer = setTimeout(
      () => {
        if (leftMs > TIMER_MS_MAX) this.#arm(waiter, leftMs - TIMER_MS_MAX)
        else this.unblock(waiter.connection, 'timeout')
      },
      Math.min(leftMs, TIMER_MS_MAX),
    )
  }
}

/**
 * False if the key has not, or no longer, what the client waits for. An attempt could then take from another of its keys,
 * ahead of those who have waited for that one longer. Source: redis src/blocked.c, handleClientsBlockedOnKey.
 */
function isServable({ connection, request }: Waiter, nsKey: string): boolean {
  if (request.wants === undefined) return true
  const { db } = connection.context
  const row = db.getMetadata(db.userKey(Buffer.from(nsKey, 'latin1')))
  return row !== undefined && isReadable(row) && !isExpired(row, db.nowMs) && rowType(row) === request.wants
}
