/** The results as a Markdown table: every figure a ratio to the first server, median (minimum–maximum) of the rounds. */

import type { Figures, Workload } from './measure.js'

/** Figures of each round, by server. */
export type Rounds = ReadonlyMap<string, readonly Figures[]>

type Figure = keyof Figures

const COLUMNS: readonly (readonly [title: string, figure: Figure])[] = [
  ['throughput', 'requestsPerSecond'],
  ['CPU per request', 'cpuUsPerRequest'],
  ['p50', 'p50Ms'],
  ['p99', 'p99Ms'],
  ['RSS', 'residentMiB'],
]

export function tableHead(peer: string): string {
  const titles = COLUMNS.map(([title]) => `${title} : ${peer}`)
  return `| test | pipeline | bytes | requests/s | ${titles.join(' | ')} |\n|---|--:|--:|--:|${'--:|'.repeat(COLUMNS.length)}`
}

export function tableRow(workload: Workload, ours: readonly Figures[], peer: readonly Figures[]): string {
  const cells = COLUMNS.map(([, figure]) => ratio(ours, peer, figure))
  const rate = Math.round(median(ours.map((figures) => figures.requestsPerSecond)))
  return `| ${workload.test} | ${workload.pipeline} | ${workload.valueBytes} | ${rate} | ${cells.join(' | ')} |`
}

function ratio(ours: readonly Figures[], peer: readonly Figures[], figure: Figure): string {
  const ratios = ours.map((figures, round) => figures[figure] / (peer[round]?.[figure] ?? Number.NaN))
  const shown = [median(ratios), Math.min(...ratios), Math.max(...ratios)].map((value) => value.toFixed(2))
  return `${shown[0]} (${shown[1]}–${shown[2]})`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
