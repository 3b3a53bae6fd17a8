import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { startServer } from '../support/server.js'

test('CLIENT ID, SETNAME, GETNAME, SETINFO, INFO', async (t) => {
  await using s = await startServer({ nowMs: 1_700_000_000_000 })
  t.equal(await s.run('client', 'id'), ':1\r\n')
  t.equal(await s.run('client', 'getname'), '$-1\r\n')
  t.equal(await s.run('client', 'setname', 'me'), '+OK\r\n')
  t.equal(
    await s.run('client', 'setname', 'a b'),
    '-ERR Client names cannot contain spaces, newlines or special characters.\r\n',
  )
  t.equal(await s.run('client', 'getname'), '$2\r\nme\r\n')
  t.equal(await s.run('client', 'setinfo', 'lib-name', 'lib'), '+OK\r\n')
  t.equal(await s.run('client', 'setinfo', 'LIB-VER', '1.0'), '+OK\r\n')
  t.equal(await s.run('client', 'setinfo', 'x', '1.0'), "-ERR Unrecognized option 'x'\r\n")
  t.equal(
    await s.run('client', 'setinfo', 'lib-name', 'my lib'),
    '-ERR lib-name cannot contain spaces, newlines or special characters.\r\n',
  )
  t.equal(
    await s.run('client', 'setinfo', 'lib-name'),
    "-ERR wrong number of arguments for 'client|setinfo' command\r\n",
  )
  t.match(await s.run('client', 'list'), / lib-name=lib lib-ver=1\.0\n/)
  await s.run('client', 'setinfo', 'lib-name', '')
  t.match(await s.run('client', 'info'), / lib-name= lib-ver=1\.0\n/)
  await s.run('client', 'setinfo', 'Lib-Name', 'lib')
  s.advance(2500)
  t.match(
    await s.run('client', 'info'),
    /^\$\d+\r\nid=1 addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ fd=-1 name=me age=2 idle=0 flags=N namespace=__namespace db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=\d+ obuf=\d+ cmd=client\|info user=default redir=-1 resp=2 lib-name=lib lib-ver=1\.0\n\r\n$/,
  )
  t.match(await s.run('client', 'nosuch'), /^-ERR unknown subcommand 'nosuch'\. Try CLIENT HELP\./)
})

test('CLIENT LIST filters by id and type', async (t) => {
  await using s = await startServer()
  const second = await s.connect()
  await second.run('ping')
  await s.run('ping')
  const ids = async (...words: string[]) => {
    const text = String(await second.value('client', 'list', ...words))
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ')[0])
  }
  t.same(await ids(), ['id=1', 'id=2'])
  t.same(await ids('id', '2', '7'), ['id=2'])
  t.same(await ids('type', 'pubsub'), [])
  t.equal(await s.run('client', 'list', 'type', 'x'), "-ERR Unknown client type 'x'\r\n")
  t.equal(await s.run('client', 'list', 'foo'), '-ERR syntax error\r\n')
})

test('CLIENT KILL by address, by id, and of the caller itself', async (t) => {
  await using s = await startServer()
  const [a, b, self] = [await s.connect(), await s.connect(), await s.connect()]
  const id = await b.value('client', 'id')
  const address = `127.0.0.1:${a.socket.localPort}`
  t.equal(await self.run('client', 'kill', '1.2.3.4:5'), '-ERR No such client\r\n')
  t.equal(await self.run('client', 'kill', address), '+OK\r\n')
  t.equal(await a.untilClosed(), '')
  t.equal(await self.run('client', 'kill', 'id', String(id), 'type', 'pubsub'), ':0\r\n')
  t.equal(await self.run('client', 'kill', 'id', String(id), 'type', 'normal'), ':1\r\n')
  t.equal(await b.untilClosed(), '')
  for (const words of [
    ['addr', '127.0.0.1:1234', 'type'],
    ['addr', '127.0.0.1:1234', 'id'],
    ['unknown', 'value'],
    ['skipme', 'maybe'],
  ]) {
    t.equal(await self.run('client', 'kill', ...words), '-ERR syntax error\r\n')
  }
  t.equal(await self.run('client', 'kill', 'addr', '127.0.0.1:1234'), ':0\r\n')
  t.equal(await self.run('client', 'kill', 'user', 'nobody'), "-ERR No such user 'nobody'\r\n")
  self.send('client', 'kill', 'skipme', 'no')
  t.equal(await self.untilClosed(), ':1\r\n')
})

test('CLIENT REPLY OFF, ON and SKIP', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('CLIENT REPLY SKIP\r\nPING a\r\nPING b\r\n')
  t.equal((await client.nextReply()).bytes, '$1\r\nb\r\n')
  client.write('CLIENT REPLY OFF\r\nPING a\r\nSET k 1\r\nCLIENT REPLY ON\r\nGET k\r\n')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal((await client.nextReply()).bytes, '$1\r\n1\r\n')
  client.write('CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING a\r\nPING b\r\n')
  t.equal((await client.nextReply()).bytes, '$1\r\nb\r\n')
})

test('CLIENT PAUSE WRITE holds writes until UNPAUSE, and reads go on', async (t) => {
  await using s = await startServer()
  const [writer, reader] = [await s.connect(), await s.connect()]
  t.equal(await reader.run('client', 'pause', '100000', 'write'), '+OK\r\n')
  writer.write('GET k\r\nSET k 1\r\nGET k\r\n')
  t.equal((await writer.nextReply()).bytes, '$-1\r\n')
  t.equal(await reader.run('get', 'k'), '$-1\r\n')
  t.equal(writer.pending, '')
  t.equal(await reader.run('client', 'unpause'), '+OK\r\n')
  t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.equal((await writer.nextReply()).bytes, '$1\r\n1\r\n')
  t.equal(await reader.run('client', 'pause', 'x'), '-ERR timeout is not an integer or out of range\r\n')
  t.equal(await reader.run('client', 'pause', '-1'), '-ERR timeout is negative\r\n')
})

test('CLIENT UNBLOCK of a client that does not wait', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('client', 'unblock', '1'), ':0\r\n')
  t.equal(await s.run('client', 'unblock', '99', 'error'), ':0\r\n')
  t.equal(await s.run('client', 'unblock', '1', 'x'), '-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n')
})

test('CLIENT PAUSE WRITE holds back what may reach replicas: messages, and scripts that may write', async (t) => {
  await using s = await startServer()
  const waiting: RawClient[] = []
  await s.run('client', 'pause', '100000', 'write')
  for (const words of [
    ['publish', 'c', 'm'],
    ['eval', 'return 1', '0'],
  ]) {
    const client = await s.connect()
    client.send(...words)
    waiting.push(client)
  }
  t.equal(await s.run('eval_ro', 'return 1', '0'), ':1\r\n')
  while (!(await s.run('info', 'clients')).includes('blocked_clients:2\r\n')) {}
  await s.run('client', 'unpause')
  t.same(await Promise.all(waiting.map(async (client) => (await client.nextReply()).bytes)), [':0\r\n', ':1\r\n'])
})

test('CLIENT LIST shows who waits for the end of a pause', async (t) => {
  await using s = await startServer()
  const writer = await s.connect()
  await writer.run('client', 'setname', 'held')
  await s.run('client', 'pause', '100000', 'write')
  writer.send('set', 'k', '1')
  while (!(await s.run('info', 'clients')).includes('blocked_clients:1\r\n')) {}
  t.match(await s.run('client', 'list'), /name=held age=\d+ idle=\d+ flags=z /)
  await s.run('client', 'unpause')
  t.equal((await writer.nextReply()).bytes, '+OK\r\n')
  t.match(await s.run('client', 'list'), /name=held age=\d+ idle=\d+ flags=N /)
})
