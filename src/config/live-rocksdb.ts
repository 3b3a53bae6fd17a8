/**
 * Settings of RocksDB that change while the database is open. Source: kvrocks src/config/config.cc, initFieldCallback.
 * Kvrocks sets level_compaction_dynamic_level_bytes as an option of the database, which RocksDB refuses; here it is the
 * option of column families that it is.
 */
import { compressionPerLevel } from '../rocksdb/open-options.js'
import type { Config } from './config.js'
import { OptionError } from './option.js'
import { type ConfigValues, OPTION_NAMES, type OptionName } from './options.js'

/** RocksDB's option names with their texts. */
export type RocksDBTexts = Readonly<Record<string, string>>

/** An open database whose options can change. Both throw what RocksDB refuses. */
export interface LiveRocksDB {
  setDbOptions(options: RocksDBTexts): void
  /** For all column families. */
  setColumnFamilyOptions(options: RocksDBTexts): void
}

type Values = Readonly<ConfigValues>
/** The options that follow from a setting, for the database or for its column families. */
type Change =
  | { readonly database: (values: Values) => RocksDBTexts }
  | { readonly families: (values: Values) => RocksDBTexts }

const MIB = 1024 * 1024
const PREFIX = 'rocksdb.'

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

const compression: Change = {
  families: (values) => ({
    compression_per_level: compressionPerLevel(
      values['rocksdb.compression'],
      values['rocksdb.compression_start_level'],
    ),
  }),
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
  inDatabase('rocksdb.delayed_write_rate'),
  inDatabase('rocksdb.max_background_compactions'),
  inDatabase('rocksdb.max_background_jobs'),
  inDatabase('rocksdb.max_subcompactions'),
  inDatabase('rocksdb.compaction_readahead_size'),
  inDatabase('rocksdb.daily_offpeak_time_utc'),
  inFamilies('rocksdb.target_file_size_base', MIB),
  inFamilies('rocksdb.write_buffer_size', MIB),
  inFamilies('rocksdb.max_write_buffer_number'),
  inFamilies('rocksdb.min_write_buffer_number_to_merge'),
  inFamilies('rocksdb.disable_auto_compactions'),
  inFamilies('rocksdb.level0_file_num_compaction_trigger'),
  inFamilies('rocksdb.max_compaction_bytes'),
  inFamilies('rocksdb.periodic_compaction_seconds'),
  inFamilies('rocksdb.ttl'),
  inFamilies('rocksdb.level_compaction_dynamic_level_bytes'),
  inFamilies('rocksdb.max_bytes_for_level_base'),
  inFamilies('rocksdb.max_bytes_for_level_multiplier'),
  inFamilies('rocksdb.enable_blob_files'),
  inFamilies('rocksdb.min_blob_size'),
  inFamilies('rocksdb.blob_file_size'),
  inFamilies('rocksdb.enable_blob_garbage_collection'),
  inFamilies('rocksdb.blob_garbage_collection_age_cutoff', 1 / 100),
  ['rocksdb.compression', compression],
  ['rocksdb.compression_start_level', compression],
  ['rocksdb.level0_slowdown_writes_trigger', stalls],
  ['rocksdb.level0_stop_writes_trigger', stalls],
])

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
}
