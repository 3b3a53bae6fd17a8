/** The change feed: how fast one consumer reads it, and what a consumer costs those who write. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { Consumption } from './consumer.js'
import { type Figures, type Load, measure, program } from './measure.js'
import { type Contender, endProcess, OURS, start } from './servers.js'
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

/** Flushes and compactions come and go: many short runs tell a price of a tenth better than a few long ones. */
const RUNS_A_ROUND = 8

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
      for (const pipeline of plan.pipelines) {
        const alone: Figures[] = []
        const followed: Figures[] = []
        const consumed: Consumption[] = []
        for (let run = 0; run < plan.rounds * RUNS_A_ROUND; run++) {
          // With, without, without, with: what drifts weighs on both.
          const isFollowed = run % 4 === 0 || run % 4 === 3
          const consumer = isFollowed ? await follow(server, format) : undefined
          const figures = await measure(server, SET, plan.load, pipeline, plan.writes / 2)
          if (consumer !== undefined) consumed.push(await consumer.end())
          ;(isFollowed ? followed : alone).push(figures)
        }
        rows.push({ format, pipeline, alone, followed, consumed })
      }
    }
  } finally {
    await server.stop()
  }
  return rows
}

/** A consumer that reads from now on, until its end. */
async function follow(server: Contender, format: Format): Promise<{ end(): Promise<Consumption> }> {
  const words = [program('consumer'), String(server.port), format, 'latest']
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  await untilFollowed(server)
  return {
    async end() {
      const closed = once(child, 'close')
      await endProcess(child)
      await closed
      return JSON.parse(output) as Consumption
    },
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
