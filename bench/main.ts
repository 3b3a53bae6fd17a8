/**
 * Compares kvrocks-ts with redis-server, and with the Kvrocks that KVROCKS_BIN names: all servers stay up, and each test
 * runs against them in turn, round by round, so that a machine that is slow for a while is slow for all of them.
 *
 *   npm run bench -- [--rounds N] [--requests N] [--keys N] [--tests get,set] [--pipelines 1,16,64] [--bytes 3,1024]
 */

import { parseArgs } from 'node:util'
import { rocksdbVersion } from '../src/rocksdb/rocksdb.js'
import { type Figures, type Load, measure, type Workload } from './measure.js'
import { type Contender, start } from './servers.js'
import { tableHead, tableRow } from './table.js'

const OURS = 'kvrocks-ts'

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '100000' },
    keys: { type: 'string', default: '1000000' },
    clients: { type: 'string', default: '50' },
    tests: { type: 'string', default: 'ping_mbulk,set,get,incr,mset' },
    pipelines: { type: 'string', default: '1,16,64' },
    bytes: { type: 'string', default: '3,1024' },
  },
})

const load: Load = { clients: Number(given.clients), keys: Number(given.keys), requests: Number(given.requests) }
const peers = ['redis-server', ...(process.env['KVROCKS_BIN'] === undefined ? [] : ['kvrocks'])]

function workloads(): Workload[] {
  const list: Workload[] = []
  for (const valueBytes of given.bytes.split(',').map(Number)) {
    for (const test of given.tests.split(',')) {
      for (const pipeline of given.pipelines.split(',').map(Number)) list.push({ test, pipeline, valueBytes })
    }
  }
  return list
}

/** Fills the key space, so that reads find values. */
async function fill(servers: readonly Contender[]): Promise<void> {
  const whole: Load = { ...load, requests: Math.ceil(load.keys / 2) }
  for (const server of servers) await measure(server, { test: 'set', pipeline: 16, valueBytes: 3 }, whole)
}

async function compare(servers: readonly Contender[], workload: Workload): Promise<Map<string, Figures[]>> {
  const rounds = new Map(servers.map((server) => [server.name, [] as Figures[]]))
  for (let round = 0; round < Number(given.rounds); round++) {
    const order = round % 2 === 0 ? servers : [...servers].reverse()
    for (const server of order) rounds.get(server.name)?.push(await measure(server, workload, load))
  }
  return rounds
}

const servers: Contender[] = []
try {
  for (const name of [OURS, ...peers]) servers.push(await start(name))
  console.log(`${given.rounds} rounds, ${load.clients} clients, ${load.keys} keys, RocksDB ${rocksdbVersion}\n`)
  await fill(servers)
  const results: [Workload, Map<string, Figures[]>][] = []
  for (const workload of workloads()) results.push([workload, await compare(servers, workload)])
  for (const peer of peers) {
    console.log(tableHead(peer))
    for (const [workload, rounds] of results) {
      console.log(tableRow(workload, rounds.get(OURS) ?? [], rounds.get(peer) ?? []))
    }
    console.log()
  }
} finally {
  for (const server of servers) await server.stop()
}
