import { test } from 'tap'
import { startServer } from '../support/server.js'

test('FLUSHDB empties one namespace and FLUSHALL all of them', async (t) => {
  await using s = await startServer({ config: { 'redis-databases': 2 } })
  await s.run('set', 'k', '0')
  await s.run('select', '1')
  await s.run('set', 'k', '1')
  t.equal(await s.run('flushdb', 'sync'), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
  await s.run('set', 'k', '1')
  await s.run('select', '0')
  t.equal(await s.run('get', 'k'), '$1\r\n0\r\n')
  t.equal(await s.run('flushall', 'nope'), '-ERR syntax error\r\n')
  t.equal(await s.run('flushall', 'async'), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
  await s.run('select', '1')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
})

test('FLUSHALL inside a transaction is undone for no key and seen by the commands after it', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', '0')
  await s.run('multi')
  await s.run('flushall')
  await s.run('get', 'k')
  await s.run('set', 'k', '1')
  t.equal(await s.run('exec'), '*3\r\n+OK\r\n$-1\r\n+OK\r\n')
  t.equal(await s.run('get', 'k'), '$1\r\n1\r\n')
})

test('TIME is that of the clock', async (t) => {
  await using s = await startServer({ nowMs: 1_700_000_000_123 })
  t.equal(await s.run('time'), '*2\r\n$10\r\n1700000000\r\n$6\r\n123000\r\n')
})

test('INFO: sections, their order, and one or several by name', async (t) => {
  await using s = await startServer()
  const text = String(await (await s.connect()).value('info'))
  t.same(
    text.split('\r\n').filter((line) => line.startsWith('# ') && !line.startsWith('# WARN')),
    '# Server,# Clients,# Memory,# Persistence,# Stats,# Replication,# CPU,# Commandstats,# Errorstats,# Latencystats,# Cluster,# CDC,# Keyspace,# RocksDB'.split(
      ',',
    ),
  )
  for (const field of [
    'redis_version:7.0.0',
    'kvrocks_version:2.17.0',
    'redis_mode:standalone',
    `tcp_port:${s.port}`,
    'maxmemory_policy:noeviction',
    'role:master',
    'connected_slaves:0',
    'cluster_enabled:0',
    'db0:keys=0,expires=0,avg_ttl=0,expired=0',
    'sequence:0',
    'is_bgsaving:no',
  ]) {
    t.ok(text.includes(`\r\n${field}\r\n`), field)
  }
  t.match(text, /\r\nrun_id:[0-9a-f]{40}\r\n/)
  t.equal(await s.run('info', 'Cluster'), '$30\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n')
  t.equal(
    await s.run('info', 'cluster', 'errorstats'),
    '$46\r\n# Errorstats\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n',
  )
  t.equal(await s.run('info', 'nosuch'), '$0\r\n\r\n')
  t.equal(await s.run('info', 'cluster', 'format', 'json'), '$37\r\n{"Cluster":{"cluster_enabled":false}}\r\n')
  t.equal(await s.run('info', 'format', 'xml'), '-ERR syntax error\r\n')
})

test('INFO commandstats counts calls, refusals and failures; CONFIG RESETSTAT forgets them', async (t) => {
  await using s = await startServer()
  await s.run('set', 's', 'x')
  await s.run('incr', 's')
  await s.run('incr')
  t.match(
    await s.run('info', 'commandstats'),
    /cmdstat_incr:calls=1,usec=\d+,usec_per_call=\d+,rejected_calls=1,failed_calls=1\r\n/,
  )
  t.match(await s.run('info', 'errorstats'), /errorstat_ERR:count=2\r\n/)
  t.equal(await s.run('config', 'resetstat'), '+OK\r\n')
  t.notMatch(await s.run('info', 'commandstats'), /incr/)
})

test('ROLE and WAIT of a master without replicas', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', '1')
  t.equal(await s.run('role'), '*3\r\n$6\r\nmaster\r\n:1\r\n*0\r\n')
  t.equal(await s.run('wait', '0', '0'), ':0\r\n')
  t.equal(await s.run('wait', '1', '10'), ':0\r\n')
  t.equal(await s.run('wait', '1', '-1'), '-ERR timeout is negative\r\n')
  t.equal(await s.run('wait', '1', 'x'), '-ERR timeout is not an integer or out of range\r\n')
  // The moment would be beyond what int64 holds. Source: redis 8 src/timeout.c, getTimeoutFromObjectOrReply.
  const never = '9223372036854775807'
  for (const command of [
    ['wait', '1', never],
    ['client', 'pause', never],
    ['xread', 'block', never, 'streams', 's', '0'],
  ]) {
    t.equal(await s.run(...command), '-ERR timeout is out of range\r\n', command.join(' '))
  }
})

test('MONITOR shows what others do, with passwords left out', async (t) => {
  await using s = await startServer({ nowMs: 1_700_000_000_000 })
  const monitor = await s.connect()
  t.equal(await monitor.run('monitor'), '+OK\r\n')
  const client = await s.connect()
  await client.run('set', 'k"', 'a\n')
  await client.run('auth', 'default', 'secret')
  await client.run('auth', 'secret', 'user')
  await client.run('hello', 2, 'setname', 'me', 'auth', 'default', 'secret')
  await client.run('hello', 2, 'auth', 'user', 'secret')
  await client.run('config', 'set', 'masterauth', 'secret')
  await client.run('flushall')
  await client.run('ping')
  await client.run('eval', `return redis.call('get', 'k')`, '0')
  const address = `127.0.0.1:${client.socket.localPort}`
  const shown = (line: string): string => line.replace(/^\+\d+\.\d{6} /, '')
  t.equal(shown((await monitor.nextReply()).bytes), `[__namespace ${address}] "set" "k\\"" "a\\n"\r\n`)
  for (const words of [
    '"auth" "default" "(redacted)"',
    '"auth" "(redacted)" "(redacted)"',
    '"hello" "2" "setname" "me" "auth" "default" "(redacted)"',
    '"hello" "2" "auth" "(redacted)" "(redacted)"',
    '"flushall"',
    '"ping"',
  ]) {
    t.equal(shown((await monitor.nextReply()).bytes), `[__namespace ${address}] ${words}\r\n`)
  }
  t.match((await monitor.nextReply()).bytes, /"eval" /, 'a script before what it calls')
  t.equal(shown((await monitor.nextReply()).bytes), `[__namespace lua] "get" "k"\r\n`)
  await client.run('multi')
  await client.run('get', 'k')
  await client.run('exec')
  for (const words of ['"multi"', '"get" "k"', '"exec"']) {
    t.equal(shown((await monitor.nextReply()).bytes), `[__namespace ${address}] ${words}\r\n`)
  }
})

test('SLOWLOG leaves passwords out, too', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret', 'slowlog-log-slower-than': 0 } })
  const client = await s.connect()
  await client.run('auth', 'secret')
  await client.run('hello', 3, 'auth', 'default', 'secret')
  const entries = (await client.value('slowlog', 'get')) as unknown[][]
  t.same(
    entries.map((entry) => entry[3]),
    [
      ['hello', '3', 'auth', 'default', '(redacted)'],
      ['auth', '(redacted)'],
    ],
  )
})

test('SLOWLOG keeps the slowest with their words shortened', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 0, 'slowlog-max-len': 2 } })
  const client = await s.connect()
  await client.run('client', 'setname', 'me')
  await client.run('set', 'k', 'v'.repeat(130))
  await client.run('mget', ...Array.from({ length: 40 }, (_, index) => `k${index}`))
  const entries = (await client.value('slowlog', 'get')) as unknown[][]
  t.equal(entries.length, 2)
  const [mget = [], set = []] = entries
  t.equal((mget[3] as string[]).length, 32)
  t.equal((mget[3] as string[])[31], '... (10 more arguments)')
  t.same(set[3], ['set', 'k', `${'v'.repeat(128)}... (2 more bytes)`])
  t.same([set[0], set[4], set[5]], [2, `127.0.0.1:${client.socket.localPort}`, 'me'])
  t.equal(await client.run('slowlog', 'len'), ':2\r\n')
  t.equal(await client.run('slowlog', 'get', '-2'), '-ERR count should be greater than or equal to -1\r\n')
  await client.run('config', 'set', 'slowlog-log-slower-than', '-1')
  t.equal(await client.run('slowlog', 'reset'), '+OK\r\n')
  t.equal(await client.run('slowlog', 'get', '*'), '*0\r\n')
})

test('SLOWLOG shows the token of a namespace what is its own, and removes no more', async (t) => {
  await using s = await startServer({
    config: { requirepass: 'secret', 'repl-namespace-enabled': true, 'slowlog-log-slower-than': 0 },
  })
  const [all, own] = [await s.connect(), await s.connect()]
  await all.run('auth', 'secret')
  await all.run('namespace', 'add', 'ns', 'token')
  await all.run('slowlog', 'reset')
  await all.run('config', 'set', 'slowlog-log-slower-than', '-1')
  await own.run('auth', 'token')
  await all.run('config', 'set', 'slowlog-log-slower-than', '0')
  await all.run('set', 'k', 'of all')
  await own.run('set', 'k', 'of one')
  const words = async (client: typeof all): Promise<unknown[]> => {
    const entries = (await client.value('slowlog', 'get', '-1')) as unknown[][]
    return entries.map((entry) => entry[3])
  }
  await all.run('config', 'set', 'slowlog-log-slower-than', '-1')
  t.same(await words(own), [['set', 'k', 'of one']])
  t.equal(await own.run('slowlog', 'len'), ':1\r\n')
  t.equal(await own.run('slowlog', 'reset'), '+OK\r\n')
  t.same(await words(own), [])
  t.same(await words(all), [
    ['set', 'k', 'of all'],
    ['slowlog', 'reset'],
  ])
})

test('DEBUG PROTOCOL in both protocols', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const all = async (): Promise<string[]> => {
    const found: string[] = []
    for (const type of 'string integer double null array set map verbatim true false bignum'.split(' ')) {
      found.push(await client.run('debug', 'protocol', type))
    }
    return found
  }
  t.same(await all(), [
    '$11\r\nHello World\r\n',
    ':12345\r\n',
    '$5\r\n3.141\r\n',
    '$-1\r\n',
    '*3\r\n:0\r\n:1\r\n:2\r\n',
    '*3\r\n:0\r\n:1\r\n:2\r\n',
    '*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n',
    '$15\r\nverbatim string\r\n',
    ':1\r\n',
    ':0\r\n',
    '$37\r\n1234567999999999999999999999999999999\r\n',
  ])
  await client.run('hello', '3')
  t.same(await all(), [
    '$11\r\nHello World\r\n',
    ':12345\r\n',
    ',3.141\r\n',
    '_\r\n',
    '*3\r\n:0\r\n:1\r\n:2\r\n',
    '~3\r\n:0\r\n:1\r\n:2\r\n',
    '%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n',
    '=19\r\ntxt:verbatim string\r\n',
    '#t\r\n',
    '#f\r\n',
    '(1234567999999999999999999999999999999\r\n',
  ])
  t.match(await client.run('debug', 'protocol', 'x'), /^-ERR Wrong protocol type name\./)
})

test('DEBUG SLEEP lets all clients wait', async (t) => {
  await using s = await startServer()
  const [sleeper, other] = [await s.connect(), await s.connect()]
  await other.run('ping')
  const startMs = performance.now()
  sleeper.send('debug', 'sleep', '0.2')
  await new Promise((done) => setTimeout(done, 50))
  t.equal(await other.run('ping'), '+PONG\r\n')
  t.ok(performance.now() - startMs > 180)
  t.equal((await sleeper.nextReply()).bytes, '+OK\r\n')
  t.equal(await sleeper.run('debug', 'sleep', 'x'), '-ERR invalid debug sleep time\r\n')
  const [[, , us, words] = []] = (await sleeper.value('slowlog', 'get', '1')) as unknown[][]
  t.ok(Number(us) >= 200_000, 'the slow log tells of it')
  t.same(words, ['debug', 'sleep', '0.2'])
})

test('DEBUG DBSIZE-LIMIT refuses what takes space and lets pass what frees it', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', '1')
  t.equal(await s.run('debug', 'dbsize-limit', '1'), '+OK\r\n')
  t.equal(await s.run('set', 'k', '2'), '-ERR write command not allowed when reached max-db-size.\r\n')
  t.equal(await s.run('get', 'k'), '$1\r\n1\r\n')
  t.equal(await s.run('flushdb'), '+OK\r\n')
  t.equal(await s.run('debug', 'dbsize-limit', '0'), '+OK\r\n')
  t.equal(await s.run('set', 'k', '2'), '+OK\r\n')
})

test('ACL and MODULE tell of the one user and of no modules', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('acl', 'whoami'), '$7\r\ndefault\r\n')
  t.equal(await s.run('acl', 'users'), '*1\r\n$7\r\ndefault\r\n')
  t.equal(await s.run('acl', 'list'), '*1\r\n$34\r\nuser default on nopass ~* &* +@all\r\n')
  t.equal(await s.run('acl', 'getuser', 'nobody'), '$-1\r\n')
  t.match(await s.run('acl', 'cat', 'transaction'), /exec/)
  t.equal(await s.run('acl', 'cat', 'nosuch'), "-ERR Unknown category 'nosuch'\r\n")
  t.equal(await s.run('module', 'list'), '*0\r\n')
})

test('SLOWLOG keeps what EXEC runs and not EXEC, and no command that waits', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 0 } })
  const client = await s.connect()
  client.send('blpop', 'k', '0')
  while (!(await s.run('info', 'clients')).includes('blocked_clients:1\r\n')) {}
  await s.run('slowlog', 'reset')
  await s.run('multi')
  await s.run('ping')
  await s.run('exec')
  const entries = (await (await s.connect()).value('slowlog', 'get')) as unknown[][]
  t.same(
    entries.map(([, , , words]) => words),
    [['ping'], ['multi'], ['slowlog', 'reset']],
  )
})
