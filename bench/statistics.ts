/** What is made of the figures of several rounds. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Of the ratios of each round: a machine that was slow for a while was slow for both. */
export function ratios(ours: readonly number[], peer: readonly number[]): Spread {
  const all = ours.map((value, round) => value / (peer[round] ?? Number.NaN))
  return { median: median(all), min: Math.min(...all), max: Math.max(...all) }
}

/** `0.95 (0.91–1.02)` */
export function spreadText({ median: middle, min, max }: Spread): string {
  return `${middle.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`
}

/** A figure with three digits, or all of its digits before the point. */
export function figureText(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3)
}

/** A table in Markdown; all columns but the first are of numbers. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(titles), `|---|${'--:|'.repeat(titles.length - 1)}`, ...rows.map(line)].join('\n')
}
