/** One run of redis-benchmark against one server, and what it cost the server. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Contender } from './servers.js'

const run = promisify(execFile)

/** A row of the table. */
export interface Workload {
  /** A test of redis-benchmark, or the words of a command. */
  readonly test: string
  readonly words?: readonly string[]
  readonly pipeline: number
  /** Bytes of a value. */
  readonly valueBytes: number
}

export interface Figures {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUsPerRequest: number
  readonly residentMiB: number
}

export interface Load {
  readonly clients: number
  /** Keys are drawn at random from so many. */
  readonly keys: number
  /** Requests of a run at pipeline 1; deeper pipelines send more, to last as long. */
  readonly requests: number
}

/** Deeper pipelines are faster: so many times the requests make runs of like length. */
const REQUESTS_FACTOR: Readonly<Record<number, number>> = { 1: 1, 16: 4, 64: 6 }

export async function measure(server: Contender, workload: Workload, load: Load): Promise<Figures> {
  const requests = load.requests * (REQUESTS_FACTOR[workload.pipeline] ?? 4)
  const words = workload.words ?? ['-t', workload.test]
  const cpuBefore = server.cpuSeconds()
  const { stdout } = await run('redis-benchmark', [
    ...['-h', '127.0.0.1', '-p', String(server.port), '-n', String(requests), '-r', String(load.keys)],
    ...['-c', String(load.clients), '-P', String(workload.pipeline), '-d', String(workload.valueBytes), '--csv'],
    ...words,
  ])
  const cpuSeconds = server.cpuSeconds() - cpuBefore
  const fields = (stdout.trim().split('\n').at(-1) ?? '').split('","').map((field) => field.replaceAll('"', ''))
  // test, rps, avg, min, p50, p95, p99, max
  return {
    requestsPerSecond: Number(fields[1]),
    p50Ms: Number(fields[4]),
    p99Ms: Number(fields[6]),
    cpuUsPerRequest: (cpuSeconds * 1e6) / requests,
    residentMiB: server.residentBytes() / 2 ** 20,
  }
}
