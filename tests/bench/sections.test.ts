/** The other sections of the benchmark run through against our server. */

import { test } from 'tap'
import { measurePrice, measureReading, priceTable, readingTable } from '../../bench/feed.js'
import { latencyTable, measureLatency } from '../../bench/latency.js'
import { OURS } from '../../bench/servers.js'
import { measureStart, startTable } from '../../bench/start-stop.js'
import { workloadsNamed } from '../../bench/workloads.js'
import { BENCHMARK_MISSING } from './support.js'

const LOAD = { clients: 5, keys: 1000, valueBytes: 3 }
const ROWS = /^\|(?: [^|–]+ \|)+$/

/** Throws unless all cells have figures. */
function rowsOf(table: string): string[] {
  const [, , ...rows] = table.split('\n')
  for (const row of rows) if (!ROWS.test(row.replace(/\([^)]*\)/g, ''))) throw new Error(`not a row of figures: ${row}`)
  return rows
}

test('an open load keeps its rate and has a latency at each percentile', async (t) => {
  const rows = await measureLatency({
    workloads: workloadsNamed(['get_set']),
    rates: [2000],
    rounds: 1,
    seconds: 0.5,
    load: LOAD,
    servers: [OURS],
  })
  t.equal(rowsOf(latencyTable(rows)).length, 1)
  const [result] = rows[0]?.rounds ?? []
  t.match(result, { errors: 0 })
  t.ok((result?.p50Ms ?? 0) > 0 && (result?.p999Ms ?? 0) >= (result?.p50Ms ?? 0))
  t.ok(Math.abs((result?.operationsPerSecond ?? 0) - 2000) < 400, 'the rate is that which was asked for')
})

test('a consumer reads all changes, in RAW and in JSON', async (t) => {
  const rows = await measureReading({ pipelines: [1], rounds: 1, changes: 1000, writes: 1000, load: LOAD })
  t.equal(rowsOf(readingTable(rows)).length, 6)
  for (const { rounds } of rows) for (const { changes } of rounds) t.ok(changes >= 1000 && changes <= 1500)
})

test('writers are measured with and without a consumer', { skip: BENCHMARK_MISSING }, async (t) => {
  const rows = await measurePrice({ pipelines: [16], rounds: 1, changes: 0, writes: 1000, load: LOAD })
  t.equal(rowsOf(priceTable(rows)).length, 2)
})

test('a database that was stopped is started again and still has its keys', async (t) => {
  const rows = await measureStart({ mebibytes: 1, rounds: 1, restSeconds: 0 })
  t.equal(rowsOf(startTable(rows)).length, 2)
  for (const { rounds } of rows) for (const { readyMs, residentMiB } of rounds) t.ok(readyMs > 0 && residentMiB > 10)
})
