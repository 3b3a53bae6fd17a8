/** Latency at fixed rates: see generator.ts for how an open load counts it. */

import type { Result } from './generator.js'
import { check, fillIn, generate, type Load, operationsOf } from './measure.js'
import { type Contender, start } from './servers.js'
import { figureText, markdownTable, median } from './statistics.js'
import type { Workload } from './workloads.js'

export interface LatencyPlan {
  readonly workloads: readonly Workload[]
  /** Operations a second. */
  readonly rates: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly load: Load
  /** Names of servers; the first is ours. */
  readonly servers: readonly string[]
}

export interface LatencyRow {
  readonly workload: Workload
  readonly rate: number
  readonly server: string
  readonly rounds: readonly Result[]
}

export async function measureLatency(plan: LatencyPlan): Promise<LatencyRow[]> {
  const rows: LatencyRow[] = []
  for (const workload of plan.workloads) {
    const servers: Contender[] = []
    try {
      for (const name of plan.servers) servers.push(await start(name))
      for (const server of servers) {
        await fillIn(server, workload, plan.load, plan.load.keys)
        await check(server, workload, plan.load)
      }
      for (const rate of plan.rates) rows.push(...(await compare(plan, servers, workload, rate)))
    } finally {
      for (const server of servers) await server.stop()
    }
  }
  return rows
}

async function compare(
  plan: LatencyPlan,
  servers: readonly Contender[],
  workload: Workload,
  rate: number,
): Promise<LatencyRow[]> {
  const rounds = new Map(servers.map(({ name }) => [name, [] as Result[]]))
  for (let round = 0; round < plan.rounds; round++) {
    for (const { name, port } of round % 2 === 0 ? servers : [...servers].reverse()) {
      const result = await generate({
        port,
        clients: plan.load.clients,
        operations: operationsOf(workload, plan.load),
        keys: workload.keys ?? plan.load.keys,
        count: Math.round(rate * plan.seconds),
        pipeline: 1,
        rate,
      })
      rounds.get(name)?.push(result)
    }
  }
  return servers.map(({ name }) => ({ workload, rate, server: name, rounds: rounds.get(name) ?? [] }))
}

/** Medians of the rounds. */
export function latencyTable(rows: readonly LatencyRow[]): string {
  return markdownTable(
    ['test', 'rate asked', 'server', 'rate given', 'p50 ms', 'p99 ms', 'p99.9 ms'],
    rows.map(({ workload, rate, server, rounds }) => [
      workload.name,
      String(rate),
      server,
      ...(['operationsPerSecond', 'p50Ms', 'p99Ms', 'p999Ms'] as const).map((figure) =>
        figureText(median(rounds.map((result) => result[figure]))),
      ),
    ]),
  )
}
