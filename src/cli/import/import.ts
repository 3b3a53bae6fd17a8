/** kvrocks-ts import: takes over the keys of a Redis, and follows it until the cut-over. */

import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection, ServerError } from '../../cdc-client/redis-connection.js'
import { createConfig } from '../../config/load.js'
import { SILENT_LOG } from '../../log/log.js'
import { RdbError } from '../../storage/rdb/rdb-error.js'
import { ProgressLine, type ProgressTarget } from '../progress.js'
import { readWords } from '../words.js'
import { ImportError, Importer } from './importer.js'
import { SourceRefusal, sourceAddress } from './source-link.js'
import { TargetLost } from './target.js'

const IMPORT_USAGE = `Usage:
    kvrocks-ts import --from <url> [--to <url> | --dir <dir>] [options]

Copies all keys of a running Redis and follows its changes, as a replica of it, until it is interrupted (Ctrl-C): then it
carries out what the source had until that moment, and ends. Point your clients to the new server then.

An import that was killed goes on where it was when it is started again, as long as the source has kept what came since
(repl-backlog-size); else it empties the target and begins anew. Where it is stands in the target, under the key
kvrocks-ts:import, until it ends.

Options:
    --from <url>          redis://[user:password@]host[:port][/db], rediss:// for TLS; without /db it is database 0,
                          and keys in another one are an error
    --to <url>            a running server; default redis://127.0.0.1:6666. Its database must be empty
    --dir <dir>           instead: a data directory that no server has open
    --all-databases       each database of the source goes to the one of the same number (redis-databases)
    --merge               the target may have keys; those that come are written over
    --until-caught-up     end as soon as the target has all that the source has
`

export interface ImportStreams {
  readonly errors: ProgressTarget
  /** Asks for the cut-over. */
  readonly signal: AbortSignal
}

interface ImportArguments {
  readonly from: URL
  readonly to: string
  readonly dir: string | undefined
  readonly database: number | undefined
  readonly merges: boolean
  readonly untilCaughtUp: boolean
}

const TO_DEFAULT = 'redis://127.0.0.1:6666'
const DATABASES_MAX = 1024
const CUT_OVER_MS_MAX = 30_000

function readArguments(words: readonly string[]): ImportArguments | undefined {
  const given = readWords(words, ['--from', '--to', '--dir'], ['--all-databases', '--merge', '--until-caught-up'])
  const from = given?.one('--from')
  if (given === undefined || from === undefined || given.plain.length > 0 || !URL.canParse(from)) return undefined
  const dir = given.one('--dir')
  const to = given.one('--to')
  if (dir !== undefined && to !== undefined) return undefined
  const url = new URL(from)
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return undefined
  const number = url.pathname.length > 1 ? url.pathname.slice(1) : undefined
  if (number !== undefined && (!/^\d{1,9}$/.test(number) || given.has('--all-databases'))) return undefined
  return {
    from: url,
    to: to ?? TO_DEFAULT,
    dir,
    database: given.has('--all-databases') ? undefined : Number(number ?? 0),
    merges: given.has('--merge'),
    untilCaughtUp: given.has('--until-caught-up'),
  }
}

/** Runs until the cut-over. Returns the exit code: 1 too where something could not be copied. */
export async function runImport(words: readonly string[], { errors, signal }: ImportStreams): Promise<number> {
  const given = readArguments(words)
  if (given === undefined) {
    errors.write(IMPORT_USAGE)
    return 1
  }
  const progress = new ProgressLine(errors)
  try {
    await using target = await openTarget(given)
    const importer = new Importer({
      source: sourceAddress(given.from),
      target: target.connection,
      database: given.database,
      merges: given.merges,
      untilCaughtUp: given.untilCaughtUp,
      progress,
      cutOver: signal,
      cutOverMsMax: CUT_OVER_MS_MAX,
    })
    const { leftOut } = await importer.run()
    return leftOut > 0 ? 1 : 0
  } catch (error) {
    const isExpected =
      error instanceof ImportError ||
      error instanceof SourceRefusal ||
      error instanceof ServerError ||
      error instanceof RdbError ||
      error instanceof TargetLost ||
      (error as NodeJS.ErrnoException).code !== undefined
    if (!isExpected) throw error
    progress.say((error as Error).message)
    return 1
  }
}

interface OpenTarget extends AsyncDisposable {
  readonly connection: RedisConnection
}

async function openTarget({ to, dir, database }: ImportArguments): Promise<OpenTarget> {
  if (dir === undefined) {
    const connection = await RedisConnection.open(to)
    return { connection, [Symbol.asyncDispose]: async () => connection.close() }
  }
  const { Server } = await import('../../server/server.js')
  const databases = database === undefined ? { 'redis-databases': DATABASES_MAX } : {}
  const server = new Server({
    config: createConfig({ ...databases, dir, port: 0, bind: '127.0.0.1' }),
    log: SILENT_LOG,
  })
  await server.listen()
  const connection = await RedisConnection.open(`redis://127.0.0.1:${server.port}`)
  return {
    connection,
    async [Symbol.asyncDispose]() {
      connection.close()
      // The server sees that it is gone before it closes.
      await sleep(0)
      await server.close()
    },
  }
}
