import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type TestServer } from '../support/server.js'

const ALL = '>2\r\n$10\r\ninvalidate\r\n_\r\n'

/** The push that says that `keys` have changed. */
function invalidation(...keys: string[]): string {
  return `>2\r\n$10\r\ninvalidate\r\n${bulks(keys)}`
}

function bulks(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

/** A RESP3 connection with tracking turned on. */
async function tracker(s: TestServer, ...options: string[]): Promise<RawClient> {
  const client = await s.connect()
  await client.run('hello', '3')
  const reply = await client.run('client', 'tracking', 'on', ...options)
  if (reply !== '+OK\r\n') throw new Error(reply)
  return client
}

/** The replies and pushes up to the reply of an ECHO that is sent now, which they must precede. */
async function received(client: RawClient): Promise<string> {
  client.send('echo', 'that is all')
  let all = ''
  for (;;) {
    const { bytes } = await client.nextReply()
    if (bytes === '$11\r\nthat is all\r\n') return all
    all += bytes
  }
}

test('a key that a client has read is invalidated once, by its first change', async (t) => {
  await using s = await startServer()
  const reader = await tracker(s)
  t.equal(await reader.run('get', 'k'), '_\r\n')
  t.equal(await s.run('set', 'other', '1'), '+OK\r\n')
  t.equal(await received(reader), '')
  t.equal(await s.run('set', 'k', '1'), '+OK\r\n')
  t.equal(await s.run('set', 'k', '2'), '+OK\r\n')
  t.equal(await received(reader), invalidation('k'))
  t.equal(await reader.run('get', 'k'), '$1\r\n2\r\n')
  t.equal(await s.run('append', 'k', '3'), ':2\r\n')
  t.equal(await received(reader), invalidation('k'))
})

test('every type and every key of a command is remembered, and each change of it is told', async (t) => {
  await using s = await startServer()
  const reader = await tracker(s)
  await s.run('rpush', 'l', 'a', 'b')
  await s.run('hset', 'h', 'f', '1')
  await s.run('zadd', 'z', '1', 'm')
  await s.run('xadd', 'x', '1-1', 'f', 'v')
  await reader.run('lrange', 'l', '0', '-1')
  await reader.run('hgetall', 'h')
  await reader.run('zrange', 'z', '0', '-1')
  await reader.run('xrange', 'x', '-', '+')
  await reader.run('sunion', 's1', 's2')
  await reader.run('ttl', 'plain')
  await s.run('lset', 'l', '0', 'c')
  await s.run('hincrby', 'h', 'f', '1')
  await s.run('zincrby', 'z', '1', 'm')
  await s.run('xadd', 'x', '1-2', 'f', 'v')
  await s.run('sadd', 's2', 'm')
  await s.run('setex', 'plain', '100', 'v')
  t.equal(await received(reader), ['l', 'h', 'z', 'x', 's2', 'plain'].map((key) => invalidation(key)).join(''))
  await reader.run('mget', 'a', 'b', 'c')
  await s.run('mset', 'a', '1', 'b', '2')
  await s.run('rename', 'a', 'c')
  t.equal(await received(reader), invalidation('a') + invalidation('b') + invalidation('c'))
})

test('what a client changes itself is told after the reply, in a transaction after that of EXEC; not with NOLOOP', async (t) => {
  await using s = await startServer()
  const client = await tracker(s)
  client.write('GET a\r\nSET a 1\r\nGET a\r\nMULTI\r\nGET a\r\nSET a 2\r\nGET a\r\nSET a 3\r\nEXEC\r\n')
  t.equal(
    await received(client),
    `_\r\n+OK\r\n${invalidation('a')}$1\r\n1\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n` +
      `*4\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n+OK\r\n${invalidation('a')}${invalidation('a')}`,
  )
  const own = await tracker(s, 'noloop')
  own.write('GET a\r\nSET a 1\r\nMULTI\r\nGET a\r\nSET a 2\r\nEXEC\r\nGET a\r\n')
  t.equal(await received(own), '$1\r\n3\r\n+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n')
  await s.run('set', 'a', '9')
  t.equal(await received(own), invalidation('a'))
})

test('what a script reads and writes counts for its client', async (t) => {
  await using s = await startServer()
  const client = await tracker(s)
  const script = "redis.call('get', KEYS[1]) redis.call('set', KEYS[1], 1) return redis.call('get', KEYS[1])"
  t.equal(await client.run('eval', script, '1', 'k'), '$1\r\n1\r\n')
  t.equal((await client.nextReply()).bytes, invalidation('k'))
  await s.run('eval', "redis.call('del', 'k')", '0')
  t.equal(await received(client), invalidation('k'))
  t.equal(await client.run('eval_ro', "return redis.call('get', 'read')", '1', 'declared'), '_\r\n')
  await s.run('mset', 'declared', '1', 'read', '1')
  t.equal(await received(client), invalidation('read'))
})

test('FLUSHDB and FLUSHALL invalidate all keys at once, for all who are there', async (t) => {
  await using s = await startServer()
  const [one, two] = [await tracker(s), await tracker(s, 'bcast')]
  one.write('GET a\r\nFLUSHDB\r\nGET a\r\n')
  t.equal(await received(one), `_\r\n+OK\r\n${ALL}_\r\n`)
  t.equal(await received(two), ALL)
  await s.run('flushall')
  t.equal(await received(one), ALL)
  t.equal(await received(two), ALL)
  await s.run('set', 'a', '1')
  t.equal(await received(one), '')
})

test('keys that expire are invalidated when their time is over', async (t) => {
  await using s = await startServer()
  await s.run('set', 'short', '1', 'px', '1000')
  await s.run('set', 'long', '1', 'px', '5000')
  await s.run('set', 'renewed', '1', 'px', '1000')
  const reader = await tracker(s)
  await reader.run('mget', 'long', 'short', 'renewed')
  await s.run('persist', 'renewed')
  t.equal(await received(reader), invalidation('renewed'))
  await reader.run('get', 'renewed')
  s.advance(1000)
  s.server.cron.run('invalidate expired keys')
  t.equal(await received(reader), '')
  s.advance(1)
  s.server.cron.run('invalidate expired keys')
  t.equal(await received(reader), invalidation('short'))
  s.advance(5000)
  s.server.cron.run('invalidate expired keys')
  t.equal(await received(reader), invalidation('long'))
})

test('a key that is found expired by a read is told at once, and once', async (t) => {
  await using s = await startServer()
  const [reader, other] = [await tracker(s), await tracker(s)]
  await s.run('set', 'k', 'v', 'px', 100)
  await s.run('hset', 'h', 'f', 'v')
  await s.run('hpexpire', 'h', 100, 'fields', 1, 'f')
  for (const client of [reader, other]) {
    await client.run('get', 'k')
    await client.run('hget', 'h', 'f')
  }
  s.advance(101)
  t.equal(await s.run('exists', 'k'), ':0\r\n')
  t.equal(await received(reader), invalidation('k'))
  t.equal(await other.run('mget', 'k'), invalidation('k'))
  t.equal((await other.nextReply()).bytes, '*1\r\n_\r\n')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
  t.equal(await other.run('get', 'k'), '_\r\n')
  t.equal(await s.run('hlen', 'h'), ':0\r\n')
  for (const client of [reader, other]) t.equal(await received(client), invalidation('h'))
  t.equal(await s.run('watch', 'k'), '+OK\r\n')
  await other.run('get', 'k')
  for (const reply of ['+OK\r\n', '*0\r\n']) t.equal(await s.run(reply === '*0\r\n' ? 'exec' : 'multi'), reply)
})

test('expired keys that are swept are broadcast', async (t) => {
  await using s = await startServer({ sweepsExpired: true })
  await s.run('set', 'k', '1', 'px', '1000')
  const listener = await tracker(s, 'bcast', 'prefix', 'k')
  s.advance(2000)
  t.equal((await listener.nextReply()).bytes, invalidation('k'))
})

test('with BCAST all changes of keys with the prefixes are told, once a turn, in order of keys', async (t) => {
  await using s = await startServer()
  const listener = await tracker(s, 'bcast', 'prefix', 'b', 'prefix', 'a', 'noloop')
  const all = await tracker(s, 'bcast')
  const writer = await s.connect()
  writer.write('SET a2 1\r\nSET c 1\r\nSET b1 1\r\nDEL a2\r\nSET a1 1\r\n')
  for (let i = 0; i < 5; i++) await writer.nextReply()
  t.equal(await received(listener), invalidation('a1', 'a2') + invalidation('b1'))
  t.equal(await received(all), invalidation('a1', 'a2', 'b1', 'c'))
  listener.write('SET a1 1\r\nMULTI\r\nSET a2 1\r\nEXEC\r\nSET x 1\r\n')
  t.equal(await received(listener), '+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n+OK\r\n')
  t.equal(await received(all), invalidation('a1', 'a2', 'x'))
  t.equal(await listener.run('eval', "redis.call('set', 'a1', 1)", '0'), '_\r\n')
  t.equal(await received(listener), '')
})

test('with OPTIN nothing is remembered but after CLIENT CACHING YES, with OPTOUT all but after CLIENT CACHING NO', async (t) => {
  await using s = await startServer()
  const optIn = await tracker(s, 'optin')
  optIn.write('GET a\r\nCLIENT CACHING YES\r\nCLIENT GETNAME\r\nGET b\r\nGET c\r\n')
  t.equal(await received(optIn), '_\r\n+OK\r\n_\r\n_\r\n_\r\n')
  await s.run('mset', 'a', '1', 'b', '1', 'c', '1')
  t.equal(await received(optIn), invalidation('b'))
  optIn.write('CLIENT CACHING YES\r\nMULTI\r\nGET a\r\nGET b\r\nEXEC\r\nGET c\r\n')
  await received(optIn)
  await s.run('mset', 'a', '1', 'b', '1', 'c', '1')
  t.equal(await received(optIn), invalidation('a') + invalidation('b'))
  const optOut = await tracker(s, 'optout')
  optOut.write('GET a\r\nCLIENT CACHING NO\r\nGET b\r\nGET c\r\n')
  t.equal(await received(optOut), '$1\r\n1\r\n+OK\r\n$1\r\n1\r\n$1\r\n1\r\n')
  await s.run('mset', 'a', '1', 'b', '1', 'c', '1')
  t.equal(await received(optOut), invalidation('a') + invalidation('c'))
})

test('a RESP2 client has its invalidations redirected to one that subscribed', async (t) => {
  await using s = await startServer()
  const [listener, reader] = [await s.connect(), await s.connect()]
  const id = String(await listener.value('client', 'id'))
  t.equal(await reader.run('client', 'tracking', 'on', 'redirect', id), '+OK\r\n')
  t.equal(await reader.run('client', 'getredir'), `:${id}\r\n`)
  await reader.run('get', 'k')
  await s.run('set', 'k', '1')
  t.equal(listener.pending, '', 'not subscribed to anything')
  await listener.run('subscribe', '__redis__:invalidate')
  await reader.run('get', 'k')
  t.equal(await reader.run('set', 'k', '1'), '+OK\r\n')
  const head = '*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n'
  t.equal((await listener.nextReply()).bytes, `${head}*1\r\n$1\r\nk\r\n`)
  await s.run('flushall')
  t.equal((await listener.nextReply()).bytes, `${head}$-1\r\n`)
  t.equal(await received(reader), '')
})

test('a client whose redirection is gone is told so, if it can be told', async (t) => {
  await using s = await startServer()
  for (const protocol of [2, 3]) {
    const [listener, reader] = [await s.connect(), await s.connect()]
    await reader.run('hello', protocol)
    await listener.run('hello', '3')
    const id = String(await listener.value('client', 'id'))
    t.equal(await reader.run('client', 'tracking', 'on', 'redirect', id), '+OK\r\n')
    await reader.run('get', 'k')
    t.equal(await s.run('client', 'kill', 'id', id), ':1\r\n')
    await listener.untilClosed()
    await s.run('set', 'k', '1')
    const broken = `>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`
    t.equal(await received(reader), protocol === 3 ? broken : '')
    t.match(await reader.run('client', 'trackinginfo'), '$15\r\nbroken_redirect\r\n')
    t.match(await reader.run('client', 'info'), ` flags=tR `)
    t.match(await reader.run('client', 'info'), ` redir=${id} `)
  }
})

test('CLIENT TRACKINGINFO, GETREDIR and LIST show the mode; RESET and OFF end it, HELLO does not', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const info = async (): Promise<unknown> => client.value('client', 'trackinginfo')
  t.same(await info(), ['flags', ['off'], 'redirect', -1, 'prefixes', []])
  t.equal(await client.run('client', 'getredir'), ':-1\r\n')
  await client.run('client', 'tracking', 'on', 'bcast', 'prefix', 'b', 'prefix', 'a', 'noloop')
  t.same(await info(), ['flags', ['on', 'bcast', 'noloop'], 'redirect', 0, 'prefixes', ['a', 'b']])
  t.equal(await client.run('client', 'getredir'), ':0\r\n')
  t.match(await client.run('client', 'info'), ' flags=tB ')
  t.match(await client.run('client', 'info'), ' redir=0 ')
  await client.run('hello', '3')
  t.equal(
    await client.run('client', 'trackinginfo'),
    '%3\r\n$5\r\nflags\r\n~3\r\n$2\r\non\r\n$5\r\nbcast\r\n$6\r\nnoloop\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n',
  )
  t.equal(await client.run('client', 'tracking', 'off'), '+OK\r\n')
  await client.run('hello', '2')
  t.same(await info(), ['flags', ['off'], 'redirect', -1, 'prefixes', []])
  await client.run('client', 'tracking', 'on', 'optin')
  t.same(await info(), ['flags', ['on', 'optin'], 'redirect', 0, 'prefixes', []])
  await client.run('client', 'caching', 'yes')
  t.same(await info(), ['flags', ['on', 'optin', 'caching-yes'], 'redirect', 0, 'prefixes', []])
  t.equal(await client.run('reset'), '+RESET\r\n')
  t.same(await info(), ['flags', ['off'], 'redirect', -1, 'prefixes', []])
  await client.run('client', 'tracking', 'on', 'optout')
  await client.run('client', 'caching', 'no')
  t.same(await info(), ['flags', ['on', 'optout', 'caching-no'], 'redirect', 0, 'prefixes', []])
})

test('options of CLIENT TRACKING and CLIENT CACHING that do not fit are refused', async (t) => {
  await using s = await startServer()
  const refuses = async (error: string, ...words: string[]): Promise<void> => {
    t.equal(await s.run('client', ...words), `-ERR ${error}\r\n`, words.join(' '))
  }
  const switched = (what: string): string =>
    `You can't switch ${what} before disabling tracking for this client, and then re-enabling it with a different mode.`
  await refuses("wrong number of arguments for 'client|tracking' command", 'tracking')
  await refuses('syntax error', 'tracking', 'maybe')
  await refuses('syntax error', 'tracking', 'on', 'redirect')
  await refuses('syntax error', 'tracking', 'off', 'x')
  await refuses('value is not an integer or out of range', 'tracking', 'on', 'redirect', 'x')
  await refuses('The client ID you want redirect to does not exist', 'tracking', 'on', 'redirect', '999')
  await refuses('The client ID you want redirect to does not exist', 'tracking', 'on', 'redirect', '0')
  await refuses(
    'A client can only redirect to a single other client',
    'tracking',
    'on',
    'redirect',
    '1',
    'redirect',
    '1',
  )
  await refuses('PREFIX option requires BCAST mode to be enabled', 'tracking', 'on', 'prefix', 'a')
  await refuses('OPTIN and OPTOUT are not compatible with BCAST', 'tracking', 'on', 'bcast', 'optin')
  await refuses("You can't specify both OPTIN mode and OPTOUT mode", 'tracking', 'on', 'optin', 'optout')
  const alone = 'Prefixes for a single client must not overlap.'
  const pair = ['tracking', 'on', 'bcast', 'prefix', 'a', 'prefix', 'ab']
  await refuses(`Prefix 'a' overlaps with another provided prefix 'ab'. ${alone}`, ...pair)
  const caching =
    'CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled'
  await refuses(caching, 'caching', 'yes')
  await refuses('syntax error', 'caching', 'maybe')
  await s.run('client', 'tracking', 'on', 'bcast', 'prefix', 'a')
  await refuses(`Prefix 'ab' overlaps with an existing prefix 'a'. ${alone}`, 'tracking', 'on', 'bcast', 'prefix', 'ab')
  await refuses(switched('BCAST mode on/off'), 'tracking', 'on')
  await s.run('client', 'tracking', 'off')
  await s.run('client', 'tracking', 'on', 'optin')
  await refuses(switched('OPTIN/OPTOUT mode'), 'tracking', 'on', 'optout')
  await refuses('CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.', 'caching', 'no')
  await s.run('client', 'tracking', 'on')
  await refuses('CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.', 'caching', 'yes')
})

test('the table is bounded by tracking-table-max-keys: what it forgets is invalidated', async (t) => {
  await using s = await startServer({ config: { 'tracking-table-max-keys': 3 } })
  const reader = await tracker(s)
  await reader.run('mget', 'k1', 'k2', 'k3')
  t.equal(await received(reader), '')
  t.equal(await reader.run('get', 'k4'), '_\r\n')
  t.equal(await received(reader), invalidation('k1'))
  await reader.run('get', 'k3')
  t.match(await s.run('info', 'stats'), 'tracking_total_keys:3\r\n')
  await s.run('config', 'set', 'tracking-table-max-keys', '1')
  await s.run('ping')
  t.equal(await received(reader), invalidation('k2') + invalidation('k3'))
  t.match(await s.run('info', 'stats'), 'tracking_total_keys:1\r\n')
  await s.run('config', 'set', 'tracking-table-max-keys', '0')
  for (let i = 0; i < 200; i++) await reader.run('get', `n${i}`)
  t.match(await s.run('info', 'stats'), 'tracking_total_keys:201\r\n')
})

test('a table that has become much too large is soon as small as it may be', async (t) => {
  await using s = await startServer()
  const reader = await tracker(s)
  await reader.run('mget', ...Array.from({ length: 5000 }, (_, index) => `k${index}`))
  await s.run('config', 'set', 'tracking-table-max-keys', '100')
  // By 100, 200, 300 and so on.
  for (let count = 0; count < 9; count++) await s.run('ping')
  t.match(await s.run('info', 'stats'), 'tracking_total_keys:100\r\n')
  t.equal((await received(reader)).split('invalidate').length - 1, 4900)
})

test('INFO counts tracking clients, keys, their readers and prefixes', async (t) => {
  await using s = await startServer()
  const counts = async (): Promise<number[]> => {
    const info = await s.run('info')
    return ['clients', 'total_keys', 'total_items', 'total_prefixes'].map((name) =>
      Number(new RegExp(`^tracking_${name}:(\\d+)\\r$`, 'm').exec(info)?.[1]),
    )
  }
  t.same(await counts(), [0, 0, 0, 0])
  const [one, two, three] = [
    await tracker(s),
    await tracker(s),
    await tracker(s, 'bcast', 'prefix', 'a', 'prefix', 'b'),
  ]
  await one.run('mget', 'a', 'b')
  await two.run('get', 'a')
  await two.run('get', 'a')
  t.same(await counts(), [3, 2, 3, 2])
  await s.run('set', 'a', '1')
  t.same(await counts(), [3, 1, 1, 2])
  for (const client of [one, two, three]) {
    client.socket.end()
    await client.untilClosed()
  }
  t.same(await counts(), [0, 0, 0, 0])
})

test('a namespace tells only its own clients', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret', 'repl-namespace-enabled': true } })
  const admin = await s.connect()
  await admin.run('auth', 'secret')
  await admin.run('namespace', 'add', 'other', 'token')
  const enter = async (password: string, ...options: string[]): Promise<RawClient> => {
    const client = await s.connect()
    await client.run('hello', '3', 'auth', 'default', password)
    await client.run('client', 'tracking', 'on', ...options)
    return client
  }
  const [reader, listener] = [await enter('token'), await enter('token', 'bcast')]
  await reader.run('get', 'k')
  await admin.run('set', 'k', '1')
  await admin.run('flushdb')
  t.equal(await received(reader), '')
  t.equal(await received(listener), '')
  const writer = await s.connect()
  await writer.run('auth', 'token')
  await writer.run('set', 'k', '1')
  t.equal(await received(reader), invalidation('k'))
  t.equal(await received(listener), invalidation('k'))
  await writer.run('flushdb')
  t.equal(await received(reader), ALL)
  await admin.run('flushall')
  t.equal(await received(reader), ALL)
})

test('what a waiting XREAD is shown is remembered, and what a waiting BLPOP takes is told', async (t) => {
  await using s = await startServer()
  const client = await tracker(s)
  client.send('xread', 'block', '0', 'streams', 'x', '0')
  while (s.server.blocking.count === 0) await s.run('ping')
  await s.run('xadd', 'x', '1-1', 'f', 'v')
  t.equal((await client.nextReply()).bytes, invalidation('x'))
  t.match((await client.nextReply()).bytes, /^%1\r\n\$1\r\nx\r\n/)
  await s.run('xadd', 'x', '1-2', 'f', 'v')
  t.equal(await received(client), invalidation('x'))
  await client.run('exists', 'l')
  const popper = await s.connect()
  popper.send('blpop', 'l', '0')
  while (s.server.blocking.count === 0) await s.run('ping')
  await s.run('rpush', 'l', 'a')
  t.equal(await received(client), invalidation('l'))
})

test('an invalidation is no reply: CLIENT REPLY OFF does not stop it', async (t) => {
  await using s = await startServer()
  const client = await tracker(s)
  client.write('GET k\r\nCLIENT REPLY OFF\r\nSET k 1\r\nGET k\r\n')
  t.equal((await client.nextReply()).bytes, '_\r\n')
  t.equal((await client.nextReply()).bytes, invalidation('k'))
})

test('an invalidation does not break into a reply that is sent piece by piece', async (t) => {
  await using s = await startServer()
  const members = Array.from({ length: 20_000 }, (_, i) => `member-${i}`)
  await s.run('rpush', 'l', ...members)
  const client = await tracker(s)
  client.send('lrange', 'l', '0', '-1')
  while (![...s.server.clients.all()].some(({ source }) => source !== undefined)) await s.run('ping')
  await s.run('del', 'l')
  t.equal((await client.nextReply()).bytes, bulks(members))
  t.equal((await client.nextReply()).bytes, invalidation('l'))
})
