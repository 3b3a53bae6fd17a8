/** Requests as bytes: what is taken, what is refused, and how replies look in either protocol. */
import { test } from 'tap'
import { startServer } from '../support/server.js'

const SET = '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n'

/** What is sent, and everything that comes back; a protocol error ends the connection. */
const REQUESTS: readonly { readonly name: string; readonly sent: string; readonly replies: string }[] = [
  {
    name: 'empty arrays and lines are no requests',
    sent: '*-1\r\n*0\r\n\r\n*1\r\n$4\r\nPING\r\n',
    replies: '+PONG\r\n',
  },
  { name: 'a line of blanks is no request', sent: ' \r\n*1\r\n$4\r\nPING\r\n', replies: '+PONG\r\n' },
  {
    name: 'an array of too many words is refused',
    sent: '*20000000\r\n',
    replies: '-ERR Protocol error: invalid multibulk length\r\n',
  },
  {
    name: 'a word without its length is refused',
    sent: `${SET}foo\r\n`,
    replies: "-ERR Protocol error: expected '$', got 'f'\r\n",
  },
  {
    name: 'a negative length is refused',
    sent: `${SET}$-10\r\n`,
    replies: '-ERR Protocol error: invalid bulk length\r\n',
  },
  {
    name: 'a length too large is refused',
    sent: `${SET}$2000000000\r\n`,
    replies: '-ERR Protocol error: invalid bulk length\r\n',
  },
  {
    name: 'a length that is no number is refused',
    sent: `${SET}$foo\r\n`,
    replies: '-ERR Protocol error: invalid bulk length\r\n',
  },
  {
    name: 'an array of what are no words is refused',
    sent: '*1\r\nfoo\r\n',
    replies: "-ERR Protocol error: expected '$', got 'f'\r\n",
  },
  {
    name: 'a null array before a request is skipped',
    sent: '*-1\r\n*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$3\r\nval\r\n',
    replies: '+OK\r\n',
  },
  { name: 'a line may end in LF alone', sent: 'set foo 123\n', replies: '+OK\r\n' },
  {
    name: 'lines of both ends and arrays may follow each other',
    sent: '*-1\r\nset foo 123\nget foo\r\n*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$3\r\nval\r\n',
    replies: '+OK\r\n$3\r\n123\r\n+OK\r\n',
  },
  {
    name: 'in an array LF alone ends no length',
    sent: '*3\n$3\r\nset\r\n$3\r\nkey\r\n$3\r\nval\r\n',
    replies: '-ERR Protocol error: invalid multibulk length\r\n',
  },
  {
    name: 'a word too many is an error that leaves the connection',
    sent: 'ping x y\r\nping\r\n',
    replies: "-ERR wrong number of arguments for 'ping' command\r\n+PONG\r\n",
  },
  { name: 'TYPE is a simple string', sent: 'set foo bar\r\ntype foo\r\n', replies: '+OK\r\n+string\r\n' },
  { name: 'QUIT is answered, and ends the connection', sent: 'QUIT\r\n', replies: '+OK\r\n' },
  { name: 'what follows QUIT is not executed', sent: 'quit\r\nset foo bar\r\n', replies: '+OK\r\n' },
  {
    name: 'nor is it if there is much of it',
    sent: `quit\r\n*3\r\n$3\r\nset\r\n$3\r\nfoo\r\n$100000\r\n${'x'.repeat(100_000)}\r\n`,
    replies: '+OK\r\n',
  },
]

for (const { name, sent, replies } of REQUESTS) {
  test(name, async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    client.write(sent)
    client.socket.end()
    t.equal(await client.untilClosed(), replies)
    if (/quit/i.test(sent)) t.equal(await s.run('exists', 'foo'), ':0\r\n')
    t.same(s.logged, [])
  })
}

test('two pops that wait in one pipeline are served one after the other', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('BLPOP list 0\r\nBLPOP list 0\r\n')
  for (const element of ['a', 'b']) {
    await s.run('rpush', 'list', element)
    t.equal((await client.nextReply()).bytes, `*2\r\n$4\r\nlist\r\n$1\r\n${element}\r\n`)
  }
  t.equal(client.pending, '')
})

const KINDS: readonly { readonly type: string; readonly resp2: string; readonly resp3: string }[] = [
  { type: 'string', resp2: '$11\r\nHello World\r\n', resp3: '$11\r\nHello World\r\n' },
  { type: 'integer', resp2: ':12345\r\n', resp3: ':12345\r\n' },
  { type: 'double', resp2: '$5\r\n3.141\r\n', resp3: ',3.141\r\n' },
  { type: 'array', resp2: '*3\r\n:0\r\n:1\r\n:2\r\n', resp3: '*3\r\n:0\r\n:1\r\n:2\r\n' },
  { type: 'set', resp2: '*3\r\n:0\r\n:1\r\n:2\r\n', resp3: '~3\r\n:0\r\n:1\r\n:2\r\n' },
  {
    type: 'map',
    resp2: '*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n',
    resp3: '%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n',
  },
  {
    type: 'bignum',
    resp2: '$37\r\n1234567999999999999999999999999999999\r\n',
    resp3: '(1234567999999999999999999999999999999\r\n',
  },
  { type: 'true', resp2: ':1\r\n', resp3: '#t\r\n' },
  { type: 'false', resp2: ':0\r\n', resp3: '#f\r\n' },
  { type: 'null', resp2: '$-1\r\n', resp3: '_\r\n' },
  { type: 'verbatim', resp2: '$15\r\nverbatim string\r\n', resp3: '=19\r\ntxt:verbatim string\r\n' },
]

test('each kind of reply in RESP2, also where HELLO 3 is not understood', async (t) => {
  for (const enabled of [false, true]) {
    await using s = await startServer({ config: { 'resp3-enabled': enabled } })
    const client = await s.connect()
    if (!enabled) await client.run('hello', 3)
    for (const { type, resp2 } of KINDS) t.equal(await client.run('debug', 'protocol', type), resp2, type)
    await client.run('hset', 'h', 'f1', 'v1')
    t.equal(await client.run('hmget', 'h', 'f1', 'f2'), '*2\r\n$2\r\nv1\r\n$-1\r\n')
    t.equal(await client.run('zrank', 'none', 'm', 'withscore'), '*-1\r\n')
    await client.run('zadd', 'z', 1, 'one', 2, 'two')
    t.equal(await client.run('zrange', 'z', 0, -1), '*2\r\n$3\r\none\r\n$3\r\ntwo\r\n')
    t.equal(
      await client.run('zrange', 'z', 0, -1, 'withscores'),
      '*4\r\n$3\r\none\r\n$1\r\n1\r\n$3\r\ntwo\r\n$1\r\n2\r\n',
    )
  }
})

test('each kind of reply in RESP3', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.match(await client.run('hello', 3), /^%7\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n.*\$5\r\nproto\r\n:3\r\n/s)
  for (const { type, resp3 } of KINDS) t.equal(await client.run('debug', 'protocol', type), resp3, type)
  await client.run('hset', 'h', 'f1', 'v1')
  t.equal(await client.run('hmget', 'h', 'f1', 'f2'), '*2\r\n$2\r\nv1\r\n_\r\n')
  t.equal(await client.run('zrank', 'none', 'm', 'withscore'), '_\r\n')
  await client.run('zadd', 'z', 1, 'one', 2, 'two')
  t.equal(await client.run('zrange', 'z', 0, -1), '*2\r\n$3\r\none\r\n$3\r\ntwo\r\n')
  t.equal(
    await client.run('zrange', 'z', 0, -1, 'withscores'),
    '*2\r\n*2\r\n$3\r\none\r\n,1\r\n*2\r\n$3\r\ntwo\r\n,2\r\n',
  )
  t.equal(await client.run('subscribe', 'ch'), '>3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n')
})

test('scripts give true and false as numbers, unless they ask for RESP3', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const proto of [2, 3]) {
    await client.run('hello', proto)
    t.equal(await client.run('eval', 'return ARGV[1]', 0, 1), '$1\r\n1\r\n')
    t.equal(await client.run('eval', 'return true', 0), ':1\r\n')
    t.equal(await client.run('eval', 'return false', 0), proto === 2 ? '$-1\r\n' : '_\r\n')
    t.equal(await client.run('eval', 'redis.setresp(3); return true', 0), proto === 2 ? ':1\r\n' : '#t\r\n')
  }
})
