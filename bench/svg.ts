/** A plot of ratios as SVG: a group of bars for each test, one for each pipeline, with whiskers from minimum to maximum. */

import type { Spread } from './statistics.js'

export interface Bar {
  readonly group: string
  /** Bars of a name have the same colour. */
  readonly name: string
  readonly ratio: Spread
}

const COLOURS = ['#9ecae1', '#4292c6', '#08519c', '#6a51a3', '#d94801', '#238b45']
const BAR_HEIGHT = 7
const GROUP_GAP = 6
const LEFT = 120
const TOP = 50
const BOTTOM = 20
const PLOT_WIDTH = 640
const RIGHT = 60
/** The axis is logarithmic: equal steps for equal factors, each twice the one before. */
const LOWEST = 1 / 32
const FONT = 'font-family="sans-serif" font-size="10"'

export function barChart(title: string, bars: readonly Bar[]): string {
  const groups = [...new Set(bars.map(({ group }) => group))]
  const names = [...new Set(bars.map(({ name }) => name))]
  const highest = 2 ** Math.ceil(Math.log2(Math.max(2, ...bars.map(({ ratio }) => ratio.max).filter(Number.isFinite))))
  const xOf = (ratio: number): number => {
    const share = Math.log2(Math.max(ratio, LOWEST) / LOWEST) / Math.log2(highest / LOWEST)
    return round(LEFT + Math.min(share, 1) * PLOT_WIDTH)
  }
  const groupHeight = names.length * BAR_HEIGHT + GROUP_GAP
  const height = TOP + groups.length * groupHeight + BOTTOM
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + PLOT_WIDTH + RIGHT}" height="${height}" ${FONT}>`,
    '<rect width="100%" height="100%" fill="white"/>',
    text(LEFT, 16, title, 'font-weight="bold"'),
    ...names.flatMap((name, i) => [rect(LEFT + i * 100, 24, 8, 8, colourOf(i)), text(LEFT + i * 100 + 12, 32, name)]),
    ...axis(highest, xOf, height - BOTTOM),
    ...groups.flatMap((group, index) => {
      const top = TOP + index * groupHeight
      const middle = top + (names.length * BAR_HEIGHT) / 2 + 3
      return [
        text(LEFT - 6, middle, group, 'text-anchor="end"'),
        ...bars.filter((bar) => bar.group === group).flatMap((bar) => drawBar(bar, names.indexOf(bar.name), top, xOf)),
      ]
    }),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function axis(highest: number, xOf: (ratio: number) => number, bottom: number): string[] {
  const lines: string[] = []
  for (let ratio = LOWEST; ratio <= highest; ratio *= 2) {
    const x = xOf(ratio)
    const [colour, width] = ratio === 1 ? ['#333', 1.5] : ['#ddd', 1]
    lines.push(`<line x1="${x}" y1="${TOP - 4}" x2="${x}" y2="${bottom}" stroke="${colour}" stroke-width="${width}"/>`)
    lines.push(text(x, TOP - 6, ratio < 1 ? `1/${1 / ratio}` : String(ratio), 'text-anchor="middle" fill="#666"'))
  }
  return lines
}

function drawBar({ ratio }: Bar, index: number, top: number, xOf: (ratio: number) => number): string[] {
  if (!Number.isFinite(ratio.median)) return []
  const y = top + index * BAR_HEIGHT
  const middle = y + BAR_HEIGHT / 2
  return [
    rect(LEFT, y, round(xOf(ratio.median) - LEFT), BAR_HEIGHT - 1, colourOf(index)),
    `<line x1="${xOf(ratio.min)}" y1="${middle}" x2="${xOf(ratio.max)}" y2="${middle}" stroke="#333"/>`,
    text(xOf(ratio.max) + 4, y + BAR_HEIGHT, ratio.median.toFixed(2), 'font-size="8" fill="#333"'),
  ]
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] as string
}

function rect(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour}"/>`
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
