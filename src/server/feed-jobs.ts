/** Work for the change feed: readers are served, the log is kept no longer than it has to be, and what nobody uses is closed. */

import { Slots } from '../cdc/slots.js'
import { holdLimits } from '../storage/open-store.js'
import type { CronJob } from './cron.js'
import { FeedRounds } from './feed-rounds.js'
import type { Server } from './server.js'

const IDLE_CHECK_MS = 10_000
const PRUNE_MS = 1000
const NOTE_MS = 1000
const PROGRESS_MS = 1000
const SLOT_SAVE_MS = 1000

export function feedJobs(server: Server): CronJob[] {
  const { store, slots, snapshots, sequenceTimes, subscriptions } = server
  return [
    {
      name: 'prune the write-ahead log',
      everyMs: PRUNE_MS,
      run: () => {
        if (!server.isLoading) store.retention.prune(server.nowMs())
      },
    },
    {
      name: 'note the time of sequences',
      everyMs: NOTE_MS,
      run: () => {
        if (!server.isLoading) sequenceTimes.note(store.latestSequence(), server.nowMs())
      },
    },
    { name: 'tell subscribers of progress', everyMs: PROGRESS_MS, run: () => subscriptions.tick() },
    { name: 'save slots', everyMs: SLOT_SAVE_MS, run: () => slots.tick() },
    {
      name: 'close what nobody reads of the change feed',
      everyMs: IDLE_CHECK_MS,
      run: () => {
        store.wal.closeIdle(server.nowMs())
        snapshots.closeIdle(server.nowMs())
      },
    },
  ]
}

export function feedRounds(server: Server): FeedRounds {
  const rounds = new FeedRounds({
    hasWaiting: () => server.blocking.hasReaders || server.subscriptions.count > 0,
    serve: () => {
      if (server.isClosing) return
      if (server.blocking.wakeReaders()) rounds.want(server.store.wal.latest)
      server.subscriptions.pump()
    },
  })
  return rounds
}

/** Takes up what the feed keeps beside the database, and returns the slots. */
export function openFeed({ config, log, store, sequenceTimes }: Server, clock: () => number): Slots {
  const latest = store.latestSequence()
  const noted = sequenceTimes.lastSequence
  // A log that ends before what was noted has lost its end, and what comes now is not what came there.
  if (noted !== undefined && noted > latest) sequenceTimes.clear()
  sequenceTimes.note(latest, clock())
  store.retention.pruneListeners.add((oldest) => sequenceTimes.prune(oldest))
  return new Slots({
    store,
    path: config.paths.slots,
    limits: () => holdLimits(config.values),
    countMax: () => config.values['cdc-slots-max'],
    times: sequenceTimes,
    log,
    now: clock,
  })
}
