/** AUTH and HELLO: who may do what before and after them. */
import { Redis } from 'ioredis'
import { test } from 'tap'
import { startServer, type Word } from '../support/server.js'

type Line = readonly [words: readonly Word[], reply: RegExp]

const WRONG = /^-WRONGPASS .*Invalid password\r\n$/
const OK = /^\+OK\r\n$/
const RESP2 = /^\*14\r\n.*\$5\r\nproto\r\n:2\r\n/s
const RESP3 = /^%7\r\n.*\$5\r\nproto\r\n:3\r\n/s

const CONVERSATIONS: readonly { readonly name: string; readonly password?: string; readonly lines: readonly Line[] }[] =
  [
    {
      name: 'AUTH without a password set is refused',
      lines: [[['auth', 'foo'], /^-ERR .*no password/]],
    },
    {
      name: 'with a password set, AUTH comes first, with the right one',
      password: 'foobar',
      lines: [
        [['auth', 'wrong!'], WRONG],
        [['set', 'foo', 'bar'], /^-NOAUTH Authentication required\.\r\n$/],
        [['auth', 'foobar'], OK],
        [['set', 'foo', 100], OK],
        [['incr', 'foo'], /^:101\r\n$/],
      ],
    },
    {
      name: 'HELLO takes the versions 2 and 3, and no others',
      lines: [
        [['hello', 1], /^-NOPROTO unsupported protocol version\r\n$/],
        [['hello', 2], RESP2],
        [['hello', 3], RESP3],
        [['hello', 5], /^-NOPROTO unsupported protocol version\r\n$/],
        [['hello', 'AUTH'], /^-ERR Protocol version is not an integer or out of range\r\n$/],
        [['hello', 2, 'setname', 'me'], RESP2],
        [['client', 'getname'], /^\$2\r\nme\r\n$/],
        [['hello', 2, 'nosuchoption'], /^-ERR Syntax error in HELLO option 'nosuchoption'\r\n$/],
      ],
    },
    {
      name: 'HELLO AUTH takes a password, and a name before it',
      password: 'foobar',
      lines: [
        [['hello', 3, 'auth', 'wrong!'], WRONG],
        [['hello', 3, 'auth', 'wrong!', 'foobar'], WRONG],
        [['set', 'foo', 'bar'], /^-NOAUTH/],
        [['hello', 3, 'auth', 'foobar'], RESP3],
        [['hello', 3, 'auth', 'default', 'foobar'], RESP3],
        [['set', 'foo', 100], OK],
        [['incr', 'foo'], /^:101\r\n$/],
        [['hello', 2, 'auth', 'foobar', 'setname', 'one'], RESP2],
        [['client', 'getname'], /^\$3\r\none\r\n$/],
        [['hello', 2, 'auth', 'default', 'foobar', 'setname', 'two'], RESP2],
        [['client', 'getname'], /^\$3\r\ntwo\r\n$/],
      ],
    },
  ]

for (const { name, password, lines } of CONVERSATIONS) {
  test(name, async (t) => {
    await using s = await startServer({ config: password === undefined ? {} : { requirepass: password } })
    const client = await s.connect()
    for (const [words, reply] of lines) t.match(await client.run(...words), reply, String(words))
  })
}

test('where HELLO 3 is not understood, connections stay with RESP2', async (t) => {
  await using s = await startServer({ config: { 'resp3-enabled': false } })
  t.match(await s.run('hello', 3), RESP2)
  t.equal(await s.run('config', 'get', 'resp3-enabled'), '*2\r\n$13\r\nresp3-enabled\r\n$2\r\nno\r\n')
})

test('a client library gives its password by itself', async (t) => {
  await using s = await startServer({ config: { requirepass: 'foobar' } })
  const client = new Redis({ host: '127.0.0.1', port: s.port, password: 'foobar' })
  t.equal(await client.ping(), 'PONG')
  client.disconnect()
})
