/** Each row of the benchmark runs through against our server, so that it is right on the day when it is wanted. */

import { test } from 'tap'
import type { Row } from '../../bench/families.js'
import { familiesTable } from '../../bench/families.js'
import { check, type Figures, fillIn, measure } from '../../bench/measure.js'
import { type Contender, OURS, start } from '../../bench/servers.js'
import { Session } from '../../bench/session.js'
import { barChart } from '../../bench/svg.js'
import { WORKLOADS } from '../../bench/workloads.js'
import { BENCHMARK_MISSING } from './support.js'

async function flush({ port }: Contender): Promise<void> {
  using session = await Session.open(port)
  await session.sendAll([['FLUSHALL']])
}

const LOAD = { clients: 5, keys: 1000, valueBytes: 3 }
const COUNT = 200
const PIPELINE = 4

test('each workload finds what it asks for, and has figures', { skip: BENCHMARK_MISSING }, async (t) => {
  const server = await start(OURS)
  t.teardown(() => server.stop())
  for (const workload of WORKLOADS) {
    await flush(server)
    await fillIn(server, workload, LOAD, COUNT)
    await check(server, workload, LOAD)
    const figures = await measure(server, workload, LOAD, PIPELINE, COUNT)
    const { requestsPerSecond, p50Ms, p99Ms, cpuUsPerRequest, residentMiB } = figures
    t.ok(requestsPerSecond > 0 && Number.isFinite(requestsPerSecond), `${workload.name}: ${requestsPerSecond}/s`)
    t.ok(p50Ms > 0 && p99Ms >= p50Ms, `${workload.name}: ${p50Ms} and ${p99Ms} ms`)
    t.ok(cpuUsPerRequest >= 0 && residentMiB > 1, `${workload.name}: ${cpuUsPerRequest} µs, ${residentMiB} MiB`)
  }
})

test('a read that finds nothing is not measured', async (t) => {
  const server = await start(OURS)
  t.teardown(() => server.stop())
  const get = WORKLOADS.find(({ name }) => name === 'get')
  if (get === undefined) throw new Error('no row for GET')
  await t.rejects(check(server, get, LOAD), { message: 'get: kvrocks-ts answers "$-1\\r\\n"' })
})

const FIGURES: Figures = { requestsPerSecond: 1000, p50Ms: 1, p99Ms: 2, cpuUsPerRequest: 10, residentMiB: 100 }

test('a table shows our medians, and the ratios of each round', async (t) => {
  const [workload] = WORKLOADS
  if (workload === undefined) throw new Error('no workloads')
  const rates = (...all: number[]): Figures[] => all.map((requestsPerSecond) => ({ ...FIGURES, requestsPerSecond }))
  const rounds = new Map([
    [OURS, rates(1000, 3000, 2000)],
    ['peer', rates(4000, 4000, 4000)],
  ])
  const row: Row = { workload, pipeline: 16, rounds }
  t.equal(
    familiesTable([row], 'peer'),
    [
      '| test | pipeline | requests/s | CPU µs | p50 ms | p99 ms | RSS MiB | requests/s : peer | CPU : peer | p50 : peer | p99 : peer | RSS : peer |',
      '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
      `| ping_inline | 16 | 2000 | 10.0 | 1.00 | 2.00 | 100 | 0.50 (0.25–0.75)${' | 1.00 (1.00–1.00)'.repeat(4)} |`,
    ].join('\n'),
  )
})

test('a plot has a bar for each row, as long as its ratio on a logarithmic axis', async (t) => {
  const bar = (name: string, median: number) => ({
    group: 'a<b',
    name,
    ratio: { median, min: median / 2, max: median * 2 },
  })
  const svg = barChart('title', [bar('one', 0.25), bar('two', 1)])
  const widths = [...svg.matchAll(/<rect x="120" y="[\d.]+" width="([\d.]+)" height="6"/g)].map((match) => match[1])
  // From 1/32 to 2 are six doublings of 640 / 6 pixels; 1/4 is after three, 1 after five.
  t.same(widths, ['320', '533.3'])
  t.match(svg, '>a&lt;b</text>')
})
