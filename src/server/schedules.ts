/** Jobs that kvrocks.conf gives a schedule, or that follow from its bounds. Source: kvrocks src/server/server.cc, Server::cron. */

import { countedNamespace } from '../commands/scan.js'
import type { KeyCounts, Namespaces } from '../commands/server-view.js'
import { compactionChecker } from '../config/checks.js'
import type { Config } from '../config/config.js'
import { Cron as Schedule } from '../config/cron.js'
import { ReplyError } from '../protocol/errors.js'
import { CF_PROPAGATE, CF_PUBSUB } from '../storage/column-family.js'
import { DEFAULT_NAMESPACE, databaseNamespace } from '../storage/keys.js'
import type { CompactionChecker } from './compaction-checker.js'
import type { CronJob } from './cron.js'
import type { MaintenanceWork } from './maintenance.js'

const SCHEDULE_CHECK_MS = 20_000
const BACKUP_CHECK_MS = 10_000
const COMPACTION_CHECK_MS = 60_000

interface Parts {
  readonly config: Config
  readonly maintenance: MaintenanceWork
  readonly checker: CompactionChecker
  readonly namespaces: Namespaces
  readonly keyCounts: KeyCounts
  /** Unix milliseconds. */
  readonly now: () => number
  /** True while the database is closed. */
  readonly isLoading: () => boolean
}

export function scheduledJobs(parts: Parts): CronJob[] {
  const { config, maintenance, checker, now, isLoading } = parts
  const due = dueBy(config, now)
  const isCheckerOn = (): boolean => compactionChecker(config.values).enabled
  let compactedDay = -1
  return [
    {
      name: 'scheduled work',
      everyMs: SCHEDULE_CHECK_MS,
      run: () => {
        if (isLoading()) return
        if (due('bgsave-cron')) unlessRunning(() => maintenance.save())
        if (!isCheckerOn() && due('compact-cron')) unlessRunning(() => maintenance.compact(undefined))
        if (due('dbsize-scan-cron')) countAllKeys(parts)
      },
    },
    { name: 'expire backups', everyMs: BACKUP_CHECK_MS, run: () => maintenance.expireBackups() },
    {
      name: 'compaction checker',
      everyMs: COMPACTION_CHECK_MS,
      run: async () => {
        if (isLoading() || !isCheckerOn()) return
        const nowMs = now()
        if (compactionChecker(config.values).matches(new Date(nowMs))) await checker.run(nowMs)
        const day = new Date(nowMs).getUTCDate()
        if (day === compactedDay) return
        compactedDay = day
        // Their rows are of use only to replicas that are in the middle of catching up.
        await maintenance.compactRange(CF_PUBSUB, undefined, undefined)
        await maintenance.compactRange(CF_PROPAGATE, undefined, undefined)
      },
    },
  ]
}

/** Answers whether an option's schedule is due, once in each minute that it names, whatever text it has by then. */
function dueBy(
  config: Config,
  now: () => number,
): (name: 'bgsave-cron' | 'compact-cron' | 'dbsize-scan-cron') => boolean {
  const schedules = new Map<string, { readonly text: string; readonly schedule: Schedule }>()
  return (name) => {
    const text = config.values[name]
    let known = schedules.get(name)
    if (known?.text !== text) {
      known = { text, schedule: new Schedule(text) }
      schedules.set(name, known)
    }
    return known.schedule.isDue(new Date(now()))
  }
}

function countAllKeys({ config: { values }, namespaces, keyCounts }: Parts): void {
  const databases = Array.from({ length: values['redis-databases'] }, (_, index) => databaseNamespace(index))
  const named = namespaces.list().map(([namespace]) => Buffer.from(namespace))
  for (const namespace of databases.length > 0 ? databases : [...named, DEFAULT_NAMESPACE]) {
    unlessRunning(() => keyCounts.scan(countedNamespace(namespace, values)))
  }
}

function unlessRunning(begin: () => void): void {
  try {
    begin()
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
  }
}
