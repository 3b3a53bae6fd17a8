/** The bytes that our server allocates for an operation, and those of them that outlive their turn. */

import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { HeapSample } from './heap-probe.js'
import { program } from './measure.js'
import { type Contender, OURS, start } from './servers.js'
import { Session } from './session.js'
import { markdownTable } from './statistics.js'

export interface Allocation {
  readonly name: string
  /** Bytes of an operation, on JavaScript's heap and in buffers. */
  readonly allocatedBytes: number
  /** Bytes of an operation that a full collection does not free. */
  readonly keptBytes: number
}

/** The new space is so large that nothing is collected while an operation is measured. */
const NEW_SPACE_MIB = 128
const OPERATIONS = 8000
/** One connection sends so many at a time and waits, so that each turn has as many. */
const PIPELINE = 16
/** Keys, members and fields repeat after so many: what is measured changes what is there. */
const KEYS = 1000

type WordsOf = (index: number) => readonly string[]

const COMMANDS: Readonly<Record<string, WordsOf>> = {
  ping: () => ['PING'],
  get: (index) => ['GET', `key:${index % KEYS}`],
  set: (index) => ['SET', `key:${index % KEYS}`, 'abc'],
  incr: (index) => ['INCR', `counter:${index % KEYS}`],
  hget: (index) => ['HGET', 'hash', `field:${index % KEYS}`],
  hset: (index) => ['HSET', 'hash', `field:${index % KEYS}`, String(index)],
  lpush: () => ['LPUSH', 'list', 'abc'],
  sadd: (index) => ['SADD', 'set', `member:${index}`],
  zadd: (index) => ['ZADD', 'zset', String(index), `member:${index % KEYS}`],
  xadd: () => ['XADD', 'stream', '*', 'field', 'abc'],
}

export const ALLOCATION_NAMES: readonly string[] = Object.keys(COMMANDS)

export async function measureAllocations(names = ALLOCATION_NAMES): Promise<Allocation[]> {
  const nodeFlags = [
    ...['--expose-gc', '--import', program('heap-probe')],
    ...[`--min-semi-space-size=${NEW_SPACE_MIB}`, `--max-semi-space-size=${NEW_SPACE_MIB}`],
  ]
  const server = await start(OURS, { nodeFlags, descriptor3: 'pipe' })
  const reports = createInterface({ input: server.process.stdio[3] as Readable })
  try {
    using session = await Session.open(server.port)
    // Filled in before, so that reads find something; and the compilers are through with what all have in common.
    for (const name of ['set', 'hset', 'get']) await operate(session, name, 0)
    const allocations: Allocation[] = []
    for (const name of names) allocations.push(await measureOne(server, reports, session, name))
    return allocations
  } finally {
    reports.close()
    await server.stop()
  }
}

async function measureOne(server: Contender, reports: Interface, session: Session, name: string): Promise<Allocation> {
  await operate(session, name, 0)
  await operate(session, name, OPERATIONS)
  const start = await sample(server, reports)
  await operate(session, name, OPERATIONS * 2)
  const end = await sample(server, reports)
  if (end.collections > start.collections) throw new Error(`${name}: garbage was collected while it was measured`)
  return {
    name,
    allocatedBytes: (end.before - start.after) / OPERATIONS,
    keptBytes: (end.after - start.after) / OPERATIONS,
  }
}

async function operate(session: Session, name: string, from: number): Promise<void> {
  const wordsOf = COMMANDS[name]
  if (wordsOf === undefined) throw new Error(`no such command: ${name}`)
  for (let i = from; i < from + OPERATIONS; i += PIPELINE) {
    await session.sendAll(Array.from({ length: PIPELINE }, (_, j) => wordsOf(i + j)))
  }
}

async function sample(server: Contender, reports: Interface): Promise<HeapSample> {
  server.process.kill('SIGUSR2')
  const [line] = (await once(reports, 'line')) as [string]
  return JSON.parse(line) as HeapSample
}

export function allocationsTable(allocations: readonly Allocation[]): string {
  return markdownTable(
    ['command', 'bytes allocated', 'bytes kept'],
    allocations.map(({ name, allocatedBytes, keptBytes }) => [
      name,
      String(Math.round(allocatedBytes)),
      keptBytes.toFixed(1),
    ]),
  )
}
