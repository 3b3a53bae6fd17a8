/** The change feed: how fast one consumer reads it, and what a consumer costs those who write. */

import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import type { Consumption } from './consumer.js'
import { type Figures, type Load, measure, program } from './measure.js'
import { type Contender, OURS, start } from './servers.js'
import { Session } from './session.js'
import { figureText, markdownTable, median, ratios, spreadText } from './statistics.js'
import { workloadsNamed } from './workloads.js'

const run = promisify(execFile)

const FORMATS = ['RAW', 'JSON'] as const
type Format = (typeof FORMATS)[number]

export interface FeedPlan {
  readonly pipelines: readonly number[]
  readonly rounds: number
  /** Changes that the consumer reads in one run. */
  readonly changes: number
  /** Operations of the writers in one run. */
  readonly writes: number
  readonly load: Load
}

export interface ReadingRow {
  readonly format: Format
  /** Changes in one batch, on average. */
  readonly changesPerBatch: number
  readonly rounds: readonly (Consumption & { readonly cpuSeconds: number })[]
}

export interface PriceRow {
  readonly format: Format
  readonly pipeline: number
  readonly alone: readonly Figures[]
  readonly followed: readonly Figures[]
  readonly consumed: readonly Consumption[]
}

/** Flushes and compactions come and go: many runs tell a price of a tenth better than a few. */
const RUNS_A_ROUND = 8
/** That nobody counts, while compilers warm up. */
const RUNS_BEFORE = 4

/** How the log that is read was written: so many SETs in each batch. */
const BATCH_SIZES = [1, 16, 500]
const [SET] = workloadsNamed(['set'])

/** One consumer reads what was written before. */
export async function measureReading(plan: FeedPlan): Promise<ReadingRow[]> {
  const rows: ReadingRow[] = []
  const server = await start(OURS)
  try {
    for (const changesPerBatch of BATCH_SIZES) {
      const from = await latestSequence(server)
      await write(server, plan, changesPerBatch)
      const to = await latestSequence(server)
      for (const format of FORMATS) {
        const rounds: ReadingRow['rounds'][number][] = []
        for (let round = 0; round < plan.rounds; round++) rounds.push(await read(server, format, from, to))
        rows.push({ format, changesPerBatch, rounds })
      }
    }
  } finally {
    await server.stop()
  }
  return rows
}

async function latestSequence({ port }: Contender): Promise<number> {
  using session = await Session.open(port)
  return Number((await session.ask([['SEQUENCE']])).slice(1))
}

/** Transactions, because each is in one batch; the replies are awaited, so that it is alone there. */
async function write(server: Contender, { changes, load }: FeedPlan, perBatch: number): Promise<void> {
  using session = await Session.open(server.port)
  const value = 'x'.repeat(load.valueBytes)
  const set = (key: number): string[] => ['SET', `key:${key}`, value]
  for (let done = 0; done < changes; done += perBatch) {
    const sets = Array.from({ length: perBatch }, (_, i) => set((done + i) % load.keys))
    await session.sendAll(perBatch === 1 ? sets : [['MULTI'], ...sets, ['EXEC']])
  }
}

async function read(
  server: Contender,
  format: Format,
  from: number,
  to: number,
): Promise<ReadingRow['rounds'][number]> {
  const cpuBefore = server.cpuSeconds()
  const words = [program('consumer'), String(server.port), format, String(from), String(to)]
  const { stdout } = await run(process.execPath, words)
  return { ...(JSON.parse(stdout) as Consumption), cpuSeconds: server.cpuSeconds() - cpuBefore }
}

/** The same load with and without one consumer that follows, in alternating rounds. */
export async function measurePrice(plan: FeedPlan): Promise<PriceRow[]> {
  const rows: PriceRow[] = []
  const server = await start(OURS)
  try {
    if (SET === undefined) throw new Error('there is no row for SET')
    await measure(server, SET, plan.load, 16, plan.writes)
    for (const format of FORMATS) {
      const consumer = await Follower.start(server, format)
      for (const pipeline of plan.pipelines) rows.push(await measureRow(server, plan, consumer, format, pipeline))
      await consumer.stop()
    }
  } finally {
    await server.stop()
  }
  return rows
}

async function measureRow(
  server: Contender,
  { rounds, writes, load }: FeedPlan,
  consumer: Follower,
  format: Format,
  pipeline: number,
): Promise<PriceRow> {
  if (SET === undefined) throw new Error('there is no row for SET')
  const row = { format, pipeline, alone: [] as Figures[], followed: [] as Figures[], consumed: [] as Consumption[] }
  for (let run = 0; run < RUNS_BEFORE + rounds * RUNS_A_ROUND; run++) {
    // With, without, without, with: what drifts weighs on both.
    const isFollowed = run % 4 === 0 || run % 4 === 3
    if (isFollowed) await consumer.begin()
    const figures = await measure(server, SET, load, pipeline, writes)
    const consumption = isFollowed ? await consumer.end() : undefined
    if (run < RUNS_BEFORE) continue
    ;(isFollowed ? row.followed : row.alone).push(figures)
    if (consumption !== undefined) row.consumed.push(consumption)
  }
  return row
}

/** A consumer that reads what comes from `begin` to `end`. */
class Follower {
  readonly #server: Contender
  readonly #child: ChildProcessByStdio<Writable, Readable, null>

  private constructor(server: Contender, format: Format) {
    this.#server = server
    this.#child = spawn(process.execPath, [program('consumer'), String(server.port), format], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
  }

  static async start(server: Contender, format: Format): Promise<Follower> {
    const follower = new Follower(server, format)
    await once(follower.#child, 'spawn')
    return follower
  }

  async begin(): Promise<void> {
    this.#child.stdin.write('\n')
    await untilFollowed(this.#server)
  }

  async end(): Promise<Consumption> {
    this.#child.stdin.write('\n')
    const [line] = (await once(this.#child.stdout, 'data')) as [Buffer]
    return JSON.parse(line.toString()) as Consumption
  }

  async stop(): Promise<void> {
    this.#child.stdin.end()
    await once(this.#child, 'close')
  }
}

/** The consumer's first poll waits for a change: then it is counted as blocked. */
async function untilFollowed({ port }: Contender): Promise<void> {
  using session = await Session.open(port)
  while (!/^blocked_clients:[1-9]/m.test(await session.ask([['INFO', 'clients']]))) {
    await new Promise((done) => setTimeout(done, 10))
  }
}

export function readingTable(rows: readonly ReadingRow[]): string {
  return markdownTable(
    ['POLLUPDATES MAX 1000', 'changes in a batch', 'changes/s', 'MiB/s', 'CPU µs a change'],
    rows.map(({ format, changesPerBatch, rounds }) => [
      `FORMAT ${format}`,
      String(changesPerBatch),
      ...[
        (round: (typeof rounds)[number]) => round.changes / round.seconds,
        (round: (typeof rounds)[number]) => round.bytes / round.seconds / 2 ** 20,
        (round: (typeof rounds)[number]) => (round.cpuSeconds * 1e6) / round.changes,
      ].map((figure) => figureText(median(rounds.map(figure)))),
    ]),
  )
}

export function priceTable(rows: readonly PriceRow[]): string {
  const rates = (rounds: readonly Figures[]): number[] => rounds.map((figures) => figures.requestsPerSecond)
  const costs = (rounds: readonly Figures[]): number[] => rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest)
  const columns = ['requests/s without', 'with', 'with : without', "server's CPU µs without", 'with', 'with : without']
  return markdownTable(
    ['SET, with a consumer', 'pipeline', ...columns, "consumer's CPU µs"],
    rows.map(({ format, pipeline, alone, followed, consumed }) => [
      `FORMAT ${format}`,
      String(pipeline),
      figureText(median(rates(alone))),
      figureText(median(rates(followed))),
      spreadText(ratios(rates(followed), rates(alone))),
      figureText(median(costs(alone))),
      figureText(median(costs(followed))),
      spreadText(ratios(costs(followed), costs(alone))),
      figureText(median(consumed.map((one) => (one.consumerCpuSeconds * 1e6) / one.changes))),
    ]),
  )
}
