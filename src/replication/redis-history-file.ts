/**
 * The histories of Redis replicas across a restart of this server: written when it ends, read once when it begins. Changes
 * after that are in the log; what else was sent to replicas, such as pings, is not, so a server that was killed forgets.
 *
 *   { "database": identity, "histories": [{ "id", "namespace", "offset", "next", "marks": [[offset, next, extra?], …] }, …] }
 *
 * Bytes are in base64.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.js'
import { removeFileSync, replaceFileSync } from '../files/replace-file.js'
import type { Log } from '../log/log.js'
import type { Store } from '../storage/store.js'
import { type Mark, RedisHistory, type SavedHistory } from './redis-history.js'

type MarkInFile = readonly [offset: number, next: number, extra?: string]

interface HistoryInFile {
  readonly id: string
  readonly namespace: string
  readonly offset: number
  readonly next: number
  readonly marks: readonly MarkInFile[]
}

interface HistoryFile {
  readonly database: string
  readonly histories: readonly HistoryInFile[]
}

/** Writes the file, unless there are no histories. Throws an Error of the system. */
export function saveHistories(config: Config, histories: Iterable<RedisHistory>): void {
  const saved = [...histories].map((history) => toFile(history.saved))
  if (saved.length === 0) return
  const content: HistoryFile = { database: identityOf(config), histories: saved }
  replaceFileSync(config.paths.redisHistories, JSON.stringify(content))
}

/** The histories of this database, if its server ended in order; the file is gone then. */
export function takeHistories(config: Config, store: Store, log: Log): RedisHistory[] {
  const path = config.paths.redisHistories
  try {
    const { database, histories } = JSON.parse(readFileSync(path, 'utf8')) as HistoryFile
    if (database !== identityOf(config)) throw new Error('they are of another database')
    const latest = store.latestSequence()
    return histories
      .filter(({ next }) => next <= latest + 1)
      .map((saved) => RedisHistory.restore(fromFile(saved), store))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.error(`[replication] the histories of Redis replicas in ${path} are of no use: ${(error as Error).message}`)
    }
    return []
  } finally {
    removeFileSync(path)
  }
}

/** RocksDB gives each database a name that no other has. */
function identityOf(config: Config): string {
  return readFileSync(join(config.paths.db, 'IDENTITY'), 'latin1').trim()
}

function toFile({ id, namespace, offset, next, marks }: SavedHistory): HistoryInFile {
  return {
    id,
    namespace: namespace.toString('base64'),
    offset,
    next,
    marks: marks.map((mark): MarkInFile => {
      const at = [mark.offset, mark.next] as const
      return mark.extra === undefined ? at : [...at, mark.extra.toString('base64')]
    }),
  }
}

function fromFile({ id, namespace, offset, next, marks }: HistoryInFile): SavedHistory {
  return {
    id,
    namespace: Buffer.from(namespace, 'base64'),
    offset,
    next,
    marks: marks.map(([at, following, extra]): Mark => {
      return { offset: at, next: following, extra: extra === undefined ? undefined : Buffer.from(extra, 'base64') }
    }),
  }
}
