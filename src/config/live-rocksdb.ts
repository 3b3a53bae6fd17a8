/**
 * Settings of RocksDB in its own words: one table for the file, which says how the database is opened, and for CONFIG SET
 * while it is open. What RocksDB derives at open, and not afterwards, is derived here for both.
 * Source: kvrocks src/config/config.cc, initFieldCallback; src/storage/storage.cc, InitRocksDBOptions.
 */
import {
  arenaBlockBytes,
  compressionPerLevel,
  compressionType,
  UNLIMITED_BYTES_PER_SECOND,
} from '../rocksdb/open-options.js'
import type { Config } from './config.js'
import { OptionError } from './option.js'
import { ROCKSDB_CHOOSES } from './options/rocksdb.js'
import { type ConfigValues, OPTION_NAMES, type OptionName } from './options.js'

/** RocksDB's option names with their texts. */
export type RocksDBTexts = Readonly<Record<string, string>>

/** An open database whose options can change. The first two throw what RocksDB refuses. */
export interface LiveRocksDB {
  setDbOptions(options: RocksDBTexts): void
  /** For all column families. */
  setColumnFamilyOptions(options: RocksDBTexts): void
  /** How many bytes a second flushes and compactions may write. */
  setWriteRate(bytesPerSecond: number): void
  /** How many bytes a second of table files are deleted; 0 = no limit. */
  setDeleteRate(bytesPerSecond: number): void
}

type Values = Readonly<ConfigValues>
/** The options that follow from a setting, for the database or for its column families. */
type Change =
  | { readonly database: (values: Values) => RocksDBTexts }
  | { readonly families: (values: Values) => RocksDBTexts }

const MIB = 1024 * 1024
const PREFIX = 'rocksdb.'
/** Source: rocksdb db/column_family.cc, SanitizeOptions: kAdjustedTtl, and max_compaction_bytes if it is 0. */
const CHOSEN_AGE_SECONDS = 30n * 24n * 3600n
const COMPACTION_FILES = 25

const text = (value: ConfigValues[OptionName]): string => String(value)
const inDatabase = (name: OptionName, unit = 1): [OptionName, Change] => [
  name,
  { database: (values) => ({ [name.slice(PREFIX.length)]: scaled(values[name], unit) }) },
]
const inFamilies = (name: OptionName, unit = 1): [OptionName, Change] => [
  name,
  { families: (values) => ({ [name.slice(PREFIX.length)]: scaled(values[name], unit) }) },
]

function scaled(value: ConfigValues[OptionName], unit: number): string {
  return typeof value === 'number' ? text(value * unit) : text(value)
}

const age = (name: 'rocksdb.ttl' | 'rocksdb.periodic_compaction_seconds'): [OptionName, Change] => [
  name,
  {
    families: ({ [name]: seconds }) => ({
      [name.slice(PREFIX.length)]: text(seconds === ROCKSDB_CHOOSES ? CHOSEN_AGE_SECONDS : seconds),
    }),
  },
]

const memtable: Change = {
  families(values) {
    const bytes = values['rocksdb.write_buffer_size'] * MIB
    return { write_buffer_size: text(bytes), arena_block_size: text(arenaBlockBytes(bytes)) }
  },
}

const compression: Change = {
  families: (values) => ({
    compression_per_level: compressionPerLevel(
      values['rocksdb.compression'],
      values['rocksdb.compression_start_level'],
    ),
    blob_compression_type: compressionType(values['rocksdb.compression']),
  }),
}

const sizes: Change = {
  families(values) {
    const fileBytes = values['rocksdb.target_file_size_base'] * MIB
    return {
      target_file_size_base: text(fileBytes),
      max_compaction_bytes: text(values['rocksdb.max_compaction_bytes'] || fileBytes * COMPACTION_FILES),
    }
  },
}

/** 0 = as fast as the limiter starts, which is at half of its rate if it tunes itself. */
const delay: Change = {
  database(values) {
    const chosen = writeRate(values) / (values['rocksdb.rate_limiter_auto_tuned'] ? 2 : 1)
    return { delayed_write_rate: text(values['rocksdb.delayed_write_rate'] || chosen) }
  },
}

const stalls: Change = {
  families(values) {
    const stop = text(values['rocksdb.level0_stop_writes_trigger'])
    const slowdown = values['rocksdb.level0_slowdown_writes_trigger']
    return {
      level0_slowdown_writes_trigger: slowdown === 0 ? stop : text(slowdown),
      level0_stop_writes_trigger: stop,
    }
  },
}

const CHANGES: ReadonlyMap<OptionName, Change> = new Map([
  inDatabase('rocksdb.max_total_wal_size', MIB),
  inDatabase('rocksdb.max_open_files'),
  inDatabase('rocksdb.stats_dump_period_sec'),
  inDatabase('rocksdb.max_background_compactions'),
  inDatabase('rocksdb.max_background_jobs'),
  inDatabase('rocksdb.max_subcompactions'),
  inDatabase('rocksdb.compaction_readahead_size'),
  inDatabase('rocksdb.daily_offpeak_time_utc'),
  inFamilies('rocksdb.max_write_buffer_number'),
  inFamilies('rocksdb.disable_auto_compactions'),
  inFamilies('rocksdb.level0_file_num_compaction_trigger'),
  inFamilies('rocksdb.max_bytes_for_level_base'),
  inFamilies('rocksdb.max_bytes_for_level_multiplier'),
  inFamilies('rocksdb.enable_blob_files'),
  inFamilies('rocksdb.min_blob_size'),
  inFamilies('rocksdb.blob_file_size'),
  inFamilies('rocksdb.enable_blob_garbage_collection'),
  inFamilies('rocksdb.blob_garbage_collection_age_cutoff', 1 / 100),
  age('rocksdb.periodic_compaction_seconds'),
  age('rocksdb.ttl'),
  ['rocksdb.delayed_write_rate', delay],
  ['rocksdb.write_buffer_size', memtable],
  ['rocksdb.target_file_size_base', sizes],
  ['rocksdb.max_compaction_bytes', sizes],
  ['rocksdb.compression', compression],
  ['rocksdb.compression_start_level', compression],
  ['rocksdb.level0_slowdown_writes_trigger', stalls],
  ['rocksdb.level0_stop_writes_trigger', stalls],
])

/** What the settings of the table say when the database is opened: options of it, and of its column families. */
export function openingTexts(values: Values): { readonly database: RocksDBTexts; readonly families: RocksDBTexts } {
  const database: Record<string, string> = {}
  const families: Record<string, string> = {}
  for (const change of CHANGES.values()) {
    if ('database' in change) Object.assign(database, change.database(values))
    else Object.assign(families, change.families(values))
  }
  // An empty text is what RocksDB has without; a version that does not know the option yet would refuse it.
  if (database['daily_offpeak_time_utc'] === '') delete database['daily_offpeak_time_utc']
  return { database, families }
}

/** Bytes a second that `max-io-mb` allows flushes and compactions to write. */
export function writeRate(values: Values): number {
  return values['max-io-mb'] * MIB || UNLIMITED_BYTES_PER_SECOND
}

/** Passes every CONFIG SET of a RocksDB setting on to the open database; what that refuses, CONFIG SET refuses. */
export function followConfig(config: Config, rocksdb: LiveRocksDB): void {
  for (const name of OPTION_NAMES) {
    const change = CHANGES.get(name)
    if (change === undefined) continue
    config.onChange(name, (values) => {
      try {
        if ('database' in change) rocksdb.setDbOptions(change.database(values))
        else rocksdb.setColumnFamilyOptions(change.families(values))
      } catch (error) {
        throw error instanceof Error ? new OptionError(error.message) : error
      }
    })
  }
  config.onChange('max-io-mb', (values) => rocksdb.setWriteRate(writeRate(values)))
  config.onChange('rocksdb.sst_file_delete_rate_bytes_per_sec', (values) =>
    rocksdb.setDeleteRate(Number(values['rocksdb.sst_file_delete_rate_bytes_per_sec'])),
  )
}
