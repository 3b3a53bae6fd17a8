/** Rules that a value must meet beyond its kind. Source: kvrocks src/config/config.cc, validators, callbacks, finish. */
import { Cron } from './cron.js'
import { bindAddresses, histogramBounds, logTarget, masterAddress, parseRename, sampledCommands } from './derived.js'
import { OptionError } from './option.js'
import type { ConfigValues, OptionName } from './options.js'

/** What a rule looks at: the values as they would be. */
export interface Draft {
  readonly values: Readonly<ConfigValues>
  /** Token to namespace. */
  readonly namespaces: ReadonlyMap<string, string>
  /** Whether a command of this (lower case) name exists; undefined where nobody can tell. */
  readonly isCommand: ((name: string) => boolean) | undefined
}

/** Throws OptionError. */
type Rule = (draft: Draft) => void
type Rules = { readonly [Name in OptionName]?: Rule }

const cron =
  (name: 'compact-cron' | 'bgsave-cron' | 'dbsize-scan-cron' | 'compaction-checker-cron'): Rule =>
  ({ values }) => {
    new Cron(values[name])
  }

const hoursOrCron: Rule = ({ values }) => {
  if (values['compaction-checker-range'] !== '' && values['compaction-checker-cron'] !== '') {
    throw new OptionError('compaction-checker-range cannot be set while compaction-checker-cron is set')
  }
}

/** Rules for a value that the file, the command line or CONFIG SET gives. */
export const GIVEN_RULES: Rules = {
  requirepass({ values, namespaces }) {
    if (values.requirepass === '' && namespaces.size > 0) {
      throw new OptionError('requirepass empty not allowed while the namespace exists')
    }
    if (namespaces.has(values.requirepass)) {
      throw new OptionError('requirepass is duplicated with namespace tokens')
    }
  },
  masterauth({ values, namespaces }) {
    if (namespaces.has(values.masterauth)) throw new OptionError('masterauth is duplicated with namespace tokens')
  },
  'compact-cron': cron('compact-cron'),
  'bgsave-cron': cron('bgsave-cron'),
  'dbsize-scan-cron': cron('dbsize-scan-cron'),
  'compaction-checker-cron': cron('compaction-checker-cron'),
  'compaction-checker-range'(draft) {
    hoursOrCron(draft)
    compactionChecker(draft.values)
  },
  'rename-command'({ values, isCommand }) {
    const renamed = new Map<string, boolean>()
    const exists = (name: string): boolean => renamed.get(name) ?? isCommand?.(name) ?? false
    for (const line of values['rename-command']) {
      const { from, to } = parseRename(line)
      if (isCommand === undefined) continue
      if (!exists(from)) throw new OptionError('No such command in rename-command')
      if (to !== undefined && exists(to)) throw new OptionError('Target command name already exists')
      if (to !== undefined) renamed.set(to, true)
      renamed.set(from, false)
    }
  },
}

/** Rules that hold for every start, given or not, and for CONFIG SET. */
export const ALWAYS_RULES: Rules = {
  slaveof({ values }) {
    masterAddress(values)
  },
  'profiling-sample-commands'({ values, isCommand }) {
    const names = sampledCommands(values)
    if (names === 'all' || isCommand === undefined) return
    for (const name of names) {
      if (!isCommand(name)) throw new OptionError(`${name} is not Kvrocks supported command`)
    }
  },
  'histogram-bucket-boundaries'({ values }) {
    histogramBounds(values)
  },
}

const needsBlobFiles: Rule = ({ values }) => {
  if (!values['rocksdb.enable_blob_files']) throw new OptionError('Must set rocksdb.enable_blob_files to yes first.')
}

const needsDynamicLevels: Rule = ({ values }) => {
  if (!values['rocksdb.level_compaction_dynamic_level_bytes']) {
    throw new OptionError('Must set rocksdb.level_compaction_dynamic_level_bytes yes first.')
  }
}

/** Rules for CONFIG SET alone. */
export const SET_RULES: Rules = {
  'backup-dir'({ values }) {
    // A start takes an empty value for none, and the directory for that in dir.
    if (values['backup-dir'] === '') throw new OptionError('the directory must have a name')
  },
  'compaction-checker-cron': hoursOrCron,
  'log-retention-days'({ values }) {
    if (logTarget(values).directory === undefined) {
      throw new OptionError("can't set the 'log-retention-days' when the log dir is stdout")
    }
  },
  'rocksdb.min_blob_size': needsBlobFiles,
  'rocksdb.blob_file_size': needsBlobFiles,
  'rocksdb.enable_blob_garbage_collection': needsBlobFiles,
  'rocksdb.blob_garbage_collection_age_cutoff': needsBlobFiles,
  'rocksdb.max_bytes_for_level_base': needsDynamicLevels,
  'rocksdb.max_bytes_for_level_multiplier': needsDynamicLevels,
}

/** What must fit together before the server starts. Throws OptionError. */
export function checkTogether({ values, namespaces }: Draft): void {
  if (values.requirepass === '' && namespaces.size > 0) {
    throw new OptionError("requirepass empty wasn't allowed while the namespace exists")
  }
  if (values['cluster-enabled'] && namespaces.size > 0) {
    throw new OptionError("enabled cluster mode wasn't allowed while the namespace exists")
  }
  if (values['redis-databases'] > 0 && namespaces.size > 0) {
    throw new OptionError('redis-databases > 0 is not allowed while any non-default namespace exists')
  }
  if (values['redis-databases'] > 0 && values['cluster-enabled']) {
    throw new OptionError('cluster mode and redis-databases cannot be enabled at the same time')
  }
  if (bindAddresses(values).length > 0) return
  if (values['cluster-enabled']) {
    throw new OptionError("node is in cluster mode, but TCP listen address wasn't specified via configuration file")
  }
  if (masterAddress(values) !== undefined) throw new OptionError("replication doesn't support unix socket")
}

/** The schedule of the compaction checker: its cron, or the older range of hours. Throws OptionError. */
export function compactionChecker(values: Readonly<ConfigValues>): Cron {
  const range = values['compaction-checker-range']
  if (values['compaction-checker-cron'] !== '' || range === '') return new Cron(values['compaction-checker-cron'])
  return new Cron(`* ${range} * * *`)
}
