/**
 * A load generator, for what redis-benchmark cannot do: a program of its own, so that it shares no loop with whoever
 * starts it. It takes a Job as JSON in its only argument, and prints a Result as JSON.
 *
 *   closed   each connection sends `pipeline` operations, waits for all replies, and sends the next
 *   open     operations are due at a fixed rate, whatever becomes of the earlier ones; the latency of each is counted
 *            from when it was due, so that a server (or this program) that stalls is charged with all that it delays
 */

import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { ReplyCounter } from './replies.js'
import { Random, Template } from './requests.js'
import { Zipf } from './zipf.js'

export interface Job {
  readonly port: number
  readonly clients: number
  /** The operations, sent in this order; each is a list of commands, each a list of words. */
  readonly operations: readonly (readonly (readonly string[])[])[]
  /** Random numbers in them are below this. */
  readonly keys: number
  /** Of the random numbers; they are the same for the same seed. */
  readonly seed?: number
  /** Whether few of them are drawn often, and most seldom. */
  readonly isSkewed?: boolean
  /** How many operations. */
  readonly count: number
  /** Operations in one write; with a rate, 1. */
  readonly pipeline: number
  /** Operations a second, if the load is open. */
  readonly rate?: number
}

export interface Result {
  readonly operationsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Error replies. */
  readonly errors: number
}

const READ_BYTES = 1 << 18
/** Operations that may be under way on a connection of an open load. */
const UNDER_WAY_MAX = 1 << 16
/** Different requests that an open load sends at most at the same time on a connection. */
const SLOTS = 64
/** The beginning of an open load, while compilers warm up, is not counted: so long, but not longer than the rest. */
const WARM_UP_SECONDS = 1

const histogram = createHistogram()
/** Of all connections, so that operations of different kinds take turns. */
let nextOperation = 0

function nowNs(): number {
  return performance.now() * 1e6
}

/** One connection; its bytes are read into one buffer again and again. */
class Connection {
  readonly #counter = new ReplyCounter()
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES)
  #socket: Socket | undefined

  get errors(): number {
    return this.#counter.errors
  }

  /** `onReplies` is told how many replies have arrived. */
  async open(port: number, onReplies: (count: number) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const callback = (bytes: number): boolean => {
        const count = this.#counter.count(this.#buffer, bytes)
        if (count > 0) onReplies(count)
        return true
      }
      const socket = connect({ port, host: '127.0.0.1', onread: { buffer: this.#buffer, callback } }, resolve)
      socket.setNoDelay(true)
      socket.once('error', reject)
      this.#socket = socket
    })
  }

  write(bytes: Uint8Array): void {
    this.#socket?.write(bytes)
  }

  close(): void {
    this.#socket?.destroy()
  }
}

/** The writes of one connection, each of `pipeline` operations that begin at another of the list. */
function templatesOf({ operations, pipeline }: Job): Template[] {
  return operations.map(
    (_, first) =>
      new Template(
        Array.from({ length: pipeline }, (_, i) => operations[(first + i) % operations.length] ?? []).flat(),
      ),
  )
}

function drawingOf({ keys, seed, isSkewed = false }: Job): () => number {
  const random = new Random(seed)
  if (!isSkewed) return () => random.below(keys)
  const zipf = new Zipf(random, keys)
  return () => zipf.draw()
}

/** Ends when all replies are there. */
async function closedLoad(job: Job, connections: readonly Connection[]): Promise<number> {
  const draw = drawingOf(job)
  const batches = Math.max(Math.ceil(job.count / job.pipeline), connections.length)
  const startNs = nowNs()
  let sent = 0
  let done = 0
  await new Promise<void>((resolve, reject) => {
    const drive = async (connection: Connection): Promise<void> => {
      const templates = templatesOf(job)
      let awaited = 0
      let sentNs = 0
      const send = (): void => {
        if (sent === batches) return
        const index = nextOperation++ % templates.length
        const template = templates[index] as Template
        template.fill(draw)
        awaited = repliesOf(job, index)
        sent++
        sentNs = nowNs()
        connection.write(template.bytes)
      }
      await connection.open(job.port, (count) => {
        awaited -= count
        if (awaited > 0) return
        histogram.record(Math.max(1, Math.round(nowNs() - sentNs)))
        if (++done === batches) resolve()
        else send()
      })
      send()
    }
    for (const connection of connections) drive(connection).catch(reject)
  })
  return (batches * job.pipeline) / ((nowNs() - startNs) / 1e9)
}

/** Replies to one write that begins with the operation of this index. */
function repliesOf({ operations, pipeline }: Job, first: number): number {
  let replies = 0
  for (let i = 0; i < pipeline; i++) replies += operations[(first + i) % operations.length]?.length ?? 0
  return replies
}

/** When the operations under way on a connection of an open load were due, oldest first. */
class DueTimes {
  readonly #dueNs = new Float64Array(UNDER_WAY_MAX)
  #head = 0
  #tail = 0

  push(dueNs: number): void {
    if (this.#tail - this.#head === UNDER_WAY_MAX) throw new Error('the server is too far behind the load')
    this.#dueNs[this.#tail++ % UNDER_WAY_MAX] = dueNs
  }

  shift(): number {
    return this.#dueNs[this.#head++ % UNDER_WAY_MAX] as number
  }
}

async function openLoad(job: Job, rate: number, connections: readonly Connection[]): Promise<number> {
  const draw = drawingOf(job)
  const intervalNs = 1e9 / rate
  const warmUp = Math.min(Math.round(rate * WARM_UP_SECONDS), job.count)
  const total = warmUp + job.count
  const due = connections.map(() => new DueTimes())
  const slots = connections.map(() => Array.from({ length: SLOTS }, () => templatesOf(job)))
  let startNs = 0
  let sent = 0
  let done = 0
  let allDone: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    allDone = resolve
  })
  const onReplies = (index: number, count: number): void => {
    const now = nowNs()
    for (let i = 0; i < count; i++) {
      const dueNs = due[index]?.shift() ?? now
      if (dueNs >= startNs + warmUp * intervalNs) histogram.record(Math.max(1, Math.round(now - dueNs)))
    }
    done += count
    if (done >= total) allDone()
  }
  await Promise.all(connections.map((connection, i) => connection.open(job.port, (count) => onReplies(i, count))))
  startNs = nowNs()
  // setImmediate instead of timers: those are only exact to a millisecond.
  const sendDue = (): void => {
    const now = nowNs()
    while (sent < total && startNs + sent * intervalNs <= now) {
      const index = sent % connections.length
      const round = Math.floor(sent / connections.length)
      const template = slots[index]?.[round % SLOTS]?.[sent % job.operations.length] as Template
      template.fill(draw)
      due[index]?.push(startNs + sent * intervalNs)
      connections[index]?.write(template.bytes)
      sent++
    }
    if (sent < total) setImmediate(sendDue)
  }
  sendDue()
  await finished
  return total / ((nowNs() - startNs) / 1e9)
}

async function run(job: Job): Promise<Result> {
  const connections = Array.from({ length: job.clients }, () => new Connection())
  const operationsPerSecond =
    job.rate === undefined ? await closedLoad(job, connections) : await openLoad(job, job.rate, connections)
  for (const connection of connections) connection.close()
  return {
    operationsPerSecond,
    p50Ms: histogram.percentile(50) / 1e6,
    p99Ms: histogram.percentile(99) / 1e6,
    p999Ms: histogram.percentile(99.9) / 1e6,
    errors: connections.reduce((sum, { errors }) => sum + errors, 0),
  }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Job)))
