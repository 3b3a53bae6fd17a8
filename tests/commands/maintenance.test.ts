import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { databaseNamespace } from '../../src/storage/keys.js'
import { eventually } from '../support/eventually.js'
import { startServer, type TestServer } from '../support/server.js'

/** BGSAVE, to its end. */
async function save(s: TestServer): Promise<void> {
  await s.run('bgsave')
  await eventually(() => !s.server.maintenance.isSaving || undefined)
}

const SCHEDULED = 'scheduled work'

test('BGSAVE makes a backup that opens, FLUSHBACKUP removes it', async (t) => {
  await using s = await startServer()
  const backup = join(s.dir, 'backup')
  await s.run('set', 'k', '1')
  t.match(
    await s.run('info', 'persistence'),
    /last_bgsave_time:1700000000\r\nlast_bgsave_status:ok\r\nlast_bgsave_time_sec:-1\r\n/,
  )
  s.advance(5000)
  const client = await s.connect()
  client.write('BGSAVE\r\nBGSAVE\r\nINFO persistence\r\n')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal((await client.nextReply()).bytes, '-ERR bgsave in-progress\r\n')
  t.match((await client.nextReply()).bytes, /bgsave_in_progress:1\r\n/)
  await eventually(() => !s.server.maintenance.isSaving || undefined)
  t.equal(await s.run('lastsave'), ':1700000005\r\n')
  t.equal(await s.run('lastsave', 'iso8601'), '$24\r\n2023-11-14T22:13:25+0000\r\n')
  t.equal(await s.run('lastsave', 'x'), '-ERR syntax error\r\n')
  t.equal(await s.run('lastsave', 'iso8601', 'x'), "-ERR wrong number of arguments for 'lastsave' command\r\n")
  t.match(await s.run('info', 'persistence'), /last_bgsave_status:ok\r\nlast_bgsave_time_sec:0\r\n/)
  t.ok(existsSync(join(backup, 'CURRENT')))
  t.equal(await s.run('flushbackup'), '+OK\r\n')
  await eventually(() => !existsSync(backup) || undefined)
})

test('a backup goes when it is too old', async (t) => {
  await using s = await startServer({ nowMs: Date.now() })
  await save(s)
  await s.server.maintenance.expireBackups()
  t.ok(existsSync(join(s.dir, 'backup')))
  await s.run('config', 'set', 'max-backup-keep-hours', '1')
  await s.server.maintenance.expireBackups()
  t.ok(existsSync(join(s.dir, 'backup')))
  s.advance(2 * 3_600_000)
  await s.server.maintenance.expireBackups()
  t.notOk(existsSync(join(s.dir, 'backup')))
})

test('a backup from before the start is kept as long as one from the start', async (t) => {
  await using s = await startServer({ nowMs: Date.now() + 48 * 3_600_000, config: { 'max-backup-keep-hours': 24 } })
  await save(s)
  await s.server.maintenance.expireBackups()
  t.ok(existsSync(join(s.dir, 'backup')))
  s.advance(25 * 3_600_000)
  await s.server.maintenance.expireBackups()
  t.notOk(existsSync(join(s.dir, 'backup')))
})

test('a backup-dir that holds something else is left alone', async (t) => {
  await using s = await startServer({ nowMs: Date.now(), config: { 'max-backup-keep-hours': 1 } })
  const { maintenance } = s.server
  await s.run('set', 'k', '1')
  const shared = join(s.dir, 'shared')
  mkdirSync(join(shared, 'monday'), { recursive: true })
  const kept = join(s.dir, 'kept')
  mkdirSync(kept)
  writeFileSync(join(kept, '000001.sst'), '')
  writeFileSync(join(kept, 'notes'), '')
  for (const directory of [shared, kept, s.dir, join(s.dir, 'db')]) {
    const names = readdirSync(directory)
    t.equal(await s.run('config', 'set', 'backup-dir', directory), '+OK\r\n')
    t.equal(await s.run('bgsave'), '+OK\r\n')
    await eventually(() => !maintenance.isSaving || undefined)
    t.notOk(maintenance.lastSaveSucceeded, directory)
    await s.run('flushbackup')
    s.advance(2 * 3_600_000)
    await t.rejects(maintenance.expireBackups(), /is not removed: it holds .*, which is not of a backup/)
    t.strictSame(
      names.filter((name) => !readdirSync(directory).includes(name)),
      [],
      directory,
    )
    t.notOk(existsSync(`${directory}.tmp`))
  }
  t.match(s.logged.join('\n'), /Failed to create a backup: .*shared is not removed: it holds monday/)
  t.equal(await s.run('get', 'k'), '$1\r\n1\r\n')
})

test('a backup goes into an empty directory, and takes the place of the last', async (t) => {
  await using s = await startServer()
  const directory = join(s.dir, 'empty')
  mkdirSync(directory)
  await s.run('config', 'set', 'backup-dir', directory)
  for (const value of ['1', '2']) {
    await s.run('set', 'k', value)
    await save(s)
    t.ok(s.server.maintenance.lastSaveSucceeded)
  }
  t.ok(existsSync(join(directory, 'CURRENT')))
})

test('COMPACT and FLUSHMEMTABLE write files, and STATS counts what RocksDB did', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', '1')
  t.equal(await s.run('flushmemtable'), '+OK\r\n')
  t.equal(s.server.store.rocks.liveFiles().length, 1)
  await s.run('set', 'k', '1')
  t.equal(await s.run('flushmemtable', 'async'), '+OK\r\n')
  await eventually(() => s.server.store.rocks.liveFiles().length === 2 || undefined)
  t.equal(await s.run('flushmemtable', 'asyn'), "-ERR the only parameter must be 'ASYNC'\r\n")
  t.equal(
    await s.run('flushmemtable', 'async', 'async'),
    "-ERR wrong number of arguments for 'flushmemtable' command\r\n",
  )
  t.equal(await s.run('compact'), '+OK\r\n')
  t.match(await s.run('info', 'rocksdb'), /is_compacting:yes/)
  t.equal(await s.run('compact'), '-ERR compact in-progress\r\n')
  await eventually(() => !s.server.maintenance.isCompacting || undefined)
  await eventually(() => s.server.storageEvents.flushes > 0 || undefined)
  t.equal(await s.run('flushblockcache'), '+OK\r\n')
  t.equal(await s.run('flushblockcache', 'x'), "-ERR wrong number of arguments for 'flushblockcache' command\r\n")
  const stats = JSON.parse(String(await (await s.connect()).value('stats'))) as Record<string, unknown>
  t.equal(stats['rocksdb.number.keys.written'], 2)
  t.ok(Array.isArray(stats['rocksdb.db.get.micros']))
  t.equal(await s.run('get', 'k'), '$1\r\n1\r\n')
})

test('bgsave-cron and compact-cron run in the minutes that they name', async (t) => {
  await using s = await startServer({ config: { 'bgsave-cron': '* * * * *' } })
  const saves = s.server.maintenance
  s.server.cron.run(SCHEDULED)
  t.ok(saves.isSaving)
  await eventually(() => !saves.isSaving || undefined)
  s.server.cron.run(SCHEDULED)
  t.notOk(saves.isSaving)
  s.advance(60_000)
  s.server.cron.run(SCHEDULED)
  t.ok(saves.isSaving)
})

test('dbsize-scan-cron counts the keys of every namespace in the minutes that it names', async (t) => {
  await using s = await startServer({
    config: { 'dbsize-scan-cron': '* * * * *', requirepass: 'secret', 'repl-namespace-enabled': true },
  })
  await s.run('auth', 'secret')
  await s.run('namespace', 'add', 'ns', 'token')
  await s.run('mset', 'a', '1', 'b', '2')
  const other = await s.connect()
  await other.run('auth', 'token')
  await other.run('set', 'c', '3')
  const counts = s.server.keyCounts
  const keysOf = (namespace?: string) =>
    counts.latest(namespace === undefined ? undefined : Buffer.from(namespace))?.keys
  s.server.cron.run(SCHEDULED)
  await eventually(() => (keysOf() !== undefined && keysOf('ns') !== undefined) || undefined)
  t.equal(keysOf(), 3, 'all keys')
  t.equal(keysOf('ns'), 1)

  await other.run('set', 'd', '4')
  s.server.cron.run(SCHEDULED)
  t.doesNotThrow(() => counts.scan(Buffer.from('ns')), 'none runs: a minute is counted in once')
  s.advance(60_000)
  s.server.cron.run(SCHEDULED)
  await eventually(() => (keysOf() === 4 && keysOf('ns') === 2) || undefined)
  t.strictSame(s.logged, [], 'one that runs already keeps none of the others from being counted')
})

test('dbsize-scan-cron counts each database of redis-databases', async (t) => {
  await using s = await startServer({ config: { 'dbsize-scan-cron': '* * * * *', 'redis-databases': 3 } })
  await s.run('set', 'a', '1')
  await s.run('select', '2')
  await s.run('mset', 'b', '2', 'c', '3')
  s.server.cron.run(SCHEDULED)
  const keys = await eventually(() => {
    const found = [0, 1, 2].map((index) => s.server.keyCounts.latest(databaseNamespace(index))?.keys)
    return found.includes(undefined) ? undefined : found
  })
  t.strictSame(keys, [1, 0, 2])
})

test('CONFIG SET of RocksDB settings reaches the open database, and what it refuses is refused', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('config', 'set', 'rocksdb.disable_auto_compactions', 'yes', 'max-io-mb', '10'), '+OK\r\n')
  t.match(
    await s.run('config', 'set', 'rocksdb.min_blob_size', '1'),
    /^-ERR CONFIG SET failed \(possibly related to argument 'rocksdb.min_blob_size'\) - Must set rocksdb.enable_blob_files/,
  )
})

test('KPROFILE counts its words', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('kprofile', 'memory', 'status'), '+enabled\r\n')
  t.equal(await s.run('kprofile', 'memory', 'enable'), '+OK\r\n')
  t.match(await s.run('kprofile', 'memory', 'disable'), /^-ERR memory profiling is always available/)
  for (const words of [['dump'], ['enable', '/tmp']]) {
    t.equal(await s.run('kprofile', 'memory', ...words), "-ERR wrong number of arguments for 'kprofile' command\r\n")
  }
  t.equal(await s.run('kprofile', 'cpu', 'enable'), '-ERR syntax error\r\n')
  t.match(await s.run('kprofile', 'memory', 'dump', `${s.dir}/none`), /^-ERR cannot write \S+: /)
})
