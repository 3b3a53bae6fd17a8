/** The sections of INFO and their fields, in order. Source: kvrocks src/server/server.cc; redis src/server.c, genRedisInfoString. */

import { statfsSync } from 'node:fs'
import { machine, release, type } from 'node:os'
import { histogramBounds } from '../config/derived.js'
import { rocksdbVersion } from '../rocksdb/rocksdb.js'
import {
  CF_DEFAULT,
  CF_METADATA,
  CF_SEARCH,
  CF_STREAM,
  CF_ZSET_SCORE,
  type ColumnFamily,
} from '../storage/column-family.js'
import { DEFAULT_NAMESPACE, namespacePrefix, prefixEnd } from '../storage/keys.js'
import type { AnyCommand } from './command.js'
import type { BoundCommand } from './command-table.js'
import type { ServerContext } from './context.js'
import { rocksdbFields } from './info-rocksdb.js'
import { countedNamespace } from './scan.js'
import { type SlotView, slotViews } from './slot.js'

/** Booleans are 0 and 1 in text and true and false in JSON. */
export type InfoValue = string | number | boolean
/** A name and its value, or a comment, which JSON leaves out. */
export type InfoField = readonly [name: string, value: InfoValue] | { readonly comment: string }

export interface InfoSection {
  readonly title: string
  /** Looks into the database, which is closed while another is loaded. */
  readonly needsDatabase?: boolean
  readonly fields: (context: ServerContext) => readonly InfoField[]
}

export const INFO_SECTIONS: readonly InfoSection[] = [
  { title: 'Server', fields: serverFields },
  { title: 'Clients', fields: clientFields },
  { title: 'Memory', fields: memoryFields },
  { title: 'Persistence', fields: persistenceFields },
  { title: 'Stats', fields: statsFields },
  { title: 'Replication', fields: replicationFields },
  { title: 'CPU', fields: cpuFields },
  { title: 'Commandstats', fields: commandFields },
  { title: 'Errorstats', fields: errorFields },
  { title: 'Latencystats', fields: latencyFields },
  { title: 'Cluster', fields: ({ config }) => [['cluster_enabled', config['cluster-enabled']]] },
  { title: 'CDC', needsDatabase: true, fields: feedFields },
  { title: 'Keyspace', needsDatabase: true, fields: keyspaceFields },
  { title: 'RocksDB', needsDatabase: true, fields: rocksdbFields },
]

const GIB = 1024 ** 3
/** The column families whose keys begin with a namespace. */
const KEYED_FAMILIES: readonly ColumnFamily[] = [CF_DEFAULT, CF_METADATA, CF_ZSET_SCORE, CF_STREAM, CF_SEARCH]
const SECONDS_PER_DAY = 86_400
const startRssBytes = process.memoryUsage.rss()

/** What can be read of the change feed, and who reads it. */
function feedFields(context: ServerContext): InfoField[] {
  const { server, store } = context
  const { oldest, latest, bytes, files } = store.wal.range(server.nowMs())
  const { count, oldestMs } = server.snapshots
  return [
    ['cdc_oldest_sequence', oldest],
    ['cdc_latest_sequence', latest],
    ['cdc_wal_bytes', bytes],
    ['cdc_wal_files', files],
    ['cdc_wal_holders', store.retention.holderCount],
    ['cdc_open_readers', store.wal.openCount],
    ['cdc_open_snapshots', count],
    ['cdc_oldest_snapshot_seconds', oldestMs === undefined ? 0 : Math.floor((server.nowMs() - oldestMs) / 1000)],
    ...slotFields(slotViews(context)),
  ]
}

function slotFields(slots: readonly SlotView[]): InfoField[] {
  const most = (of: (slot: SlotView) => number): number => slots.reduce((max, slot) => Math.max(max, of(slot)), 0)
  return [
    ['cdc_slots', slots.length],
    ['cdc_slots_lost', slots.filter(({ state }) => state === 'lost').length],
    ['cdc_slots_held_bytes', most((slot) => slot.held_bytes)],
    ['cdc_slots_max_lag_changes', most((slot) => (slot.state === 'lost' ? 0 : slot.lag_changes))],
    ['cdc_slots_max_lag_bytes', most((slot) => slot.lag_bytes)],
    ['cdc_slots_max_lag_seconds', most((slot) => slot.lag_seconds)],
    ...slots.map((slot, i) => [`cdc_slot${i}`, slotText(slot)] as const),
  ]
}

function slotText(slot: SlotView): string {
  const { name, namespace, state, position, lag_changes, lag_bytes, lag_seconds, held_bytes } = slot
  const lag = `lag_changes=${lag_changes},lag_bytes=${lag_bytes},lag_seconds=${lag_seconds},held_bytes=${held_bytes}`
  return `name=${name},namespace=${namespace},state=${state},position=${position},${lag}`
}

function serverFields({ config, server, settings }: ServerContext): InfoField[] {
  const mode = config['cluster-enabled'] ? 'cluster' : 'standalone'
  const uptime = Math.floor((server.nowMs() - server.startedAtMs) / 1000)
  const version = server.versions.kvrocks
  return [
    ['version', version],
    ['kvrocks_version', version],
    ['redis_version', server.versions.redis],
    ['kvrocks_ts_version', server.versions.own],
    ['git_sha1', '0'],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', '0'],
    ['kvrocks_git_sha1', '0'],
    ['redis_mode', mode],
    ['kvrocks_mode', mode],
    ['os', `${type()} ${release()} ${machine()}`],
    ['node_version', process.versions.node],
    ['rocksdb_version', rocksdbVersion],
    ['arch_bits', 64],
    ['process_id', process.pid],
    ['run_id', server.runId],
    ['tcp_port', server.port],
    ['server_time_usec', server.nowMs() * 1000],
    ['uptime_in_seconds', uptime],
    ['uptime_in_days', Math.floor(uptime / SECONDS_PER_DAY)],
    ['hz', 10],
    ['executable', process.argv[1] ?? process.execPath],
    ['config_file', settings.path ?? ''],
  ]
}

function clientFields({ config, server }: ServerContext): InfoField[] {
  const { clients, tracking } = server
  return [
    ['maxclients', config.maxclients],
    ['connected_clients', clients.count],
    ['monitor_clients', clients.monitorCount],
    ['blocked_clients', clients.blockedCount],
    ['total_blocking_keys', clients.blockingKeys.all],
    ['total_blocking_keys_on_nokey', clients.blockingKeys.untilGone],
    ['tracking_clients', tracking.clientCount],
  ]
}

function memoryFields({ server }: ServerContext): InfoField[] {
  const memory = process.memoryUsage()
  return [
    ['used_memory', memory.rss],
    ['used_memory_human', human(memory.rss)],
    ['used_memory_rss', memory.rss],
    ['used_memory_rss_human', human(memory.rss)],
    ['used_memory_lua', server.luaBytes],
    ['used_memory_lua_human', human(server.luaBytes)],
    ['used_memory_startup', startRssBytes],
    ['used_memory_js_heap', memory.heapUsed],
    ['used_memory_buffers', memory.arrayBuffers],
    ['maxmemory', 0],
    ['maxmemory_policy', 'noeviction'],
  ]
}

/** As Redis prints sizes: `1.50M`. */
export function human(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(2)}${units[unit]}`
}

function persistenceFields({ server }: ServerContext): InfoField[] {
  const { maintenance } = server
  return [
    ['loading', server.isLoading],
    ['bgsave_in_progress', maintenance.isSaving],
    ['last_bgsave_time', Math.floor(maintenance.lastSaveAtMs / 1000)],
    ['last_bgsave_status', maintenance.lastSaveSucceeded ? 'ok' : 'err'],
    ['last_bgsave_time_sec', maintenance.lastSaveSeconds],
  ]
}

function statsFields({ server, store }: ServerContext): InfoField[] {
  const { stats } = server
  const { turn } = store
  const errors = [...stats.errors.values()].reduce((sum, count) => sum + count, 0)
  return [
    ['total_connections_received', stats.connectionsReceived],
    ['total_commands_processed', stats.commandsProcessed],
    ['instantaneous_ops_per_sec', stats.instantaneous.ops],
    ['total_net_input_bytes', stats.netInputBytes],
    ['total_net_output_bytes', stats.netOutputBytes],
    ['instantaneous_input_kbps', Math.floor(stats.instantaneous.inputBytes / 1024)],
    ['instantaneous_output_kbps', Math.floor(stats.instantaneous.outputBytes / 1024)],
    ['rejected_connections', stats.rejectedConnections],
    ['sync_full', stats.fullSyncs],
    ['sync_partial_ok', stats.partialSyncs],
    ['sync_partial_err', stats.partialSyncsRefused],
    ['expired_keys', server.expiry.expiredCount],
    ['keyspace_hits', stats.keyspace.hits],
    ['keyspace_misses', stats.keyspace.misses],
    ['cold_reads_waiting', server.coldReads.waitingCount],
    ['cold_reads', server.coldReads.waits],
    ['row_cache_hits', turn.rowCacheStats.hits],
    ['row_cache_misses', turn.rowCacheStats.misses],
    ['row_cache_evictions', turn.rowCacheStats.evictions],
    ['row_cache_rows', turn.rowCache?.entries ?? 0],
    ['row_cache_bytes', turn.rowCache?.bytes ?? 0],
    ['pubsub_channels', server.channels.channelCount],
    ['pubsub_patterns', server.channels.patternCount],
    ['tracking_total_keys', server.tracking.keyCount],
    ['tracking_total_items', server.tracking.itemCount],
    ['tracking_total_prefixes', server.tracking.prefixCount],
    ['total_error_replies', errors],
    ['client_query_buffer_limit_disconnections', stats.limitCloses.query],
    ['client_output_buffer_limit_disconnections', stats.limitCloses.output],
  ]
}

function replicationFields({ server, store }: ServerContext): InfoField[] {
  const offset = store.latestSequence()
  return [['role', server.role], ...server.replication.fields(), ['master_repl_offset', offset]]
}

/** Whole seconds, as Kvrocks prints them. */
function cpuFields(): InfoField[] {
  const { system, user } = process.cpuUsage()
  return [
    ['used_cpu_sys', Math.floor(system / 1e6)],
    ['used_cpu_user', Math.floor(user / 1e6)],
  ]
}

function withSubcommands(commands: readonly BoundCommand[]): BoundCommand[] {
  return commands.flatMap((command) => [command, ...(command.subcommands?.values() ?? [])])
}

function commandFields({ config, server }: ServerContext): InfoField[] {
  const commands = withSubcommands(server.commands.all()).sort(byName)
  const totals = commands
    .filter(({ stats }) => stats.calls > 0 || stats.rejected > 0)
    .map(({ name, stats }) => {
      const us = Math.round(stats.us)
      const perCall = stats.calls === 0 ? 0 : Math.floor(us / stats.calls)
      const failures = `rejected_calls=${stats.rejected},failed_calls=${stats.failed}`
      return [`cmdstat_${name}`, `calls=${stats.calls},usec=${us},usec_per_call=${perCall},${failures}`] as const
    })
  const bounds = [...histogramBounds(config), 'inf']
  const histograms = commands
    .filter(({ stats }) => stats.byBound.length > 0)
    .map(({ name, stats }) => {
      const counts = stats.byBound.map((calls, index) => `${bounds[index]}=${calls}`)
      return [
        `cmdstathist_${name}`,
        [...counts, `sum=${Math.round(stats.us)}`, `count=${stats.calls}`].join(','),
      ] as const
    })
  return [...totals, ...histograms]
}

/** Of each command that was timed: how long its calls took at most, by percentile, to the power of two above. */
function latencyFields({ config, server }: ServerContext): InfoField[] {
  const percentiles = config['latency-tracking-info-percentiles']
  if (!config['latency-tracking'] || percentiles.length === 0) return []
  return withSubcommands(server.commands.all())
    .sort(byName)
    .flatMap(({ name, stats }) => {
      const calls = stats.byMagnitude.reduce((sum, count) => sum + count, 0)
      if (calls === 0) return []
      const parts = percentiles.map((percent) => `p${percent}=${latencyAt(stats.byMagnitude, calls, percent)}.000`)
      return [[`latency_percentiles_usec_${name}`, parts.join(',')] as const]
    })
}

/** Microseconds that `percent` of the calls did not exceed. */
function latencyAt(byMagnitude: Uint32Array, calls: number, percent: number): number {
  const wanted = Math.max(1, Math.ceil((calls * percent) / 100))
  let seen = 0
  const magnitude = byMagnitude.findIndex((count) => {
    seen += count
    return seen >= wanted
  })
  return 2 ** magnitude
}

function byName(a: Pick<AnyCommand, 'name'>, b: Pick<AnyCommand, 'name'>): number {
  return a.name < b.name ? -1 : 1
}

function errorFields({ server }: ServerContext): InfoField[] {
  return [...server.stats.errors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => [`errorstat_${code}`, `count=${count}`] as const)
}

function keyspaceFields(context: ServerContext): InfoField[] {
  const { client, config, server, store } = context
  const namespace = countedNamespace(client.namespace ?? DEFAULT_NAMESPACE, config)
  const count = server.keyCounts.latest(namespace)
  const comment =
    count === undefined
      ? '# WARN: DBSIZE SCAN never performed yet'
      : `# Last DBSIZE SCAN time: ${localTime(new Date(count.scannedAtMs))}`
  const keys = count ?? { keys: 0, expires: 0, averageTtlSeconds: 0, expired: 0 }
  const usedBytes = usedDatabaseBytes(context)
  const maxBytes = config['max-db-size'] * GIB
  const usedShare = maxBytes === 0 ? 0 : (totalFileBytes(context) * 100) / maxBytes
  return [
    { comment },
    [
      `db${client.database}`,
      `keys=${keys.keys},expires=${keys.expires},avg_ttl=${keys.averageTtlSeconds},expired=${keys.expired}`,
    ],
    ['sequence', store.latestSequence()],
    ['used_db_size', usedBytes],
    ['max_db_size', maxBytes],
    ['used_percent', ` ${sixDigits(usedShare)}%`],
    ...diskFields(context),
  ]
}

function totalFileBytes({ store }: ServerContext): number {
  return store.rocks.liveFiles().reduce((sum, file) => sum + file.bytes, 0)
}

/** All files for the default namespace; an estimate of the range of keys for another one. */
function usedDatabaseBytes(context: ServerContext): number {
  const { client, store } = context
  const namespace = client.namespace ?? DEFAULT_NAMESPACE
  if (namespace.equals(DEFAULT_NAMESPACE)) return totalFileBytes(context)
  const begin = namespacePrefix(namespace)
  const end = prefixEnd(begin)
  if (end === undefined) return 0
  return KEYED_FAMILIES.reduce<number>((sum, cf) => sum + (store.rocks.approximateSizes(cf, [[begin, end]])[0] ?? 0), 0)
}

function diskFields({ settings }: ServerContext): InfoField[] {
  const { blocks, bavail, bsize } = statfsSync(settings.paths.db)
  const capacity = blocks * bsize
  const used = (blocks - bavail) * bsize
  return [
    ['disk_capacity', capacity],
    ['used_disk_size', used],
    ['used_disk_percent', ` ${sixDigits((used * 100) / capacity)}%`],
  ]
}

/** Six significant digits, as C++ streams print a double. */
function sixDigits(value: number): string {
  return String(Number(value.toPrecision(6)))
}

/** `Tue Nov  4 17:22:01 2025`. */
function localTime(date: Date): string {
  const words = date.toString().split(' ')
  return `${words[0]} ${words[1]} ${String(date.getDate()).padStart(2)} ${words[4]} ${words[3]}`
}
