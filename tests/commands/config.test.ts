import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { SILENT_LOG } from '../../src/log/log.js'
import { Server } from '../../src/server/server.js'
import { RawClient } from '../support/raw-client.js'
import { startServer } from '../support/server.js'

test('CONFIG GET takes several globs and is a map in RESP3', async (t) => {
  await using s = await startServer()
  t.equal(
    await s.run('config', 'get', 'timeout', 'MAXCLIENT?'),
    '*4\r\n$10\r\nmaxclients\r\n$5\r\n10240\r\n$7\r\ntimeout\r\n$1\r\n0\r\n',
  )
  t.equal(await s.run('config', 'get', 'nosuch'), '*0\r\n')
  await s.run('hello', '3')
  t.equal(await s.run('config', 'get', 'timeout'), '%1\r\n$7\r\ntimeout\r\n$1\r\n0\r\n')
})

test('CONFIG SET is all or nothing', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('config', 'set', 'timeout', '7', 'slowlog-max-len', '9'), '+OK\r\n')
  t.match(
    await s.run('config', 'set', 'timeout', '8', 'slowlog-max-len', 'x'),
    /^-ERR CONFIG SET failed \(possibly related to argument 'slowlog-max-len'\) - /,
  )
  t.equal(await s.run('config', 'get', 'timeout'), '*2\r\n$7\r\ntimeout\r\n$1\r\n7\r\n')
  t.match(await s.run('config', 'set', 'port', '1'), /can't set immutable config\r\n$/)
  t.match(
    await s.run('config', 'set', 'nosuch', '1'),
    /^-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'/,
  )
  t.equal(await s.run('config', 'set', 'timeout'), "-ERR wrong number of arguments for 'config|set' command\r\n")
  t.equal(await s.run('config', 'set', 'a', 'b', 'c'), "-ERR wrong number of arguments for 'config|set' command\r\n")
  t.match(await s.run('config', 'rewrite'), /^-ERR The server is running without a config file/)
})

test('CONFIG SET refuses what is not UTF-8, which no file could keep', async (t) => {
  await using s = await startServer({ config: { requirepass: 'p' } })
  await s.run('auth', 'p')
  const refused = (name: string): string =>
    `-ERR CONFIG SET failed (possibly related to argument '${name}') - the value is not UTF-8\r\n`
  const password = Buffer.from('p\xff', 'latin1')
  for (const name of ['requirepass', 'masterauth']) t.equal(await s.run('config', 'set', name, password), refused(name))
  t.equal(await s.run('config', 'set', 'timeout', '7', 'masterauth', password), refused('masterauth'))
  t.match(await s.run('config', 'set', password, 'x'), /^-ERR Unknown option or number of arguments for CONFIG SET/)
  t.equal(
    await s.run('config', 'get', 'requirepass', 'masterauth', 'timeout'),
    '*6\r\n$10\r\nmasterauth\r\n$0\r\n\r\n$11\r\nrequirepass\r\n$1\r\np\r\n$7\r\ntimeout\r\n$1\r\n0\r\n',
  )
  t.equal(await s.run('config', 'set', 'requirepass', 'pä'), '+OK\r\n')
  t.equal(await s.run('auth', 'pä'), '+OK\r\n')
})

test('CONFIG REWRITE, rename-command and SHUTDOWN of a server with a file', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-config-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'kvrocks.conf')
  writeFileSync(path, `dir ${dir}\nport 0\nrename-command KEYS hidden\nrename-command ECHO ""\n`)
  const config = loadConfig({ text: readFileSync(path, 'utf8'), path, overrides: [] })
  let isStopped = false
  const onShutdown = (): void => {
    isStopped = true
  }
  await using server = new Server({ config, log: SILENT_LOG, onShutdown })
  await server.listen()
  const client = await RawClient.connect(server.port)
  t.teardown(() => client.close())
  t.equal(await client.run('config', 'set', 'timeout', '7'), '+OK\r\n')
  t.equal(await client.run('config', 'rewrite'), '+OK\r\n')
  t.match(readFileSync(path, 'utf8'), /^timeout 7$/m)
  t.equal(await client.run('hidden', '*'), '*0\r\n')
  t.match(await client.run('keys', '*'), /^-ERR unknown command 'keys'/)
  t.match(await client.run('echo', 'x'), /^-ERR unknown command 'echo'/)
  t.equal(await client.run('shutdown', 'abort'), '-ERR No shutdown in progress.\r\n')
  t.equal(await client.run('shutdown', 'foo'), '-ERR syntax error\r\n')
  t.notOk(isStopped)
  client.send('shutdown', 'nosave')
  client.send('ping')
  t.equal((await client.nextReply()).bytes, '+PONG\r\n')
  t.ok(isStopped)
})

test('histogram-bucket-boundaries and slowlog-dump-logfile-level', async (t) => {
  await using s = await startServer({
    config: { 'histogram-bucket-boundaries': '0,10000000', 'slowlog-log-slower-than': 0 },
  })
  await s.run('get', 'k')
  t.match(await s.run('info', 'commandstats'), /cmdstathist_get:0=0,10000000=1,inf=0,sum=\d+,count=1\r\n/)
  t.equal(await s.run('config', 'set', 'slowlog-dump-logfile-level', 'warning'), '+OK\r\n')
  const warned: string[] = []
  s.server.log.warning = (text) => {
    warned.push(text)
  }
  await s.run('get', 'a b')
  t.match(warned[0], /^\[slowlog\] 127\.0\.0\.1:\d+ \d+ us: "get" "a b"$/)
})
