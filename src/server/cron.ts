/** Work that the server does by the clock. Every job is one entry of a table; a job never overlaps itself. */

import { describeError } from '../log/log.js'
import { SeldomLog } from '../log/seldom-log.js'
import type { Server } from './server.js'
import { storageTotals } from './stats.js'

export interface CronJob {
  readonly name: string
  readonly everyMs: number
  run(): void | Promise<void>
}

const SAMPLE_MS = 100
const EXPIRY_MS = 100
/** Steps are short, for a client's request may have to wait for one. */
const FIRST_EXPIRY_MS = 20
const OUTPUT_CHECK_MS = 1000
const IDLE_CHECK_MS = 10_000
/** Idle connections are looked for among so many at a time. */
const IDLE_CHECKED_MAX = 50

export class Cron {
  readonly #server: Server
  readonly #errors: SeldomLog
  readonly #timers: NodeJS.Timeout[] = []
  readonly #running = new Map<string, Promise<void>>()
  #jobs: CronJob[]
  #idleCursor = 0

  constructor(server: Server) {
    this.#server = server
    this.#errors = new SeldomLog(server.log, () => server.nowMs())
    this.#jobs = [
      { name: 'sample statistics', everyMs: SAMPLE_MS, run: () => this.#sample() },
      { name: 'sweep expired keys', everyMs: EXPIRY_MS, run: () => server.sweepExpired() },
      { name: 'sweep for the first time', everyMs: FIRST_EXPIRY_MS, run: () => this.#sweepFirst() },
      { name: 'invalidate expired keys', everyMs: EXPIRY_MS, run: () => server.tracking.expire(server.nowMs()) },
      { name: 'check output limits', everyMs: OUTPUT_CHECK_MS, run: () => server.checkOutputs() },
      { name: 'close idle clients', everyMs: IDLE_CHECK_MS, run: () => this.#closeIdle() },
    ]
  }

  #sweepFirst(): void {
    if (this.#server.expiry.isFirstRound) this.#server.sweepExpired()
  }

  #sample(): void {
    const { store, stats } = this.#server
    if (store.rocks.isOpen) stats.sample(this.#server.nowMs(), storageTotals(store.rocks))
  }

  /** Adds a job; before `start`. */
  add(job: CronJob): void {
    this.#jobs.push(job)
  }

  start(): void {
    for (const job of this.#jobs) {
      const timer = setInterval(() => this.#run(job), job.everyMs)
      timer.unref()
      this.#timers.push(timer)
    }
  }

  /** Runs the job of that name now. */
  run(name: string): void {
    const job = this.#jobs.find((candidate) => candidate.name === name)
    if (job === undefined) throw new RangeError(`no job is named ${name}`)
    this.#run(job)
  }

  /** No job begins any more. */
  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    this.#jobs = []
  }

  /** Resolves when the jobs under way have ended. */
  async finished(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  #run(job: CronJob): void {
    if (this.#running.has(job.name)) return
    try {
      const work = job.run()
      if (work === undefined) return
      const settled = work
        .catch((error: unknown) => this.#failed(job, error))
        .finally(() => this.#running.delete(job.name))
      this.#running.set(job.name, settled)
    } catch (error) {
      this.#failed(job, error)
    }
  }

  #failed({ name }: CronJob, error: unknown): void {
    this.#errors.error(name, `${name} failed: ${describeError(error)}`)
  }

  /** Closes clients that were idle longer than `timeout` seconds; monitors and subscribers may be. */
  #closeIdle(): void {
    const { timeout } = this.#server.config.values
    if (timeout === 0) return
    const connections = [...this.#server.clients.all()]
    const nowMs = this.#server.nowMs()
    for (let i = 0; i < Math.min(IDLE_CHECKED_MAX, connections.length); i++) {
      const connection = connections[this.#idleCursor++ % connections.length]
      if (
        connection === undefined ||
        connection.link !== undefined ||
        connection.isMonitor ||
        connection.subscriptions > 0
      )
        continue
      if (!connection.isBlocked && nowMs - connection.lastCommandAtMs >= timeout * 1000) connection.kill()
    }
  }
}
