/** kvrocks-ts cdc: the change feed on the command line. */

import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { type FeedOptions, fileCheckpoint, pages } from '../cdc-client/changes.js'
import { copyTo, isRedis, isTarget, type SourceOptions } from './copy/copy.js'

const CDC_USAGE = `Usage:
    kvrocks-ts cdc tail [options]        print changes, one JSON object a line
    kvrocks-ts cdc snapshot [options]    print all keys as changes, and end
    kvrocks-ts cdc copy --to <url> [options]
                                         copy all keys to another place, then follow the changes:
                                         redis://… (a Redis or a Kvrocks), http(s)://… (posts JSON arrays),
                                         file:<path> or - (a change a line)

Options:
    --url <url>             the server; default redis://127.0.0.1:6666
    --since <where>         tail: now (default), oldest, or a sequence to begin after
    --match <glob>          keys; may be given several times, as may --type, --op and --namespace
    --checkpoint <file>     go on where the last run ended; a change may come twice
    --checkpoint-key <key>  copy: the same, kept by the target together with what it got, so that none comes twice
    --stream <key>          copy: into a stream of the Redis server, as entries with sequence and change
    --batch <n>             copy to http(s): changes of one request; default 100
    --secret <text>         copy to http(s): signs requests, x-kvrocks-signature: sha256=<HMAC in hexadecimal>;
                            default: the environment variable KVROCKS_TS_SECRET
    --slot <name>           tail, copy: the same, kept by the server together with the log; see CDC SLOT
    --follow <yes|no>       no: end at the present end of the feed; default yes
`

interface CdcArguments {
  readonly mode: 'tail' | 'snapshot' | 'copy'
  readonly feed: SourceOptions
  readonly to: string | undefined
  readonly checkpointKey: string | undefined
  readonly stream: string | undefined
  readonly batch: number
  readonly secret: string | undefined
}

interface Streams {
  readonly output: Writable
  readonly errors: Writable
  readonly signal: AbortSignal
}

const BATCH_DEFAULT = 100
const URL_DEFAULT = 'redis://127.0.0.1:6666'

/** Reads the words after `cdc`; undefined if they make no sense. */
function parseCdcArguments(words: readonly string[]): CdcArguments | undefined {
  const [mode, ...rest] = words
  if (mode !== 'tail' && mode !== 'snapshot' && mode !== 'copy') return undefined
  const values = new Map<string, string[]>()
  for (let at = 0; at < rest.length; at += 2) {
    const name = rest[at] as string
    const value = rest[at + 1]
    if (!OPTION_NAMES.has(name) || value === undefined) return undefined
    values.set(name, [...(values.get(name) ?? []), value])
  }
  const one = (name: string): string | undefined => values.get(name)?.at(-1)
  const since = one('--since') ?? 'now'
  if (since !== 'now' && since !== 'oldest' && !/^\d+$/.test(since)) return undefined
  const to = one('--to')
  if ((mode === 'copy') !== (to !== undefined) || (to !== undefined && !isTarget(to))) return undefined
  const stream = one('--stream')
  if (stream !== undefined && (to === undefined || !isRedis(to))) return undefined
  const batch = Number(one('--batch') ?? BATCH_DEFAULT)
  if (!Number.isInteger(batch) || batch < 1) return undefined
  const file = one('--checkpoint')
  const slot = one('--slot')
  if (mode === 'snapshot' && slot !== undefined) return undefined
  const feed: SourceOptions = {
    url: one('--url') ?? URL_DEFAULT,
    since: since === 'now' || since === 'oldest' ? since : Number(since),
    snapshot: mode !== 'tail',
    match: values.get('--match') ?? [],
    types: values.get('--type') ?? [],
    ops: values.get('--op') ?? [],
    namespaces: values.get('--namespace') ?? [],
    follow: mode !== 'snapshot' && one('--follow') !== 'no',
    ...(file === undefined ? {} : { checkpoint: fileCheckpoint(file) }),
    ...(slot === undefined ? {} : { slot }),
  }
  const secret = one('--secret') ?? process.env['KVROCKS_TS_SECRET']
  return { mode, feed, to, stream, batch, secret, checkpointKey: one('--checkpoint-key') }
}

const OPTION_NAMES = new Set([
  '--url',
  '--to',
  '--since',
  '--match',
  '--type',
  '--op',
  '--namespace',
  '--checkpoint',
  '--checkpoint-key',
  '--stream',
  '--batch',
  '--secret',
  '--slot',
  '--follow',
])

/** Runs until the feed ends or `signal` aborts. Returns the exit code. */
export async function runCdc(words: readonly string[], { output, errors, signal }: Streams): Promise<number> {
  const given = parseCdcArguments(words)
  if (given === undefined) {
    errors.write(CDC_USAGE)
    return 1
  }
  const onRetry = (error: Error): void => void errors.write(`trying again: ${error.message}\n`)
  const feed = { ...given.feed, signal, onRetry }
  try {
    if (given.to === undefined) await print(feed, output, given.mode === 'snapshot')
    else await copyTo({ ...given, to: given.to, feed, output, errors })
    return 0
  } catch (error) {
    errors.write(`${(error as Error).message}\n`)
    return 1
  }
}

async function print(feed: FeedOptions, output: Writable, isSnapshot: boolean): Promise<void> {
  for await (const page of pages(feed)) {
    if (isSnapshot && !page.isSnapshot) return
    const text = page.texts.map((line) => `${line}\n`).join('')
    if (text !== '' && !output.write(text)) await once(output, 'drain')
  }
}
