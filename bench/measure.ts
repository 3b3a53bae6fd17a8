/** One run of a workload against one server, and what it cost the server. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Job, Result } from './generator.js'
import { type Contender, endProcess } from './servers.js'
import { Session } from './session.js'
import { CHANNEL, type Workload, wordsOf } from './workloads.js'

const run = promisify(execFile)

export interface Figures {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUsPerRequest: number
  readonly residentMiB: number
}

export interface Load {
  readonly clients: number
  /** Keys and elements are drawn at random from so many. */
  readonly keys: number
  readonly valueBytes: number
}

const REPLY_BYTES_SHOWN = 200

/** The words of a workload's operations. */
export function operationsOf({ operations }: Workload, { valueBytes }: Load): string[][][] {
  return operations.map((commands) => commands.map((command) => wordsOf(command, valueBytes)))
}

/** Fills in what the workload needs to find, for `count` operations if it uses that up. */
export async function fillIn(server: Contender, workload: Workload, load: Load, count: number): Promise<void> {
  if (workload.filling === undefined) return
  using session = await Session.open(server.port)
  await session.sendAll(workload.filling(workload.isConsuming ? count : load.keys, load.valueBytes))
}

/** Throws unless the first operation finds what it is to find. */
export async function check(server: Contender, workload: Workload, load: Load): Promise<void> {
  using session = await Session.open(server.port)
  const [operation = []] = operationsOf(workload, load)
  const zero = operation.map((words) => words.map((word) => word.replaceAll('__rand_int__', '0'.repeat(12))))
  const reply = await session.ask(zero)
  if (workload.finds.test(reply)) return
  throw new Error(`${workload.name}: ${server.name} answers ${JSON.stringify(reply.slice(0, REPLY_BYTES_SHOWN))}`)
}

/** Sends `count` operations, `pipeline` at a time. */
export async function measure(
  server: Contender,
  workload: Workload,
  load: Load,
  pipeline: number,
  count: number,
): Promise<Figures> {
  const subscribers = await subscribe(server, workload)
  const cpuBefore = server.cpuSeconds()
  const isSingle = workload.operations.length === 1 && workload.operations[0]?.length === 1
  const figures = await (isSingle ? byRedisBenchmark : byGenerator)(server, workload, load, pipeline, count)
  const cpuUsPerRequest = ((server.cpuSeconds() - cpuBefore) * 1e6) / count
  if (subscribers !== undefined) await endProcess(subscribers)
  return { ...figures, cpuUsPerRequest, residentMiB: server.residentBytes() / 2 ** 20 }
}

type LoadFigures = Pick<Figures, 'requestsPerSecond' | 'p50Ms' | 'p99Ms'>

async function byRedisBenchmark(
  server: Contender,
  workload: Workload,
  load: Load,
  pipeline: number,
  count: number,
): Promise<LoadFigures> {
  const words = workload.isInline ? ['-t', 'ping_inline'] : (operationsOf(workload, load)[0]?.[0] ?? [])
  const { stdout } = await run('redis-benchmark', [
    ...['-h', '127.0.0.1', '-p', String(server.port), '-n', String(count), '-r', String(workload.keys ?? load.keys)],
    ...['-c', String(load.clients), '-P', String(pipeline), '--csv'],
    ...words,
  ])
  const fields = (stdout.trim().split('\n').at(-1) ?? '').split('","').map((field) => field.replaceAll('"', ''))
  // test, rps, avg, min, p50, p95, p99, max
  const [requestsPerSecond = Number.NaN, , , p50Ms = Number.NaN, , p99Ms = Number.NaN] = fields.slice(-7).map(Number)
  return { requestsPerSecond, p50Ms, p99Ms }
}

async function byGenerator(
  server: Contender,
  workload: Workload,
  load: Load,
  pipeline: number,
  count: number,
): Promise<LoadFigures> {
  const { operationsPerSecond, p50Ms, p99Ms } = await generate({
    port: server.port,
    clients: load.clients,
    operations: operationsOf(workload, load),
    keys: workload.keys ?? load.keys,
    count,
    pipeline,
  })
  return { requestsPerSecond: operationsPerSecond, p50Ms, p99Ms }
}

/** Runs our own load generator. Throws if the server has answered with an error. */
export async function generate(job: Job): Promise<Result> {
  const { stdout } = await run(process.execPath, [program('generator'), JSON.stringify(job)])
  const result = JSON.parse(stdout) as Result
  if (result.errors > 0) throw new Error(`${result.errors} replies are errors`)
  return result
}

/** The path of a program of this folder. */
export function program(name: string): string {
  return join(import.meta.dirname, `${name}.js`)
}

async function subscribe({ port }: Contender, { subscribers }: Workload): Promise<ChildProcess | undefined> {
  if (subscribers === undefined) return undefined
  const child = spawn(process.execPath, [program('subscribers'), String(port), CHANNEL, String(subscribers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}
