import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { Config } from '../../src/config/config.js'
import { loadConfig, readConfigFile } from '../../src/config/load.js'
import { OptionError } from '../../src/config/option.js'

function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'config-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function loadFile(t: Test, text: string): { config: Config; file: string } {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'kvrocks.conf')
  writeFileSync(file, `dir ${directory}\n${text}`)
  return { config: loadConfig(readConfigFile(file)), file }
}

/** What stands behind the line of dir. */
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(1)
const load = (t: Test, text = ''): Config => loadConfig({ text: `dir ${temporaryDirectory(t)}\n${text}` })
const get = (config: Config, ...patterns: string[]): [string, string][] =>
  config.get(patterns.map((pattern) => Buffer.from(pattern)))

function refusal(config: Config, ...pairs: [string, string][]): string {
  try {
    config.set(pairs)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return error.reply
  }
}

test('CONFIG GET takes several globs in any case and prints each name once, in order', (t) => {
  const config = load(t, 'requirepass secret')
  t.strictSame(get(config, 'TIMEOUT', 'time*', 'requirepass'), [
    ['requirepass', 'secret'],
    ['timeout', '0'],
  ])
  t.strictSame(get(config, 'tls-p?rt', 'rocksdb.compression_[ls]*'), [
    ['rocksdb.compression_level', '32767'],
    ['rocksdb.compression_start_level', '2'],
    ['tls-port', '0'],
  ])
  t.strictSame(get(config, 'bogus'), [])
  t.strictSame(get(config, 'rename-command'), [])
  t.end()
})

test('CONFIG GET prints a pair for each line of rename-command', (t) => {
  t.strictSame(get(load(t, 'rename-command a b\nrename-command c d'), 'rename-command'), [
    ['rename-command', 'a b'],
    ['rename-command', 'c d'],
  ])
  t.end()
})

test('CONFIG GET knows the names that tools of Redis ask for', (t) => {
  const config = load(t, 'replica-priority 5\nredis-databases 3')
  t.strictSame(get(config, '*-priority', 'databases', 'save', 'appendonly'), [
    ['appendonly', 'no'],
    ['databases', '3'],
    ['replica-priority', '5'],
    ['save', ''],
    ['slave-priority', '5'],
  ])
  t.end()
})

test('CONFIG SET changes several options, or none', (t) => {
  const config = load(t)
  config.set([
    ['TIMEOUT', '5'],
    ['maxclients', '50'],
  ])
  t.strictSame([config.values.timeout, config.values.maxclients], [5, 50])
  const reply = refusal(config, ['timeout', '6'], ['maxclients', 'x'])
  t.equal(
    reply,
    "CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed into an integer",
  )
  t.equal(config.values.timeout, 5)
  t.end()
})

test('CONFIG SET refuses what it cannot change', (t) => {
  const config = load(t)
  const failed = (name: string, reason: string): string =>
    `CONFIG SET failed (possibly related to argument '${name}') - ${reason}`
  t.equal(refusal(config, ['foo', 'bar']), "Unknown option or number of arguments for CONFIG SET - 'foo'")
  t.equal(refusal(config, ['port', '1']), failed('port', "can't set immutable config"))
  t.equal(refusal(config, ['databases', '1']), failed('databases', "can't set immutable config"))
  t.equal(refusal(config, ['timeout', '1'], ['timeout', '2']), failed('timeout', 'duplicate parameter'))
  t.equal(
    refusal(config, ['slave-priority', '1'], ['replica-priority', '2']),
    failed('replica-priority', 'duplicate parameter'),
  )
  t.equal(
    refusal(config, ['bgsave-cron', 'x']),
    failed('bgsave-cron', 'cron expression format error, should only contain 5x fields'),
  )
  t.equal(
    refusal(config, ['rocksdb.min_blob_size', '1']),
    failed('rocksdb.min_blob_size', 'Must set rocksdb.enable_blob_files to yes first.'),
  )
  t.equal(refusal(config, ['rocksdb.min_blob_size', '1'], ['rocksdb.enable_blob_files', 'yes']), 'accepted')
  t.equal(refusal(config, ['backup-dir', '']), failed('backup-dir', 'the directory must have a name'))
  t.equal(
    refusal(load(t, 'log-dir stdout'), ['log-retention-days', '1']),
    failed('log-retention-days', "can't set the 'log-retention-days' when the log dir is stdout"),
  )
  t.end()
})

test('a password may not be a token, nor empty while namespaces exist', (t) => {
  const config = load(t, 'requirepass p\nnamespace.a token')
  const failed = "CONFIG SET failed (possibly related to argument 'requirepass') - requirepass"
  t.equal(refusal(config, ['requirepass', '']), `${failed} empty not allowed while the namespace exists`)
  t.equal(refusal(config, ['requirepass', 'token']), `${failed} is duplicated with namespace tokens`)
  config.namespaces.clear()
  t.equal(refusal(config, ['requirepass', '']), 'accepted')
  t.end()
})

test('listeners see the new values, once each, and the old ones again when a later one refuses', (t) => {
  const config = load(t, 'timeout 1\nmaxclients 10')
  const seen: string[] = []
  config.onChange(['timeout', 'maxclients'], ({ timeout, maxclients }) => {
    seen.push(`${timeout} ${maxclients}`)
  })
  const stop = config.onChange('maxclients', ({ maxclients }) => {
    if (maxclients > 100) throw new OptionError('too many')
  })
  config.set([
    ['timeout', '2'],
    ['maxclients', '20'],
  ])
  t.strictSame(seen, ['2 20'])
  t.equal(
    refusal(config, ['timeout', '3'], ['maxclients', '101']),
    "CONFIG SET failed (possibly related to argument 'maxclients') - too many",
  )
  t.strictSame(seen, ['2 20', '3 101', '2 20'])
  t.strictSame([config.values.timeout, config.values.maxclients], [2, 20])
  stop()
  t.equal(refusal(config, ['maxclients', '101']), 'accepted')
  t.end()
})

test('what writes to the disk hears of a CONFIG SET after all others, and writes all of it', (t) => {
  const { config, file } = loadFile(t, '')
  config.onAccepted('timeout', () => config.rewrite())
  config.onChange('maxclients', ({ maxclients }) => {
    if (maxclients > 100) throw new OptionError('too many')
  })
  t.match(refusal(config, ['timeout', '3'], ['maxclients', '101']), /too many$/)
  t.strictSame(linesOf(file), [''])
  config.set([
    ['timeout', '3'],
    ['maxclients', '100'],
  ])
  t.strictSame(linesOf(file), ['maxclients 100', 'timeout 3', ''])
  config.onAccepted('workers', () => {
    throw new OptionError('never')
  })
  t.match(refusal(config, ['workers', '1'], ['maxclients', '7']), /'workers'\) - never$/)
  config.rewrite()
  t.strictSame(linesOf(file), ['maxclients 100', 'timeout 3', ''])
  t.end()
})

test('the compaction checker has its hours or its schedule, as at the start', (t) => {
  const reason = 'compaction-checker-range cannot be set while compaction-checker-cron is set'
  const config = load(t, 'compaction-checker-range 0-7')
  t.equal(
    refusal(config, ['compaction-checker-cron', '* 1-5 * * *']),
    `CONFIG SET failed (possibly related to argument 'compaction-checker-cron') - ${reason}`,
  )
  t.equal(
    refusal(config, ['compaction-checker-cron', '* 1-5 * * *'], ['compaction-checker-range', '']),
    'accepted',
    'one may replace the other',
  )
  t.equal(
    refusal(config, ['compaction-checker-range', '0-7']),
    `CONFIG SET failed (possibly related to argument 'compaction-checker-range') - ${reason}`,
  )
  t.equal(refusal(config, ['compaction-checker-range', '0-7'], ['compaction-checker-cron', '']), 'accepted')
  t.equal(refusal(config, ['compaction-checker-cron', '']), 'accepted')
  t.end()
})

test('a listener that breaks leaves the old values and its error', (t) => {
  const config = load(t)
  config.onChange('timeout', () => {
    throw new TypeError('a bug')
  })
  t.throws(() => config.set([['timeout', '3']]), new TypeError('a bug'))
  t.equal(config.values.timeout, 0)
  t.end()
})

test('CONFIG REWRITE brings lines up to date and leaves the rest as it is', (t) => {
  const { config, file } = loadFile(
    t,
    '# head\n\n  TIMEOUT 1 # comment\nbogus 5\nrename-command a  b\nproto-max-bulk-len 2m\nmasterauth x\ntimeout 2\n',
  )
  appendFileSync(file, 'bad "\n')
  config.set([
    ['timeout', '7'],
    ['requirepass', 'a "b'],
    ['masterauth', ''],
    ['maxclients', '10240'],
  ])
  config.rewrite()
  t.strictSame(linesOf(file), [
    '# head',
    '',
    'timeout 7',
    'bogus 5',
    'rename-command a  b',
    'proto-max-bulk-len 2M',
    'bad "',
    'requirepass "a \\"b"',
    '',
  ])
  t.end()
})

test('CONFIG REWRITE is read back as what was in force', (t) => {
  const { config, file } = loadFile(t, 'replicaof h 1\n')
  config.assign('slaveof', 'no one')
  config.set([
    ['client-output-buffer-limit', 'pubsub 1m 0 0'],
    ['notify-keyspace-events', 'KEA'],
    ['compact-cron', '0 3 * * *'],
    ['latency-tracking-info-percentiles', ''],
  ])
  config.rewrite()
  const again = loadConfig(readConfigFile(file))
  t.strictSame(get(again, '*'), get(config, '*'))
  t.equal(linesOf(file)[0], 'replicaof "no one"')
  t.end()
})

test('CONFIG REWRITE writes namespaces anew, unless they are replicated', (t) => {
  const { config, file } = loadFile(t, 'requirepass p\nnamespace.a t1\nnamespace.B t2\n')
  config.namespaces.delete('t1')
  config.namespaces.set('t#3', 'c')
  config.rewrite()
  t.strictSame(linesOf(file), ['requirepass p', 'namespace.B t2', 'namespace.c "t#3"', ''])
  config.assign('repl-namespace-enabled', true)
  config.storedNamespaces = () =>
    new Map([
      ['t2', 'B'],
      ['t#3', 'b'],
    ])
  config.namespaces.set('t4', 'no line\nholds this')
  config.rewrite()
  t.strictSame(linesOf(file), ['requirepass p', 'namespace.c "t#3"', 'repl-namespace-enabled yes', ''])
  config.storedNamespaces = () => config.namespaces
  config.rewrite()
  t.strictSame(linesOf(file), ['requirepass p', 'repl-namespace-enabled yes', ''])
  t.end()
})

test('CONFIG REWRITE knows lines of namespaces in any case', (t) => {
  const { config, file } = loadFile(t, 'requirepass p\nNAMESPACE.a t1\nNamespace.B t2\n')
  config.namespaces.delete('t1')
  config.rewrite()
  t.strictSame(linesOf(file), ['requirepass p', 'namespace.B t2', ''])
  t.end()
})

test('CONFIG REWRITE leaves a file alone that is not UTF-8', (t) => {
  const { config, file } = loadFile(t, 'timeout 1\n')
  appendFileSync(file, Buffer.from('# caf\xe9\n', 'latin1'))
  const before = readFileSync(file)
  t.throws(() => config.rewrite(), { message: 'the configuration file is not UTF-8' })
  t.strictSame(readFileSync(file), before)
  t.end()
})

test('CONFIG REWRITE keeps mode and symbolic link, and leaves no temporary file', (t) => {
  const { file } = loadFile(t, 'timeout 1\n')
  chmodSync(file, 0o640)
  const link = `${file}.link`
  symlinkSync(file, link)
  const config = loadConfig(readConfigFile(link))
  config.set([['timeout', '2']])
  config.rewrite()
  t.equal(statSync(file).mode & 0o777, 0o640)
  t.strictSame(linesOf(file), ['timeout 2', ''])
  t.strictSame(readdirSync(config.values.dir).sort(), ['kvrocks.conf', 'kvrocks.conf.link'])
  t.end()
})

test('CONFIG REWRITE says why it cannot', (t) => {
  t.throws(() => load(t).rewrite(), { message: 'The server is running without a config file' })
  const { config, file } = loadFile(t, '')
  rmSync(join(file, '..'), { recursive: true })
  t.throws(() => config.rewrite(), { message: 'rename file encounter error: No such file or directory' })
  t.end()
})
