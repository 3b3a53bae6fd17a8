/**
 * The table of all options: name, kind, range, default, and whether CONFIG SET may change it. CONFIG, the configuration
 * file, the command line and conf/kvrocks.conf all follow it; nothing keeps a second list.
 *
 * Defaults are those of Kvrocks's newest version. Where Redis has the option and Kvrocks has not, they are Redis's.
 * resp3-enabled is yes, as in Kvrocks's newest versions: current clients of Redis open with HELLO 3.
 */
import type { Option } from './option.js'
import { CLUSTER_OPTIONS, FEED_OPTIONS, REPLICATION_OPTIONS } from './options/replication.js'
import { ROCKSDB_OPTIONS } from './options/rocksdb.js'
import { COMMAND_OPTIONS, CRON_OPTIONS, LOG_OPTIONS, NETWORK_OPTIONS, PROCESS_OPTIONS } from './options/server.js'
import { TLS_OPTIONS } from './options/tls.js'

/** The sections of conf/kvrocks.conf, in its order. */
export const OPTION_GROUPS = {
  Network: NETWORK_OPTIONS,
  TLS: TLS_OPTIONS,
  Process: PROCESS_OPTIONS,
  'Logs and measurements': LOG_OPTIONS,
  Commands: COMMAND_OPTIONS,
  'Maintenance and bounds': CRON_OPTIONS,
  Replication: REPLICATION_OPTIONS,
  'Change feed': FEED_OPTIONS,
  Cluster: CLUSTER_OPTIONS,
  RocksDB: ROCKSDB_OPTIONS,
} as const satisfies Record<string, Record<string, Option<unknown>>>

export const OPTIONS = {
  ...NETWORK_OPTIONS,
  ...TLS_OPTIONS,
  ...PROCESS_OPTIONS,
  ...LOG_OPTIONS,
  ...COMMAND_OPTIONS,
  ...CRON_OPTIONS,
  ...REPLICATION_OPTIONS,
  ...FEED_OPTIONS,
  ...CLUSTER_OPTIONS,
  ...ROCKSDB_OPTIONS,
} as const satisfies Record<string, Option<unknown>>

export type OptionName = keyof typeof OPTIONS
type ValueOf<O> = O extends Option<infer T> ? T : never
/** The value of each option, typed by the table. */
export type ConfigValues = { -readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]> }

/** Other names of options: those that Redis has, and Kvrocks's newer one of slaveof. */
export const ALIASES: Readonly<Record<string, OptionName>> = {
  replicaof: 'slaveof',
  'replica-read-only': 'slave-read-only',
  'replica-serve-stale-data': 'slave-serve-stale-data',
  'replica-priority': 'slave-priority',
  'slave-announce-ip': 'replica-announce-ip',
  'slave-announce-port': 'replica-announce-port',
  'busy-reply-threshold': 'lua-time-limit',
}

/** What tools built for Redis ask CONFIG GET for although it is no setting here; read only. */
export const COMPUTED: Readonly<Record<string, (values: Readonly<ConfigValues>) => string>> = {
  appendonly: () => 'no',
  databases: (values) => String(Math.max(1, values['redis-databases'])),
  save: () => '',
}

/** All names of the table in alphabetical order, the order of CONFIG GET. */
export const OPTION_NAMES = (Object.keys(OPTIONS) as OptionName[]).sort()

/** The option that `name` (any case) or one of its aliases stands for. */
export function findOption(name: string): OptionName | undefined {
  const lower = name.toLowerCase()
  if (Object.hasOwn(OPTIONS, lower)) return lower as OptionName
  return Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : undefined
}

/** The option `name` for code that treats all options alike: values are `unknown`, and belong to this option alone. */
export function anyOption(name: OptionName): Option<unknown> {
  return OPTIONS[name] as Option<unknown>
}
