import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Test, test } from 'tap'
import { makeCertificates } from '../support/certificates.js'
import { freePort } from '../support/free-port.js'
import { encodeRequest } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

/** All that the server sends until it closes the connection, latin1. */
function read(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
}

test('a request may be cut at every byte', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const bytes = Buffer.concat([
    encodeRequest(['set', 'key', 'v\r\n\0']),
    encodeRequest(['get', 'key']),
    Buffer.from('PING\r\n'),
  ])
  for (let at = 1; at < bytes.length; at++) {
    client.write(bytes.subarray(0, at))
    await new Promise((done) => setImmediate(done))
    client.write(bytes.subarray(at))
    t.equal((await client.nextReply()).bytes, '+OK\r\n')
    t.equal((await client.nextReply()).bytes, '$4\r\nv\r\n\0\r\n')
    t.equal((await client.nextReply()).bytes, '+PONG\r\n')
  }
})

test('violations of the protocol are named, and end the connection', async (t) => {
  await using s = await startServer()
  const cases: [string, string][] = [
    ['*x\r\n', 'invalid multibulk length'],
    ['*1048577\r\n', 'invalid multibulk length'],
    ['*1\r\nfoo\r\n', "expected '$', got 'f'"],
    ['*1\r\n$x\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$536870913\r\n', 'invalid bulk length'],
    [`${'x'.repeat(70_000)}`, 'too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
    ['SET k "x\r\n', 'unbalanced quotes in request'],
  ]
  for (const [bytes, text] of cases) {
    const client = await s.connect()
    client.write(`PING\r\n${bytes}`)
    t.equal(await client.untilClosed(), `+PONG\r\n-ERR Protocol error: ${text}\r\n`)
  }
  t.equal(await s.run('ping'), '+PONG\r\n')
})

test('who speaks HTTP is cut off without an answer, and what came behind is not executed', async (t) => {
  const warnings: string[] = []
  await using s = await startServer()
  s.server.log.warning = (text) => warnings.push(text)
  await s.run('set', 'k', '1')
  for (const bytes of [
    'GET / HTTP/1.1\r\nFLUSHALL\r\n',
    'POST / HTTP/1.1\r\nFLUSHALL\r\n',
    'POST\r\nFLUSHALL\r\n',
    'Host: example.com\r\nFLUSHALL\r\n',
    '*1\r\n$5\r\nhost:\r\nFLUSHALL\r\n',
    'OPTIONS * HTTP/2.0\r\nFLUSHALL\r\n',
  ]) {
    const client = await s.connect()
    client.write(bytes)
    t.equal(await client.untilClosed(), '', bytes)
  }
  t.equal(await s.run('get', 'k'), '$1\r\n1\r\n')
  t.match(warnings, [/^Possible SECURITY ATTACK detected: HTTP request from 127\.0\.0\.1:\d+\. Connection aborted\.$/])
  s.advance(60_000)
  const late = await s.connect()
  late.write('POST\r\n')
  t.equal(await late.untilClosed(), '')
  t.equal(warnings.length, 2, 'told once a minute')
  for (const [bytes, reply] of [
    ['GET k HTTP\r\n', "-ERR wrong number of arguments for 'get' command\r\n"],
    ['SET k HTTP/1.1\r\n', '+OK\r\n'],
    ['GET POST\r\n', '$-1\r\n'],
  ] as const) {
    const client = await s.connect()
    client.write(bytes)
    t.equal((await client.nextReply()).bytes, reply)
  }
})

test('nothing, empty arrays and empty lines are no requests', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('\r\n*0\r\n*-1\r\n\r\nPING "a b" \r\nPING\n')
  t.match((await client.nextReply()).bytes, /^\$3\r\na b\r\n/)
  t.equal((await client.nextReply()).bytes, '+PONG\r\n')
})

test('a client that has not authenticated may send little', async (t) => {
  await using s = await startServer({ config: { requirepass: 'p' } })
  const many = await s.connect()
  many.write('*11\r\n')
  t.equal(await many.untilClosed(), '-ERR Protocol error: unauthenticated multibulk length\r\n')
  const long = await s.connect()
  long.write('*2\r\n$4\r\nAUTH\r\n$16385\r\n')
  t.equal(await long.untilClosed(), '-ERR Protocol error: unauthenticated bulk length\r\n')
})

test('proto-max-bulk-len holds at once for connections that there are', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'k', Buffer.alloc(2 ** 20 + 1))
  t.equal(await client.run('config', 'set', 'proto-max-bulk-len', '1mb'), '+OK\r\n')
  client.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${2 ** 20 + 1}\r\n`)
  t.equal(await client.untilClosed(), '-ERR Protocol error: invalid bulk length\r\n')
})

test('client-query-buffer-limit closes who sends without end', async (t) => {
  await using s = await startServer({ config: { 'client-query-buffer-limit': 2 ** 20 } })
  const client = await s.connect()
  client.write(`*2\r\n$4\r\nECHO\r\n$${2 ** 24}\r\n`)
  client.write(Buffer.alloc(2 ** 21))
  t.equal(await client.untilClosed(), '')
  t.equal(await s.run('ping'), '+PONG\r\n')
})

test('maxclients: one more is told so', async (t) => {
  await using s = await startServer({ config: { maxclients: 1 } })
  await s.run('ping')
  const second = await s.connect()
  t.equal(await second.untilClosed(), '-ERR max number of clients reached\r\n')
  t.equal(await s.run('config', 'set', 'maxclients', '2'), '+OK\r\n')
  t.equal(await (await s.connect()).run('ping'), '+PONG\r\n')
})

test('a client that has closed its half gets all of its replies', async (t) => {
  await using s = await startServer()
  await s.run('set', 'big', Buffer.alloc(600_000, 'x'))
  const socket = connect({ port: s.port, host: '127.0.0.1', allowHalfOpen: true })
  const received = read(socket)
  socket.end(`${'GET big\r\n'.repeat(20)}PING\r\n`)
  const text = await received
  t.equal(text.length, 20 * (600_000 + '$600000\r\n\r\n'.length) + '+PONG\r\n'.length)
  t.ok(text.endsWith('+PONG\r\n'))
})

test('a client that does not read holds up nobody, and takes little memory', async (t) => {
  await using s = await startServer()
  await s.run('set', 'big', Buffer.alloc(2 ** 20, 'x'))
  const slow = await s.connect()
  slow.socket.pause()
  slow.write('GET big\r\n'.repeat(1024))
  for (let i = 0; i < 20; i++) t.equal(await s.run('ping'), '+PONG\r\n')
  const [connection] = [...s.server.clients.all()].filter(({ id }) => id === 2)
  t.ok((connection?.outputBytes ?? 0) > 0)
  t.ok((connection?.outputBytes ?? 0) < 8 * 2 ** 20, `${connection?.outputBytes} bytes are held`)
  slow.socket.resume()
  for (let i = 0; i < 8; i++) t.equal((await slow.nextReply()).bytes.length, 2 ** 20 + '$1048576\r\n\r\n'.length)
})

test('client-output-buffer-limit closes a monitor that does not read', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('config', 'set', 'client-output-buffer-limit', 'pubsub 1mb 0 0'), '+OK\r\n')
  const monitor = await s.connect()
  await monitor.run('monitor')
  monitor.socket.pause()
  const value = Buffer.alloc(2 ** 18, 'x')
  for (let i = 0; i < 100 && s.server.clients.monitorCount > 0; i++) await s.run('set', 'k', value)
  t.equal(s.server.clients.monitorCount, 0)
  t.match(await s.run('info', 'stats'), /^client_output_buffer_limit_disconnections:1\r$/m)
  t.equal(await s.run('config', 'set', 'client-output-buffer-limit', 'normal 1mb 0 0'), '+OK\r\n')
  await s.run('set', 'big', Buffer.alloc(2 ** 23, 'x'))
  const slow = await s.connect()
  slow.socket.pause()
  slow.write('GET big\r\n'.repeat(4))
  while (s.server.clients.count > 1) await s.run('ping')
  t.match(await s.run('info', 'stats'), /^client_output_buffer_limit_disconnections:2\r$/m)
  await s.run('config', 'resetstat')
  t.match(await s.run('info', 'stats'), /^client_output_buffer_limit_disconnections:0\r$/m)
})

test('client-output-buffer-limit: the soft limit counts seconds', async (t) => {
  await using s = await startServer()
  await s.run('config', 'set', 'client-output-buffer-limit', 'normal 0 1mb 10')
  await s.run('set', 'big', Buffer.alloc(2 ** 23, 'x'))
  const slow = await s.connect()
  slow.socket.pause()
  slow.write('GET big\r\n'.repeat(4))
  while (![...s.server.clients.all()].some(({ id, outputBytes }) => id === 2 && outputBytes > 2 ** 20))
    await s.run('ping')
  s.server.checkOutputs()
  s.advance(10_000)
  s.server.checkOutputs()
  t.equal(s.server.clients.count, 2)
  s.advance(1)
  s.server.checkOutputs()
  await s.run('ping')
  t.equal(s.server.clients.count, 1)
})

test('what a monitor sees does not break into a reply that is sent piece by piece', async (t) => {
  await using s = await startServer()
  const fields = Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 'v'.repeat(50)]).flat()
  await s.run('hset', 'h', ...fields)
  const client = await s.connect()
  await client.run('monitor')
  client.send('hgetall', 'h')
  for (let index = 0; index < 20; index++) await s.run('set', `k${index}`, '1')
  const seen: string[] = []
  for (let i = 0; i < 21; i++) {
    const { value, kind } = await client.nextReply()
    seen.push(kind)
    if (kind === '*') t.equal((value as unknown[]).length, fields.length)
  }
  t.equal(seen.filter((kind) => kind === '+').length, 20)
})

test('timeout closes who is idle', async (t) => {
  await using s = await startServer({ config: { timeout: 5 } })
  const idle = await s.connect()
  await idle.run('ping')
  s.advance(5000)
  await s.run('ping')
  s.server.cron.run('close idle clients')
  t.equal(await idle.untilClosed(), '')
  t.equal(await s.run('ping'), '+PONG\r\n')
})

test('several addresses, IPv6 and the Unix socket', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-socket-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const unixsocket = join(dir, 's')
  await using s = await startServer({ config: { bind: '127.0.0.1 ::1', unixsocket } })
  for (const where of [{ port: s.port, host: '::1' }, { path: unixsocket }]) {
    const socket = connect(where)
    const received = read(socket)
    socket.write('CLIENT INFO\r\nQUIT\r\n')
    const text = await received
    t.match(text, 'path' in where ? `addr=${unixsocket}:0 ` : /addr=\[::1\]:\d+ /)
  }
})

/** A directory with certificates. */
function certificates(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-tls-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  makeCertificates(dir)
  return dir
}

async function startTlsServer(dir: string, authClients: 'yes' | 'no'): Promise<TestServer> {
  return startServer({
    config: {
      'tls-port': await freePort(),
      'tls-cert-file': join(dir, 'own.crt'),
      'tls-key-file': join(dir, 'own.key'),
      'tls-ca-cert-file': join(dir, 'ca.crt'),
      'tls-auth-clients': authClients,
    },
  })
}

/** `ownDir` has the certificate that the client shows; without, it shows none. */
function connectToTls({ server }: TestServer, ownDir?: string): TLSSocket {
  const own =
    ownDir === undefined
      ? {}
      : { cert: readFileSync(join(ownDir, 'own.crt')), key: readFileSync(join(ownDir, 'own.key')) }
  return connectTls({ port: server.tlsPort, host: '127.0.0.1', rejectUnauthorized: false, ...own })
}

test('TLS with and without client certificates', async (t) => {
  const dir = certificates(t)
  await using s = await startTlsServer(dir, 'no')
  const ask = (ownDir?: string): Promise<string> => {
    const socket = connectToTls(s, ownDir)
    const received = read(socket)
    socket.write(`SET k ${'x'.repeat(60_000)}\r\nGET k\r\nQUIT\r\n`)
    return received
  }
  const answer = `+OK\r\n$60000\r\n${'x'.repeat(60_000)}\r\n+OK\r\n`
  t.equal(await ask(), answer)
  t.match(
    await s.run('config', 'set', 'tls-cert-file', join(dir, 'absent')),
    /^-ERR CONFIG SET failed \(possibly related to argument 'tls-cert-file'\) - Unable to update TLS/,
  )
  t.equal(await ask(dir), answer)
})

test('TLS that asks for a client certificate closes who has none', async (t) => {
  const dir = certificates(t)
  await using s = await startTlsServer(dir, 'yes')
  const stranger = connectToTls(s)
  const received = read(stranger)
  stranger.write('PING\r\n')
  t.equal(await received, '')
  const friend = connectToTls(s, dir)
  const reply = read(friend)
  friend.write('PING\r\nQUIT\r\n')
  t.equal(await reply, '+PONG\r\n+OK\r\n')
})

test('after a protocol error a client that goes on writing finds the connection closed', async (t) => {
  await using s = await startServer()
  for (const start of ['\0', '*\0', '$\0']) {
    const client = await s.connect()
    client.write(start)
    const timer = setInterval(() => client.write('payload'.repeat(1000)), 1)
    t.match(await client.untilClosed(), /^-ERR Protocol error: /)
    clearInterval(timer)
  }
})

test('an error shows what the client sent byte by byte, be it text or not', async (t) => {
  await using s = await startServer()
  const word = Buffer.from('\xc3\xa9\xff', 'latin1')
  const shown = '\xc3\xa9\xff'
  t.equal(await s.run(word, word), `-ERR unknown command '${shown}', with args beginning with: '${shown}' \r\n`)
  t.equal(await s.run('object', word, 'k'), `-ERR unknown subcommand '${shown}'. Try OBJECT HELP.\r\n`)
  await s.run('xadd', 'x', '1-1', 'f', 'v')
  t.equal(
    await s.run('xreadgroup', 'group', word, 'c', 'streams', 'x', '>'),
    `-NOGROUP No such key 'x' or consumer group '${shown}' in XREADGROUP with GROUP option\r\n`,
  )
  t.equal(await s.run('eval', "return redis.error_reply('MY ' .. ARGV[1])", 0, word), `-MY ${shown}\r\n`)
  t.match(await s.run('eval', 'error(ARGV[1])', 0, word), shown)
})

test('an error of the system is UTF-8', async (t) => {
  await using s = await startServer()
  const snapshot = '-ERR cannot write /nowhere/\xe2\x80\xa6/jeprof-'
  t.match(await s.run('kprofile', 'memory', 'dump', '/nowhere/\u2026'), snapshot)
  const unknown = "-ERR Unknown option or number of arguments for CONFIG SET - '\xc3\xa9'\r\n"
  t.equal(await s.run('config', 'set', '\u00e9', '1'), unknown)
})
