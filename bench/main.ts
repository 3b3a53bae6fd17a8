/**
 * Compares kvrocks-ts with redis-server, and with the Kvrocks that KVROCKS_BIN names. Servers that are compared stay up
 * together, and each is measured in turn, round by round, so that a machine that is slow for a while is slow for all.
 *
 *   npm run bench -- [--sections families,latency,feed,allocations,start] [--tests get,set] [--pipelines 1,16,64]
 *                    [--rounds N] [--seconds N] [--keys N] [--bytes N] [--clients N] [--svg FILE]
 *                    [--latency-tests get,set] [--rates 10000,30000,60000] [--changes N] [--mebibytes N]
 *                    [--data-mebibytes N] [--read-delay-us N] [--floor]
 *
 * `--floor` compares also with the least that a server of this design can be (floor.ts): of ping_mbulk, get, set and mset.
 * One more section, memory, needs the rights of root.
 */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { rocksdbVersion } from '../src/rocksdb/rocksdb.js'
import { allocationsTable, measureAllocations } from './allocations.js'
import { familiesTable, measureFamilies, type Row, ratioOf } from './families.js'
import { measurePrice, measureReading, priceTable, readingTable } from './feed.js'
import { latencyTable, measureLatency } from './latency.js'
import type { Load } from './measure.js'
import { BLOCK_CACHE_MIB, measureMemory, neighbourTable, throughputTable, VALUE_BYTES } from './memory.js'
import { FLOOR, OURS, peerNames } from './servers.js'
import { measureStart, startTable } from './start-stop.js'
import { figureText } from './statistics.js'
import { barChart } from './svg.js'
import { WORKLOADS, workloadsNamed } from './workloads.js'

const { values: given } = parseArgs({
  options: {
    sections: { type: 'string', default: 'families,latency,feed,allocations,start' },
    tests: { type: 'string', default: WORKLOADS.map(({ name }) => name).join(',') },
    pipelines: { type: 'string', default: '1,16,64' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    keys: { type: 'string', default: '1000000' },
    bytes: { type: 'string', default: '3' },
    clients: { type: 'string', default: '50' },
    svg: { type: 'string' },
    'latency-tests': { type: 'string', default: 'get,set' },
    rates: { type: 'string', default: '10000,30000,60000' },
    changes: { type: 'string', default: '100000' },
    mebibytes: { type: 'string', default: '1024' },
    'data-mebibytes': { type: 'string', default: '512' },
    'read-delay-us': { type: 'string', default: '0' },
    floor: { type: 'boolean', default: false },
  },
})

const load: Load = { clients: Number(given.clients), keys: Number(given.keys), valueBytes: Number(given.bytes) }
const rounds = Number(given.rounds)
const seconds = Number(given.seconds)
const pipelines = given.pipelines.split(',').map(Number)
const peers = [...peerNames(), ...(given.floor ? [FLOOR] : [])]
const servers = [OURS, ...peers]
/** A load of SETs with a consumer lasts about as long as the other runs. */
const WRITES_PER_SECOND = 100_000
/** Disks are slow, and their figures vary. */
const MEMORY_SECONDS_MIN = 2

const SECTIONS: Readonly<Record<string, () => Promise<void>>> = {
  async families() {
    const workloads = workloadsNamed(given.tests.split(','))
    const rows = await measureFamilies({ workloads, pipelines, rounds, seconds, load, servers }, progress)
    for (const peer of peers) console.log(`${familiesTable(rows, peer)}\n`)
    if (given.svg !== undefined) writeFileSync(given.svg, plot(rows))
  },
  async latency() {
    const workloads = workloadsNamed(given['latency-tests'].split(','))
    const rates = given.rates.split(',').map(Number)
    const rows = await measureLatency({ workloads, rates, rounds, seconds: Math.max(seconds, 1), load, servers })
    console.log(`${latencyTable(rows)}\n`)
  },
  async feed() {
    const writes = Math.round(WRITES_PER_SECOND * seconds)
    const plan = { pipelines, rounds, changes: Number(given.changes), writes, load }
    console.log(`${readingTable(await measureReading(plan))}\n`)
    console.log(`${priceTable(await measurePrice(plan))}\n`)
  },
  async allocations() {
    console.log(`${allocationsTable(await measureAllocations())}\n`)
  },
  async start() {
    const rows = await measureStart({ mebibytes: Number(given.mebibytes), rounds, restSeconds: 2 })
    console.log(`${startTable(rows)}\n`)
  },
  async memory() {
    const memorySeconds = Math.max(seconds, MEMORY_SECONDS_MIN)
    const figures = await measureMemory({
      mebibytes: Number(given['data-mebibytes']),
      ...{ pipelines, rounds, seconds: memorySeconds },
      readDelayUs: Number(given['read-delay-us']),
      variants: [
        { name: OURS, settings: [] },
        { name: 'one thread, `workers 0`', settings: ['--workers', '0'] },
      ],
    })
    const { mebibytes, pageCacheMiB, throughput, neighbours } = figures
    const cached = `a page cache of ${figureText(pageCacheMiB)} MiB and a block cache of ${BLOCK_CACHE_MIB} MiB`
    console.log(`${mebibytes} MiB in values of ${VALUE_BYTES} bytes, ${cached}, ${memorySeconds} s a run:\n`)
    console.log(`${throughputTable(throughput)}\n\n${neighbourTable(neighbours)}\n`)
  },
}

/** For whoever waits. */
function progress(row: Row): void {
  const shown = peers.map((peer) => `${ratioOf(row, peer, 'requestsPerSecond').median.toFixed(2)} of ${peer}`)
  console.error(`${row.workload.name}, pipeline ${row.pipeline}: ${shown.join(', ')}`)
}

function plot(rows: readonly Row[]): string {
  const bars = peers.flatMap((peer) =>
    rows.map((row) => ({
      group: row.workload.name,
      name: peers.length === 1 ? `pipeline ${row.pipeline}` : `${row.pipeline}, ${peer}`,
      ratio: ratioOf(row, peer, 'requestsPerSecond'),
    })),
  )
  return barChart(`Throughput of ${OURS} : ${peers.join(', ')}`, bars)
}

console.log(
  `${rounds} rounds of ${seconds} s, ${load.clients} clients, ${load.keys} keys, values of ${load.valueBytes} bytes, ` +
    `Node.js ${process.version}, RocksDB ${rocksdbVersion}\n`,
)
for (const section of given.sections.split(',')) {
  const measureSection = SECTIONS[section]
  if (measureSection === undefined) throw new Error(`no such section: ${section}`)
  await measureSection()
}
