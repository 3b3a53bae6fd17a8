/** Options of replication, of the change feed and of cluster mode. Source: kvrocks src/config/config.cc. */
import { bool, bytes, integer, oneOf, text } from '../option.js'

export const REPLICATION_OPTIONS = {
  slaveof: text({ default: '', doc: 'Host and port of the master; empty or "no one" = this server is a master.' }),
  masterauth: text({ default: '', mutable: true, doc: 'Password that a replica sends to its master.' }),
  'repl-namespace-enabled': bool({
    default: false,
    mutable: true,
    doc: 'Keep namespaces in the data and replicate them, instead of in this file.',
  }),
  'slave-read-only': bool({ default: true, mutable: true, doc: 'Whether a replica refuses writes of clients.' }),
  'slave-serve-stale-data': bool({
    default: true,
    mutable: true,
    doc: 'Whether a replica answers while it has no link to its master.',
  }),
  'slave-empty-db-before-fullsync': bool({
    default: false,
    mutable: true,
    doc: 'Whether a replica drops its data before it downloads the data of its master, to save disk.',
  }),
  'slave-priority': integer({
    default: 100,
    mutable: true,
    doc: 'Rank at which Sentinel promotes this replica, lowest first; 0 = never.',
  }),
  'replica-announce-ip': text({
    default: '',
    mutable: true,
    doc: 'Address that a replica reports; empty = the one that its master sees.',
  }),
  'replica-announce-port': integer({
    default: 0,
    max: 65535,
    mutable: true,
    doc: 'Port that a replica reports; 0 = port.',
  }),
  'min-replicas-to-write': integer({
    default: 0,
    mutable: true,
    doc: 'A master refuses writes while fewer replicas than this have confirmed lately what they have; 0 = never.',
  }),
  'min-replicas-max-lag': integer({
    default: 10,
    min: 1,
    mutable: true,
    unit: 's',
    doc: 'How long ago a replica may have confirmed to count for min-replicas-to-write.',
  }),
  'use-rsid-psync': bool({
    default: false,
    doc: 'Whether partial syncs compare the replication id besides the sequence.',
  }),
  'master-use-repl-port': bool({
    default: false,
    mutable: true,
    doc: 'Talk to a master of Kvrocks before 2.0, which serves replicas on its port plus 1, and backups instead of checkpoints.',
  }),
  'max-replication-mb': integer({
    default: 0,
    mutable: true,
    unit: 'MiB/s',
    doc: 'Bound for sending files of a full sync; 0 = none.',
  }),
  'max-replication-lag': integer({
    default: 100_000_000,
    max: Number.MAX_SAFE_INTEGER,
    mutable: true,
    doc: 'Sequences that a replica may lag before its master drops the link; 0 = no bound.',
  }),
  'replication-send-timeout-ms': integer({
    default: 30_000,
    mutable: true,
    unit: 'ms',
    doc: 'Time without progress after which a master drops a replica that does not read; 0 = never.',
  }),
  'replication-connect-timeout-ms': integer({
    default: 3100,
    mutable: true,
    unit: 'ms',
    doc: 'Time that a replica gives its master to accept a connection; 0 = no bound.',
  }),
  'replication-recv-timeout-ms': integer({
    default: 3200,
    mutable: true,
    unit: 'ms',
    doc: 'Time that a replica gives its master to answer in a full sync; 0 = no bound.',
  }),
  'replication-group-sync': bool({
    default: false,
    mutable: true,
    doc: 'Whether a replica writes several received batches with one sync of its log.',
  }),
  'replication-no-slowdown': bool({
    default: true,
    mutable: true,
    doc: 'Whether replicated writes fail at once, rather than wait, while RocksDB stalls writes.',
  }),
  'replication-delay-bytes': integer({
    default: 16_384,
    min: 1,
    mutable: true,
    unit: 'bytes',
    doc: 'Bytes that a master with more to send to a replica gathers for one write to its socket.',
  }),
  'replication-delay-updates': integer({
    default: 16,
    min: 1,
    mutable: true,
    doc: 'Updates that a master with more to send to a replica gathers for one write to its socket.',
  }),
  'replication-enable-sequence-padding': bool({
    default: false,
    mutable: true,
    doc: 'Whether a replica that ends within a batch of its master gets blank sequences for the rest, and loses that rest.',
  }),
  'purge-backup-on-fullsync': bool({
    default: false,
    mutable: true,
    doc: 'Whether the backup is removed while a checkpoint for replicas exists, to save disk.',
  }),
  'fullsync-recv-file-delay': integer({
    default: 0,
    mutable: true,
    unit: 's',
    doc: 'Pause after each received file of a full sync, for tests.',
  }),
}

export const FEED_OPTIONS = {
  'cdc-slot-max-bytes': bytes({
    default: 16 * 1024 ** 3,
    mutable: true,
    doc: 'WAL that one slot of the change feed or one replica may hold back; one that lags more is lost. 0 = no bound.',
  }),
  'cdc-slot-max-age': integer({
    default: 7 * 24 * 3600,
    mutable: true,
    unit: 's',
    doc: 'Age of the WAL that one slot or replica may hold back; 0 = any age.',
  }),
  'cdc-slots-max': integer({
    default: 64,
    mutable: true,
    doc: 'Slots of the change feed that one namespace may have.',
  }),
  'wal-retention-max-bytes': bytes({
    default: 64 * 1024 ** 3,
    mutable: true,
    doc: 'Archived WAL above which the slots and replicas that are farthest behind lose their place; 0 = no bound.',
  }),
  'wal-retention-min-free-bytes': bytes({
    default: 1024 ** 3,
    mutable: true,
    doc: 'Free space on the disk below which the slots and replicas that are farthest behind lose their place; 0 = any.',
  }),
}

export const CLUSTER_OPTIONS = {
  'cluster-enabled': bool({
    default: false,
    doc: 'Cluster mode: keys are stored with their slot, so a data directory stays in the mode it began in.',
  }),
  'persist-cluster-nodes-enabled': bool({
    default: true,
    mutable: true,
    doc: 'Whether the topology is kept in nodes.conf in dir.',
  }),
  'migrate-type': oneOf(['redis-command', 'raw-key-value'], {
    default: 'raw-key-value',
    mutable: true,
    doc: 'How a slot moves: as commands, or as the raw rows of the database.',
  }),
  'migrate-speed': integer({
    default: 4096,
    mutable: true,
    doc: 'Commands a second of a migration by commands; 0 = no bound.',
  }),
  'migrate-pipeline-size': integer({
    default: 16,
    min: 1,
    mutable: true,
    doc: 'Commands in one go of a migration by commands.',
  }),
  'migrate-sequence-gap': integer({
    default: 10_000,
    min: 1,
    mutable: true,
    doc: 'Rest of changes below which a migrating slot refuses writes and finishes.',
  }),
  'migrate-batch-size-kb': integer({
    default: 16,
    min: 1,
    mutable: true,
    unit: 'KiB',
    doc: 'Size of one batch of a raw migration.',
  }),
  'migrate-batch-rate-limit-mb': integer({
    default: 16,
    mutable: true,
    unit: 'MiB/s',
    doc: 'Bound for a raw migration; 0 = none.',
  }),
}
