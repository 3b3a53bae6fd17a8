/** What RocksDB reports: counted, logged, and looked at for max-db-size. Source: kvrocks src/storage/event_listener.cc. */

import type { StorageCounts } from '../commands/server-view.js'
import type { Log } from '../log/log.js'
import type { CompactionEvent, FlushEvent, RocksDBEvent } from '../rocksdb/events.js'

export class StorageEvents implements StorageCounts {
  flushes = 0
  compactions = 0
  readonly #log: Log
  readonly #onFilesChanged: () => void

  /** `onFilesChanged` is called when a flush or a compaction has ended. */
  constructor(log: Log, onFilesChanged: () => void) {
    this.#log = log
    this.#onFilesChanged = onFilesChanged
  }

  take(event: RocksDBEvent): void {
    switch (event.kind) {
      case 'flushBegin':
        this.#log.info(`[event_listener/flush_begin] ${flushJob(event)}, reason: ${event.reason}`)
        break
      case 'flushCompleted':
        this.flushes++
        this.#log.info(
          `[event_listener/flush_completed] ${flushJob(event)}, file: ${event.file}, reason: ${event.reason}, ` +
            `is_write_slowdown: ${yesNo(event.slowsWrites)}, is_write_stall: ${yesNo(event.stopsWrites)}, ` +
            `largest seqno: ${event.largestSequence}, smallest seqno: ${event.smallestSequence}`,
        )
        this.#onFilesChanged()
        break
      case 'compactionBegin':
        this.#log.info(`[event_listener/compaction_begin] ${compactionJob(event)}`)
        break
      case 'compactionCompleted':
        this.compactions++
        this.#log.info(
          `[event_listener/compaction_completed] ${compactionJob(event)}, elapsed(micro): ${event.elapsedMicros}`,
        )
        this.#onFilesChanged()
        break
      case 'tableFileCreated':
        this.#log.info(
          `[event_listener/table_file_created] column family: ${event.columnFamily}, file path: ${event.file}, ` +
            `file size: ${event.fileBytes}, job_id: ${event.jobId}, reason: ${event.reason}, status: ${event.status}`,
        )
        break
      case 'tableFileDeleted':
        this.#log.info(`[event_listener/table_file_deleted] sst file: ${event.file}, status: ${event.status}`)
        break
      case 'stallConditionsChanged':
        this.#log.warning(
          `[event_listener/stall_cond_changed] column family: ${event.columnFamily} write stall condition was ` +
            `changed, from ${event.previous} to ${event.current}`,
        )
        break
      case 'backgroundError':
        this.#backgroundError(event.ignored, event.reason, event.status)
        break
      case 'errorRecoveryEnd':
        this.#log.info(`[event_listener/error_recovery_end] from ${event.previousStatus} to ${event.status}`)
        break
    }
  }

  #backgroundError(isIgnored: boolean, reason: string, status: string): void {
    const text = `reason: ${reason}, bg_error: ${status}`
    if (isIgnored) {
      this.#log.warning(`[event_listener/background_error] ignore no-fatal background error about sst file, ${text}`)
    } else {
      this.#log.error(`[event_listener/background_error] ${text}`)
    }
  }
}

function yesNo(is: boolean): string {
  return is ? 'yes' : 'no'
}

function flushJob(event: FlushEvent): string {
  return `column family: ${event.columnFamily}, thread_id: ${event.threadId}, job_id: ${event.jobId}`
}

function compactionJob(event: CompactionEvent): string {
  return (
    `column family: ${event.columnFamily}, job_id: ${event.jobId}, compaction reason: ${event.reason}, ` +
    `output compression type: ${event.compression}, ` +
    `base input level(files): ${event.baseInputLevel}(${event.inputFiles}), ` +
    `output level(files): ${event.outputLevel}(${event.outputFiles}), input bytes: ${event.inputBytes}, ` +
    `output bytes: ${event.outputBytes}, is_manual_compaction: ${yesNo(event.isManual)}`
  )
}
