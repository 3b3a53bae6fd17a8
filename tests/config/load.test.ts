import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { Config } from '../../src/config/config.js'
import { type ConfigSources, createConfig, loadConfig, readConfigFile } from '../../src/config/load.js'

function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'config-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const load = (directory: string, text: string, rest: Omit<ConfigSources, 'text'> = {}): Config =>
  loadConfig({ text: `dir ${directory}\n${text}`, ...rest })

test('settings come from the file, and the command line wins', (t) => {
  const directory = temporaryDirectory(t)
  const config = load(directory, 'Timeout 7\nmaxclients 5 # few\ntimeout 8\n', { overrides: [['MaxClients', '6']] })
  t.equal(config.values.timeout, 8)
  t.equal(config.values.maxclients, 6)
  t.equal(config.values['slowlog-log-slower-than'], 200_000)
  t.end()
})

test('paths that are not given lie in dir', (t) => {
  const directory = temporaryDirectory(t)
  const config = load(directory, '')
  t.equal(config.text('backup-dir'), join(directory, 'backup'))
  t.equal(config.text('pidfile'), join(directory, 'kvrocks.pid'))
  t.equal(config.text('log-dir'), directory)
  t.strictSame(config.paths, {
    db: join(directory, 'db'),
    checkpoint: join(directory, 'checkpoint'),
    syncCheckpoint: join(directory, 'sync_checkpoint'),
    backupForSync: join(directory, 'backup_for_sync'),
    nodes: join(directory, 'nodes.conf'),
    slots: join(directory, 'cdc-slots.json'),
    redisHistories: join(directory, 'redis-histories.json'),
    sequenceTimes: join(directory, 'cdc-times'),
    damagedLogs: join(directory, 'damaged-wal'),
    history: join(directory, 'history'),
  })
  t.equal(load(directory, 'backup-dir /elsewhere').text('backup-dir'), '/elsewhere')
  t.end()
})

test('dir is created one level deep', (t) => {
  const directory = temporaryDirectory(t)
  loadConfig({ overrides: [['dir', join(directory, 'new')]] })
  t.ok(statSync(join(directory, 'new')).isDirectory())
  const deep = join(directory, 'a', 'b')
  t.throws(() => loadConfig({ overrides: [['dir', deep]] }), {
    message: `IO error: While mkdir if missing: ${deep}: No such file or directory`,
  })
  t.end()
})

test('listen addresses follow bind and unixsocket', (t) => {
  const directory = temporaryDirectory(t)
  t.strictSame(load(directory, '').binds, ['127.0.0.1'])
  t.strictSame(load(directory, 'bind 0.0.0.0  ::1').binds, ['0.0.0.0', '::1'])
  t.strictSame(load(directory, 'unixsocket /tmp/s').binds, [])
  t.end()
})

test('slaveof names the master', (t) => {
  const directory = temporaryDirectory(t)
  t.equal(load(directory, '').master, undefined)
  t.equal(load(directory, 'slaveof NO ONE').master, undefined)
  t.strictSame(load(directory, 'replicaof example 6667').master, { host: 'example', port: 6667 })
  t.end()
})

test('namespaces keep the case of their name, by token', (t) => {
  const directory = temporaryDirectory(t)
  const config = load(directory, 'requirepass p\nnamespace.Ns1 Token1\nNAMESPACE.ns2 token2')
  t.strictSame([...config.namespaces].sort(), [
    ['Token1', 'Ns1'],
    ['token2', 'ns2'],
  ])
  t.end()
})

test('an unknown setting is a warning, an empty one nothing', (t) => {
  const warnings: string[] = []
  const directory = temporaryDirectory(t)
  load(directory, 'Bogus 1\nport\nport ""\nbogus', { overrides: [['foo', 'x']], warn: (line) => warnings.push(line) })
  t.strictSame(warnings, [
    "WARNING: 'bogus' at line 2 is not a valid configuration key.",
    "WARNING: 'foo' on the command line is not a valid configuration key.",
  ])
  t.end()
})

test('rename-command adds up and is checked against the commands', (t) => {
  const directory = temporaryDirectory(t)
  const isCommand = (name: string): boolean => ['get', 'set', 'keys'].includes(name)
  const config = load(directory, 'rename-command KEYS ""\nrename-command GET fetch\nrename-command set get', {
    isCommand,
  })
  t.strictSame(config.values['rename-command'], ['KEYS ""', 'GET fetch', 'set get'])
  const refused: readonly (readonly [line: string, reason: string])[] = [
    ['GET', 'Invalid rename-command format'],
    ['GET a b', 'Invalid rename-command format'],
    ['bogus x', 'No such command in rename-command'],
    ['get SET', 'Target command name already exists'],
  ]
  for (const [line, reason] of refused) {
    const message = `at line #L2: rename-command is invalid: ${reason}`
    t.throws(() => load(directory, `rename-command ${line}`, { isCommand }), { message }, line)
  }
  t.end()
})

test('what does not allow a start is refused with its place and reason', (t) => {
  const directory = temporaryDirectory(t)
  const cases: readonly (readonly [text: string, message: string])[] = [
    ['timeout "', 'at line #L2: malformed line: config line ends unexpectedly in quoted string'],
    ['timeout "1" 2', 'at line #L2: malformed line: more than 2 item in config line'],
    ['timeout x', "at line #L2: failed to set value of field 'timeout': not started as an integer"],
    ['port 65536', "at line #L2: failed to set value of field 'port': out of numeric range"],
    [
      '\nlog-level debug',
      "at line #L3: failed to set value of field 'log-level': invalid enum option, acceptable values are 'info', 'warning', 'error', 'fatal'",
    ],
    [
      'bgsave-cron 1',
      'at line #L2: bgsave-cron is invalid: cron expression format error, should only contain 5x fields',
    ],
    [
      'compaction-checker-cron * 0-7 * * *\ncompaction-checker-range 1-2',
      'at line #L3: compaction-checker-range is invalid: compaction-checker-range cannot be set while compaction-checker-cron is set',
    ],
    ['slaveof a', "while changing key 'slaveof': wrong number of arguments"],
    ['slaveof a 65536', "while changing key 'slaveof': should be between 0 and 65535"],
    ['slaveof a b', "while changing key 'slaveof': should be between 0 and 65535"],
    [
      'histogram-bucket-boundaries 3,2',
      "while changing key 'histogram-bucket-boundaries': The values for the histogram must be sorted.",
    ],
    ['namespace.a b', "requirepass empty wasn't allowed while the namespace exists"],
    [
      'namespace.a b\nrequirepass p\ncluster-enabled yes',
      "enabled cluster mode wasn't allowed while the namespace exists",
    ],
    [
      'namespace.a b\nrequirepass p\nredis-databases 2',
      'redis-databases > 0 is not allowed while any non-default namespace exists',
    ],
    ['cluster-enabled yes\nredis-databases 2', 'cluster mode and redis-databases cannot be enabled at the same time'],
    [
      'namespace.a b\nrequirepass b',
      'at line #L3: requirepass is invalid: requirepass is duplicated with namespace tokens',
    ],
    [
      'namespace.a b\nrequirepass p\nmasterauth b',
      'at line #L4: masterauth is invalid: masterauth is duplicated with namespace tokens',
    ],
    ['unixsocket /tmp/s\nslaveof a 1', "replication doesn't support unix socket"],
    [
      'unixsocket /tmp/s\ncluster-enabled yes',
      "node is in cluster mode, but TCP listen address wasn't specified via configuration file",
    ],
  ]
  for (const [text, message] of cases) t.throws(() => load(directory, text), { message }, text)
  t.throws(() => load(directory, '', { overrides: [['timeout', 'x']] }), {
    message: "CLI config option error: failed to set value of field 'timeout': not started as an integer",
  })
  t.throws(() => load(directory, '', { overrides: [['bgsave-cron', 'x']] }), {
    message:
      'CLI config option error: bgsave-cron is invalid: cron expression format error, should only contain 5x fields',
  })
  t.throws(() => load(directory, 'profiling-sample-commands get,bogus', { isCommand: (name) => name === 'get' }), {
    message: "while changing key 'profiling-sample-commands': bogus is not Kvrocks supported command",
  })
  t.end()
})

test('a file is read whole, or refused', (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'x.conf')
  writeFileSync(file, 'port 1\n')
  t.strictSame(readConfigFile(file), { text: 'port 1\n', path: file })
  t.throws(() => readConfigFile(`${file}.not`), {
    message: `failed to open file '${file}.not': No such file or directory`,
  })
  writeFileSync(file, Buffer.from([0x61, 0xff]))
  t.throws(() => readConfigFile(file), { message: `failed to open file '${file}': It is not UTF-8` })
  t.end()
})

test('a program gives typed values', (t) => {
  const directory = temporaryDirectory(t)
  const config = createConfig({ dir: directory, port: 0, 'rename-command': ['GET a', 'SET b'], unixsocketperm: 0o700 })
  t.equal(config.values.port, 0)
  t.strictSame(config.values['rename-command'], ['GET a', 'SET b'])
  t.equal(config.text('unixsocketperm'), '700')
  t.throws(() => createConfig({ dir: directory, port: 70_000 }), {
    message: "CLI config option error: failed to set value of field 'port': out of numeric range",
  })
  t.end()
})
