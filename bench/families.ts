/** Every workload at every pipeline, against all servers, in alternating rounds. */

import { check, type Figures, fillIn, type Load, measure } from './measure.js'
import { type Contender, OURS, start } from './servers.js'
import { figureText, markdownTable, median, ratios, type Spread, spreadText } from './statistics.js'
import type { Workload } from './workloads.js'

export interface FamiliesPlan {
  readonly workloads: readonly Workload[]
  readonly pipelines: readonly number[]
  readonly rounds: number
  /** A run lasts about so long. */
  readonly seconds: number
  readonly load: Load
  /** Names of servers; the first is ours. */
  readonly servers: readonly string[]
}

/** The rounds of one workload at one pipeline, by server. */
export interface Row {
  readonly workload: Workload
  readonly pipeline: number
  readonly rounds: ReadonlyMap<string, readonly Figures[]>
}

/** Trial runs grow until one lasts this share of a whole one: then it tells how long that has to be. */
const TRIAL_SHARE = 0.3
const TRIAL_GROWTH = 8
/** They also warm compilers up: until so many operations are done, or so much time is over. */
const WARM_OPERATIONS = 50_000
const WARM_SECONDS = 3
/** A run has at least so many writes on each connection. */
const WRITES_MIN = 4
const COUNT_MAX = 5_000_000
/** Of operations that use something up, which has to be filled in again each time. */
const CONSUMING_COUNT_MAX = 1_000_000

/**
 * Each workload meets servers that were started for it. `onRow` is told of each row as soon as it is there.
 */
export async function measureFamilies(plan: FamiliesPlan, onRow: (row: Row) => void): Promise<Row[]> {
  const rows: Row[] = []
  for (const workload of plan.workloads) {
    const servers: Contender[] = []
    try {
      for (const name of plan.servers) servers.push(await start(name))
      for (const server of servers) {
        await fillIn(server, workload, plan.load, 1)
        await check(server, workload, plan.load)
      }
      for (const pipeline of plan.pipelines) {
        const row = { workload, pipeline, rounds: await compare(plan, servers, workload, pipeline) }
        rows.push(row)
        onRow(row)
      }
    } finally {
      for (const server of servers) await server.stop()
    }
  }
  return rows
}

async function compare(
  plan: FamiliesPlan,
  servers: readonly Contender[],
  workload: Workload,
  pipeline: number,
): Promise<Map<string, Figures[]>> {
  const { load } = plan
  const counts = new Map<Contender, number>()
  for (const server of servers) counts.set(server, await chooseCount(plan, server, workload, pipeline))
  const rounds = new Map(servers.map((server) => [server.name, [] as Figures[]]))
  for (let round = 0; round < plan.rounds; round++) {
    const order = round % 2 === 0 ? servers : [...servers].reverse()
    for (const server of order) {
      const count = counts.get(server) ?? 1
      if (workload.isConsuming) await fillIn(server, workload, load, count)
      rounds.get(server.name)?.push(await measure(server, workload, load, pipeline, count))
    }
  }
  return rounds
}

/** So many operations that a run lasts as long as wanted. */
async function chooseCount(
  { load, seconds }: FamiliesPlan,
  server: Contender,
  workload: Workload,
  pipeline: number,
): Promise<number> {
  const max = workload.isConsuming ? CONSUMING_COUNT_MAX : COUNT_MAX
  const min = load.clients * pipeline * WRITES_MIN
  let done = 0
  let spentSeconds = 0
  for (let count = min; ; ) {
    if (workload.isConsuming) await fillIn(server, workload, load, count)
    const { requestsPerSecond } = await measure(server, workload, load, pipeline, count)
    const wanted = Math.min(Math.max(Math.round(requestsPerSecond * seconds), min), max)
    done += count
    spentSeconds += count / requestsPerSecond
    const isWarm = done >= WARM_OPERATIONS || spentSeconds >= WARM_SECONDS
    if (isWarm && count >= wanted * TRIAL_SHARE) return wanted
    count = Math.min(Math.max(wanted, WARM_OPERATIONS - done, min), count * TRIAL_GROWTH, max)
  }
}

type Figure = keyof Figures

const FIGURES: readonly (readonly [title: string, figure: Figure])[] = [
  ['requests/s', 'requestsPerSecond'],
  ['CPU µs', 'cpuUsPerRequest'],
  ['p50 ms', 'p50Ms'],
  ['p99 ms', 'p99Ms'],
  ['RSS MiB', 'residentMiB'],
]

/** Our figures, and each as a ratio to the peer's: median (minimum–maximum) of the rounds. */
export function familiesTable(rows: readonly Row[], peer: string): string {
  const titles = ['test', 'pipeline', ...FIGURES.map(([title]) => title)]
  const compared = FIGURES.map(([title]) => `${title.split(' ')[0]} : ${peer}`)
  return markdownTable(
    [...titles, ...compared],
    rows.map((row) => [
      row.workload.name,
      String(row.pipeline),
      ...FIGURES.map(([, figure]) => figureText(median(valuesOf(row, OURS, figure)))),
      ...FIGURES.map(([, figure]) => spreadText(ratioOf(row, peer, figure))),
    ]),
  )
}

/** Ours to the peer's. */
export function ratioOf(row: Row, peer: string, figure: Figure): Spread {
  return ratios(valuesOf(row, OURS, figure), valuesOf(row, peer, figure))
}

function valuesOf(row: Row, server: string, figure: Figure): number[] {
  return (row.rounds.get(server) ?? []).map((figures) => figures[figure])
}
