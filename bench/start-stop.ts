/** How long a server with much data takes to start and to stop, and the memory that it needs without any work. */

import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Contender, OURS, start, temporaryDirectory } from './servers.js'
import { Session } from './session.js'
import { figureText, markdownTable, median } from './statistics.js'

export interface StartPlan {
  readonly mebibytes: number
  readonly rounds: number
  /** Memory is read so long after the start. */
  readonly restSeconds: number
}

export interface StartFigures {
  readonly readyMs: number
  readonly stopMs: number
  readonly residentMiB: number
}

export interface StartRow {
  readonly mebibytes: number
  readonly rounds: readonly StartFigures[]
}

const VALUE_BYTES = 1024

/** An empty database, and one with as much as the plan says, stopped in good order before. */
export async function measureStart(plan: StartPlan): Promise<StartRow[]> {
  const rows: StartRow[] = []
  for (const mebibytes of [0, plan.mebibytes]) {
    const dir = temporaryDirectory()
    try {
      await stopAfter(await start(OURS, { dir }), async ({ port }) => {
        using session = await Session.open(port)
        await session.sendAll(values(mebibytes))
      })
      const rounds: StartFigures[] = []
      for (let round = 0; round < plan.rounds; round++) rounds.push(await measureOnce(dir, plan))
      rows.push({ mebibytes, rounds })
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
  return rows
}

async function measureOnce(dir: string, { restSeconds }: StartPlan): Promise<StartFigures> {
  const server = await start(OURS, { dir })
  let residentMiB = 0
  const stopMs = await stopAfter(server, async () => {
    await sleep(restSeconds * 1000)
    residentMiB = server.residentBytes() / 2 ** 20
  })
  return { readyMs: server.readyMs, stopMs, residentMiB }
}

/** Returns how many milliseconds the stop took. */
async function stopAfter(server: Contender, work: (server: Contender) => Promise<void>): Promise<number> {
  let startMs = 0
  try {
    await work(server)
  } finally {
    startMs = performance.now()
    await server.stop()
  }
  return performance.now() - startMs
}

/** Values that do not compress, without the cost of true randomness: pieces of one random text. */
function* values(mebibytes: number): Generator<readonly string[]> {
  const text = Array.from({ length: VALUE_BYTES * 64 }, () => Math.floor(Math.random() * 36).toString(36)).join('')
  for (let i = 0; i < (mebibytes * 2 ** 20) / VALUE_BYTES; i++) {
    const at = Math.floor(Math.random() * (text.length - VALUE_BYTES))
    yield ['SET', `key:${i}`, text.slice(at, at + VALUE_BYTES)]
  }
}

export function startTable(rows: readonly StartRow[]): string {
  return markdownTable(
    ['database', 'ready ms', 'stop ms', 'RSS at rest MiB'],
    rows.map(({ mebibytes, rounds }) => [
      mebibytes === 0 ? 'empty' : `${mebibytes} MiB`,
      ...(['readyMs', 'stopMs', 'residentMiB'] as const).map((figure) =>
        figureText(median(rounds.map((figures) => figures[figure]))),
      ),
    ]),
  )
}
