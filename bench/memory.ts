/**
 * A database many times larger than the memory that it may use: block cache and page cache are bounded, so most reads of
 * random keys go to the disk. How many requests that makes, and what such reads cost clients that find all in memory.
 */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { strings } from './fillings.js'
import type { Job, Result } from './generator.js'
import { generate } from './measure.js'
import { MemoryBound } from './memory-bound.js'
import { type Contender, OURS, start, temporaryDirectory } from './servers.js'
import { Session } from './session.js'
import { figureText, markdownTable, median, ratios, spreadText } from './statistics.js'

export interface MemoryPlan {
  readonly mebibytes: number
  readonly rounds: number
  readonly seconds: number
  readonly pipelines: readonly number[]
  /** What reads from the disk take longer than they do. */
  readonly readDelayUs: number
  /** Ways to run the server, each with a name. */
  readonly variants: readonly Variant[]
}

export interface Variant {
  readonly name: string
  readonly settings: readonly string[]
}

/** Requests of keys that are mostly on disk. */
export interface ThroughputRow {
  readonly pattern: string
  readonly pipeline: number
  /** Rounds by name of the variant. */
  readonly rounds: ReadonlyMap<string, DiskResult[]>
}

/** With what the disk gave the server for a request; less than a block's worth shows how much was in memory. */
interface DiskResult extends Result {
  readonly diskKiB: number
}

/** Requests of a few keys, at a fixed rate, while others ask for keys on disk, at another. */
export interface NeighbourRow {
  readonly coldRate: number
  readonly rounds: ReadonlyMap<string, { hot: Result; cold: Result | undefined }[]>
}

export interface MemoryFigures {
  readonly mebibytes: number
  readonly pageCacheMiB: number
  readonly throughput: readonly ThroughputRow[]
  readonly neighbours: readonly NeighbourRow[]
}

export const VALUE_BYTES = 1024
export const BLOCK_CACHE_MIB = 16
const PAGE_CACHE_MIB = 48
const SETTINGS = [
  ...['--rocksdb.block_cache_size', String(BLOCK_CACHE_MIB), '--row-cache-mb', '4'],
  ...['--rocksdb.write_buffer_size', '8', '--rocksdb.target_file_size_base', '16'],
]
const GET = ['GET key:__rand_int__'.split(' ')]
const SET = [['SET', 'key:__rand_int__', 'x'.repeat(VALUE_BYTES)]]
const PATTERNS = [
  { name: 'GET, uniform', operations: [GET], isSkewed: false },
  { name: 'GET, Zipf', operations: [GET], isSkewed: true },
  { name: 'GET and SET, Zipf', operations: [GET, SET], isSkewed: true },
]
const CLIENTS = 50
/** Of the first trial, which tells how many make a run. */
const TRIAL_COUNT = 5000
/** So often each client asks at least: percentiles of fewer say nothing. */
const BATCHES_MIN = 5
const HOT_KEYS = 100
const HOT_RATE = 5000
const HOT_CLIENTS = 10
const COLD_RATES = [0, 1000, 4000, 8000]

export async function measureMemory(plan: MemoryPlan): Promise<MemoryFigures> {
  const dir = temporaryDirectory()
  const keys = Math.round((plan.mebibytes * 2 ** 20) / VALUE_BYTES)
  const throughput = PATTERNS.flatMap(({ name }) =>
    plan.pipelines.map((pipeline) => ({ pattern: name, pipeline, rounds: newRounds<DiskResult>(plan) })),
  )
  const neighbours = COLD_RATES.map((coldRate) => ({
    coldRate,
    rounds: newRounds<{ hot: Result; cold: Result | undefined }>(plan),
  }))
  const pageCaches: number[] = []
  try {
    await fill(dir, keys)
    const environment = plan.readDelayUs === 0 ? {} : slowReads(dir, plan.readDelayUs)
    for (let round = 0; round < plan.rounds; round++) {
      for (const variant of round % 2 === 0 ? plan.variants : [...plan.variants].reverse()) {
        dropPageCache(dir)
        using bound = new MemoryBound()
        const settings = [...SETTINGS, ...variant.settings]
        const server = await start(OURS, { dir, settings, cgroup: bound.directory, environment })
        try {
          await warmUp(server, keys)
          for (const row of throughput) {
            tighten(bound)
            await measureThroughput(server, plan, keys, row, variant.name)
          }
          for (const row of neighbours) {
            tighten(bound)
            await measureNeighbour(server, plan, keys, row, variant.name)
          }
          pageCaches.push(bound.usage().pageCache / 2 ** 20)
        } finally {
          await server.stop()
        }
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  return { mebibytes: plan.mebibytes, pageCacheMiB: median(pageCaches), throughput, neighbours }
}

function newRounds<Figures>({ variants }: MemoryPlan): Map<string, Figures[]> {
  return new Map(variants.map(({ name }) => [name, []]))
}

async function fill(dir: string, keys: number): Promise<void> {
  const server = await start(OURS, { dir, settings: SETTINGS })
  try {
    using session = await Session.open(server.port)
    await session.sendAll(strings(keys, VALUE_BYTES))
    const hot = Array.from({ length: HOT_KEYS }, (_, i) => ['SET', `hot:${String(i).padStart(12, '0')}`, 'x'])
    await session.sendAll([...hot, ['COMPACT']])
    while (!/is_compacting:no/.test(await session.ask([['INFO', 'rocksdb']]))) {
      await new Promise((done) => setTimeout(done, 100))
    }
  } finally {
    await server.stop()
  }
}

/** Whoever has read or written the tables before: their pages count for nobody any more, but would be found. */
function dropPageCache(dir: string): void {
  const tables = readdirSync(join(dir, 'db')).filter((name) => name.endsWith('.sst'))
  for (const name of tables) {
    execFileSync('dd', [`if=${join(dir, 'db', name)}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' })
  }
}

/** Compiles the library that delays reads; returns the environment that loads it. */
function slowReads(dir: string, delayUs: number): Record<string, string> {
  const library = join(dir, 'slow-reads.so')
  const source = join(import.meta.dirname, '../../bench/slow-reads.c')
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source])
  return { LD_PRELOAD: library, READ_DELAY_US: String(delayUs) }
}

async function warmUp(server: Contender, keys: number): Promise<void> {
  for (const { operations, isSkewed } of PATTERNS) {
    await generate({ port: server.port, clients: CLIENTS, operations, keys, isSkewed, count: 20_000, pipeline: 16 })
  }
}

/** Bounds the server's memory to what it uses now, and a little page cache. Its own share grows now and then. */
function tighten(bound: MemoryBound): void {
  bound.limit(bound.usage().own + PAGE_CACHE_MIB * 2 ** 20)
}

async function measureThroughput(
  server: Contender,
  { seconds }: MemoryPlan,
  keys: number,
  { pattern, pipeline, rounds }: ThroughputRow,
  variant: string,
): Promise<void> {
  const { operations = [], isSkewed = false } = PATTERNS.find(({ name }) => name === pattern) ?? {}
  const job = { port: server.port, clients: CLIENTS, operations, keys, isSkewed, pipeline }
  const { operationsPerSecond } = await generate({ ...job, seed: 1, count: TRIAL_COUNT })
  const count = Math.max(Math.ceil(operationsPerSecond * seconds), CLIENTS * pipeline * BATCHES_MIN)
  const before = diskBytes(server)
  // Other keys than those that are in memory now.
  const result = await generate({ ...job, seed: 2, count })
  rounds.get(variant)?.push({ ...result, diskKiB: (diskBytes(server) - before) / 1024 / count })
}

async function measureNeighbour(
  server: Contender,
  { seconds }: MemoryPlan,
  keys: number,
  { coldRate, rounds }: NeighbourRow,
  variant: string,
): Promise<void> {
  const job = { port: server.port, pipeline: 1 }
  const load = (name: string, count: number, clients: number, rate: number): Job => ({
    ...{ ...job, seed: rate, operations: [[['GET', `${name}:__rand_int__`]]], keys: count, clients, rate },
    count: Math.ceil(rate * seconds),
  })
  const [hot, cold] = await Promise.all([
    generate(load('hot', HOT_KEYS, HOT_CLIENTS, HOT_RATE)),
    coldRate === 0 ? undefined : generate(load('key', keys, CLIENTS, coldRate)),
  ])
  rounds.get(variant)?.push({ hot, cold })
}

/** What the server has had from the disk so far, and not from the page cache. */
function diskBytes({ process: { pid } }: Contender): number {
  return Number(/^read_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

const FIGURES = ['p50Ms', 'p99Ms'] as const

export function throughputTable(rows: readonly ThroughputRow[]): string {
  return markdownTable(
    ['most keys on disk', 'pipeline', 'server', 'requests/s', 'to the first', 'KiB from disk', 'p50 ms', 'p99 ms'],
    rows.flatMap(({ pattern, pipeline, rounds }) => {
      const rates = [...rounds.values()].map((results) => results.map(({ operationsPerSecond }) => operationsPerSecond))
      return [...rounds].map(([variant, results], index) => [
        ...[pattern, String(pipeline), variant, figureText(median(rates[index] ?? []))],
        index === 0 ? '' : spreadText(ratios(rates[index] ?? [], rates[0] ?? [])),
        ...(['diskKiB', ...FIGURES] as const).map((figure) =>
          figureText(median(results.map((result) => result[figure]))),
        ),
      ])
    }),
  )
}

export function neighbourTable(rows: readonly NeighbourRow[]): string {
  return markdownTable(
    [
      ...['GETs from disk/s', 'server', 'given'],
      ...['p50 ms', 'p99 ms', `p50 ms of ${HOT_RATE} hits/s`, 'p99 ms of hits', 'p99.9 ms of hits'],
    ],
    rows.flatMap(({ coldRate, rounds }) =>
      [...rounds].map(([variant, results]) => [
        String(coldRate),
        variant,
        ...(['operationsPerSecond', ...FIGURES] as const).map((figure) =>
          figureText(median(results.map(({ cold }) => cold?.[figure] ?? Number.NaN))),
        ),
        ...([...FIGURES, 'p999Ms'] as const).map((figure) => figureText(median(results.map(({ hot }) => hot[figure])))),
      ]),
    ),
  )
}
