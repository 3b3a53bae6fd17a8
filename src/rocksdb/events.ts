/** RocksDB's events. Source: rocksdb/listener.h; native/listener.cc. */
import type { RocksDBErrorCode, RocksDBErrorSeverity } from './errors.js'

export interface FlushEvent {
  readonly kind: 'flushBegin' | 'flushCompleted'
  readonly columnFamily: string
  readonly jobId: number
  readonly threadId: number
  readonly reason: string
  readonly file: string
  readonly smallestSequence: number
  readonly largestSequence: number
  readonly slowsWrites: boolean
  readonly stopsWrites: boolean
}

export interface CompactionEvent {
  readonly kind: 'compactionBegin' | 'compactionCompleted'
  readonly columnFamily: string
  readonly jobId: number
  readonly reason: string
  readonly status: string
  /** Of the output: 'no', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'xpress', 'zstd'. */
  readonly compression: string
  readonly baseInputLevel: number
  readonly outputLevel: number
  readonly inputFiles: number
  readonly outputFiles: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly inputRecords: number
  readonly outputRecords: number
  readonly elapsedMicros: number
  readonly isManual: boolean
}

export interface TableFileCreatedEvent {
  readonly kind: 'tableFileCreated'
  readonly columnFamily: string
  readonly file: string
  readonly reason: string
  readonly status: string
  readonly jobId: number
  readonly fileBytes: number
}

export interface TableFileDeletedEvent {
  readonly kind: 'tableFileDeleted'
  readonly file: string
  readonly status: string
  readonly jobId: number
}

export interface StallEvent {
  readonly kind: 'stallConditionsChanged'
  readonly columnFamily: string
  readonly previous: StallCondition
  readonly current: StallCondition
}

export type StallCondition = 'normal' | 'delay' | 'stop' | 'unknown'

export interface BackgroundErrorEvent {
  readonly kind: 'backgroundError'
  readonly reason: string
  readonly status: string
  readonly code: RocksDBErrorCode
  readonly subcode: string
  readonly severity: RocksDBErrorSeverity
  readonly ok: boolean
  readonly retryable: boolean
  /** It was about a file that no version refers to, and RocksDB was told to go on. */
  readonly ignored: boolean
}

export interface ErrorRecoveryEndEvent {
  readonly kind: 'errorRecoveryEnd'
  /** What is left; `ok` means that the database has recovered. */
  readonly status: string
  readonly previousStatus: string
  readonly code: RocksDBErrorCode | 'OK'
  readonly subcode: string
  readonly severity: RocksDBErrorSeverity
  readonly ok: boolean
  readonly retryable: boolean
}

export type RocksDBEvent =
  | FlushEvent
  | CompactionEvent
  | TableFileCreatedEvent
  | TableFileDeletedEvent
  | StallEvent
  | BackgroundErrorEvent
  | ErrorRecoveryEndEvent

/** As the addon sends them: what RocksDB numbers is still a number. */
export type NativeEvent = Readonly<Record<string, string | number | boolean>> & { readonly kind: RocksDBEvent['kind'] }

const FLUSH_REASONS = [
  'Other Reasons',
  'Get Live Files',
  'Shut down',
  'External File Ingestion',
  'Manual Compaction',
  'Write Buffer Manager',
  'Write Buffer Full',
  'Test',
  'Delete Files',
  'Auto Compaction',
  'Manual Flush',
  'Error Recovery',
  'Error Recovery Retry Flush',
  'WAL Full',
  'Catch Up After Error Recovery',
] as const

const COMPACTION_REASONS = [
  'Unknown',
  'LevelL0FilesNum',
  'LevelMaxLevelSize',
  'UniversalSizeAmplification',
  'UniversalSizeRatio',
  'UniversalSortedRunNum',
  'FIFOMaxSize',
  'FIFOReduceNumFiles',
  'FIFOTtl',
  'ManualCompaction',
  'FilesMarkedForCompaction',
  'BottommostFiles',
  'Ttl',
  'Flush',
  'ExternalSstIngestion',
  'PeriodicCompaction',
  'ChangeTemperature',
  'ForcedBlobGC',
  'RoundRobinTtl',
  'RefitLevel',
] as const

const COMPRESSIONS = ['no', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'xpress', 'zstd'] as const

/** Gives RocksDB's numbers their names; a number that is newer than this list is 'unknown'. */
export function toEvent(event: NativeEvent): RocksDBEvent {
  const { kind } = event
  if (kind === 'flushBegin' || kind === 'flushCompleted') {
    return named({ ...event, reason: nameOf(FLUSH_REASONS, event['reason']) })
  }
  if (kind === 'compactionBegin' || kind === 'compactionCompleted') {
    const compression = nameOf(COMPRESSIONS, event['compression'])
    return named({ ...event, reason: nameOf(COMPACTION_REASONS, event['reason']), compression })
  }
  return named(event)
}

function nameOf(names: readonly string[], index: unknown): string {
  return names[Number(index)] ?? 'unknown'
}

function named(event: NativeEvent): RocksDBEvent {
  return event as unknown as RocksDBEvent
}
