/** Options of the process, its listeners, its clients and its logs. Source: kvrocks src/config/config.cc; redis src/config.c. */
import { outputLimits } from '../client-limits.js'
import { keyspaceEvents } from '../keyspace-events.js'
import { bool, bytes, int64, integer, lines, octal, oneOf, text } from '../option.js'
import { percentiles } from '../percentiles.js'

const DEFAULT_DIR = '/tmp/kvrocks'

export const NETWORK_OPTIONS = {
  bind: text({
    default: '',
    shipped: '127.0.0.1',
    doc: 'Addresses to listen on, separated by spaces; empty = 127.0.0.1, or no TCP at all when unixsocket is set.',
  }),
  port: integer({
    default: 6666,
    max: 65535,
    shipped: '6666',
    doc: 'TCP port; 0 = a free port that the system picks.',
  }),
  'socket-fd': integer({
    default: -1,
    min: -1,
    max: 65536,
    doc: 'A listening socket that the parent process has opened, used instead of bind and port; -1 = none.',
  }),
  unixsocket: text({ default: '', doc: 'Path of a Unix socket to listen on; empty = none.' }),
  unixsocketperm: octal({ default: 0o777, min: 1, doc: 'Mode of the Unix socket, in octal.' }),
  'tcp-backlog': integer({ default: 511, doc: 'Connections that may wait to be accepted; the kernel may cap it.' }),
  'tcp-keepalive': integer({
    default: 300,
    mutable: true,
    unit: 's',
    doc: 'Idle time after which TCP asks the peer whether it is still there; 0 = never.',
  }),
  timeout: integer({
    default: 0,
    mutable: true,
    unit: 's',
    doc: 'Idle time after which a client is closed; 0 = never.',
  }),
  maxclients: integer({
    default: 10240,
    shipped: '10000',
    mutable: true,
    doc: 'Connections at the same time; one more is told so and closed.',
  }),
  'proto-max-bulk-len': bytes({
    default: 512 * 1024 ** 2,
    min: 1024 ** 2,
    mutable: true,
    doc: 'Longest argument of a command.',
  }),
  'client-query-buffer-limit': bytes({
    default: 1024 ** 3,
    min: 1024 ** 2,
    mutable: true,
    doc: 'Bytes of one client that may wait for execution; a client above it is closed.',
  }),
  'client-output-buffer-limit': outputLimits({
    default: {
      normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
      slave: { hardBytes: 256 * 1024 ** 2, softBytes: 64 * 1024 ** 2, softSeconds: 60 },
      pubsub: { hardBytes: 32 * 1024 ** 2, softBytes: 8 * 1024 ** 2, softSeconds: 60 },
    },
    mutable: true,
    doc: 'How much unread output a client of each class may pile up before it is closed.',
  }),
  'resp3-enabled': bool({ default: true, mutable: true, doc: 'Whether HELLO 3 switches a connection to RESP3.' }),
  'redis-cursor-compatible': bool({
    default: true,
    mutable: true,
    doc: 'Whether SCAN and its kin return numeric cursors, which some client libraries insist on.',
  }),
  'redis-databases': integer({
    default: 0,
    doc: 'Databases that SELECT offers, each stored as a namespace; 0 = database 0 alone.',
  }),
  'tracking-table-max-keys': integer({
    default: 1_000_000,
    mutable: true,
    doc: 'Keys that are remembered for clients that cache what they read; 0 = no limit.',
  }),
  'notify-keyspace-events': keyspaceEvents({
    default: 0,
    mutable: true,
    doc: 'Which key events are published, as letters of Redis; empty = none.',
  }),
}

export const PROCESS_OPTIONS = {
  daemonize: bool({ default: false, doc: 'Run in the background; not when a service manager supervises.' }),
  supervised: oneOf(['no', 'auto', 'upstart', 'systemd'], {
    default: 'no',
    doc: 'Which service manager is told that the server is ready.',
  }),
  workers: integer({
    default: 8,
    max: 256,
    mutable: true,
    doc: 'Threads that read from the disk what commands do not find in memory; 0 = the one that runs commands does.',
  }),
  dir: text({ default: DEFAULT_DIR, shipped: DEFAULT_DIR, doc: 'Working directory: data, checkpoints, backups.' }),
  pidfile: text({
    default: `${DEFAULT_DIR}/kvrocks.pid`,
    doc: 'File of the process id; by default kvrocks.pid in dir.',
  }),
  'db-name': text({
    default: 'change.me.db',
    doc: 'Name of the data set; a replica refuses a master that has another one.',
  }),
  requirepass: text({
    default: '',
    mutable: true,
    doc: 'Password of the administrator; empty = clients need none. Required where namespaces exist.',
  }),
  'rename-command': lines({
    default: [],
    doc: 'A command and its new name; two double quotes as the new name remove the command.',
  }),
}

export const LOG_OPTIONS = {
  'log-dir': text({
    default: '',
    shipped: 'stdout',
    doc: 'Where logs go: a directory, stdout, or both with a comma between; empty = dir.',
  }),
  'log-level': oneOf(['info', 'warning', 'error', 'fatal'], {
    default: 'info',
    mutable: true,
    doc: 'Least level that is logged.',
  }),
  'log-retention-days': integer({
    default: -1,
    min: -1,
    mutable: true,
    unit: 'days',
    doc: 'Age at which log files are removed; -1 = never. Not with logs on stdout.',
  }),
  'slowlog-log-slower-than': integer({
    default: 200_000,
    min: -1,
    shipped: '100000',
    mutable: true,
    unit: 'µs',
    doc: 'Time from which a command enters the slow log; 0 = every command, -1 = none.',
  }),
  'slowlog-max-len': integer({ default: 128, mutable: true, doc: 'Entries of the slow log; 0 = no limit.' }),
  'slowlog-dump-logfile-level': oneOf(['off', 'info', 'warning'], {
    default: 'off',
    mutable: true,
    doc: 'Level at which slow commands also go to the log file.',
  }),
  'latency-monitor-threshold': integer({
    default: 0,
    mutable: true,
    unit: 'ms',
    doc: 'Time from which LATENCY records an event; 0 = off.',
  }),
  'latency-tracking': bool({
    default: true,
    mutable: true,
    doc: 'Count the times that commands take, for LATENCY HISTOGRAM and INFO latencystats.',
  }),
  'latency-tracking-info-percentiles': percentiles({
    default: [50, 99, 99.9],
    mutable: true,
    doc: 'Percentiles that INFO latencystats shows of each command, with spaces between; empty = none.',
  }),
  'histogram-bucket-boundaries': text({
    default: '',
    doc: 'Upper bounds of the latency buckets of INFO commandstats in µs, ascending, with commas; empty = off.',
  }),
  'profiling-sample-commands': text({
    default: '',
    mutable: true,
    doc: 'Commands whose RocksDB profile is sampled, with commas between, or * for all; empty = none.',
  }),
  'profiling-sample-ratio': integer({ default: 0, max: 100, mutable: true, unit: '%', doc: 'Share that is sampled.' }),
  'profiling-sample-record-max-len': integer({ default: 256, mutable: true, doc: 'Entries of PERFLOG.' }),
  'profiling-sample-record-threshold-ms': integer({
    default: 100,
    mutable: true,
    unit: 'ms',
    doc: 'Time from which a sampled command enters PERFLOG; 0 = always.',
  }),
}

export const COMMAND_OPTIONS = {
  'lua-time-limit': integer({
    default: 5000,
    mutable: true,
    unit: 'ms',
    doc: 'Time after which a script is stopped, and what it wrote is taken back; 0 = never.',
  }),
  'lua-memory-limit-mb': integer({
    default: 256,
    unit: 'MiB',
    doc: 'Memory that all scripts and functions together may hold; 0 = no limit.',
  }),
  'lua-strict-key-accessing': bool({
    default: false,
    mutable: true,
    doc: 'Whether scripts may only touch keys that they declare.',
  }),
  'max-bitmap-to-string-mb': integer({
    default: 16,
    mutable: true,
    unit: 'MiB',
    doc: 'Largest bitmap that commands on strings take for one.',
  }),
  'json-max-nesting-depth': integer({ default: 1024, mutable: true, doc: 'Deepest JSON document that is accepted.' }),
  'json-storage-format': oneOf(['json', 'cbor'], {
    default: 'json',
    mutable: true,
    doc: 'How newly written JSON documents are stored; both are always read.',
  }),
  'txn-context-enabled': bool({
    default: false,
    doc: 'Accepted for compatibility: here every command sees one state of the data and its own writes.',
  }),
}

export const CRON_OPTIONS = {
  'compact-cron': text({
    default: '',
    mutable: true,
    doc: 'When the whole database is compacted; empty = never. Not used while compaction-checker-cron is set.',
  }),
  'compaction-checker-range': text({
    default: '',
    mutable: true,
    doc: 'Old form of compaction-checker-cron: hours as 0-7.',
  }),
  'compaction-checker-cron': text({
    default: '',
    shipped: '* 0-7 * * *',
    mutable: true,
    doc: 'When single files with many deleted rows are looked for and compacted.',
  }),
  'force-compact-file-age': int64({
    default: 172_800n,
    min: 60n,
    mutable: true,
    unit: 's',
    doc: 'Age from which such a file is compacted even if others have more deleted rows.',
  }),
  'force-compact-file-min-deleted-percentage': integer({
    default: 10,
    min: 1,
    max: 100,
    mutable: true,
    unit: '%',
    doc: 'Share of deleted rows that such an old file needs.',
  }),
  'bgsave-cron': text({ default: '', mutable: true, doc: 'When BGSAVE runs; empty = never.' }),
  'dbsize-scan-cron': text({
    default: '',
    mutable: true,
    doc: 'When keys are counted for DBSIZE, in every namespace; empty = never.',
  }),
  'backup-dir': text({
    default: `${DEFAULT_DIR}/backup`,
    mutable: true,
    doc: 'Where BGSAVE writes; by default backup in dir.',
  }),
  'max-backup-to-keep': integer({ default: 1, max: 1, mutable: true, doc: 'Backups that are kept: 1, or 0 for none.' }),
  'max-backup-keep-hours': integer({
    default: 0,
    shipped: '24',
    mutable: true,
    unit: 'hours',
    doc: 'Age at which a backup is removed; 0 = never.',
  }),
  'max-io-mb': integer({
    default: 0,
    mutable: true,
    unit: 'MiB/s',
    doc: 'Bound for what flushes and compactions write; 0 = none.',
  }),
  'max-db-size': integer({
    default: 0,
    mutable: true,
    unit: 'GiB',
    doc: 'Size of the data on disk from which writes are refused; 0 = no bound.',
  }),
  'row-cache-mb': integer({
    default: 128,
    max: 4096,
    mutable: true,
    unit: 'MiB',
    doc: 'Memory for the cache of rows in front of RocksDB; 0 = off.',
  }),
  'auto-resize-block-and-sst': bool({
    default: true,
    mutable: true,
    doc: 'Accepted for compatibility, without effect as in Kvrocks.',
  }),
}
