import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { CF_PROPAGATE } from '../../src/storage/column-family.js'
import { WriteBatch } from '../../src/storage/write-batch.js'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MAJOR, REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { startServer, type TestServer, type Word } from '../support/server.js'

const LIBRARY = `#!lua name=mylib
redis.register_function('read', function(keys) return redis.call('get', keys[1]) end)
redis.register_function{function_name = 'write', callback = function(keys, args)
  return redis.call('set', keys[1], args[1]) end, description = 'sets'}
redis.register_function('safe', function(keys) return redis.call('set', keys[1], 1) end, {'no-writes'})`

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

/** What RocksDB holds under a key of the propagate column family. */
function stored({ server }: TestServer, key: string): string | undefined {
  return server.store.rocks.get(CF_PROPAGATE, Buffer.from(key))?.toString()
}

test('a script reads and writes, and its reply is that of a command', async (t) => {
  await using server = await startServer()
  t.equal(await server.run('EVAL', `return redis.call('set', KEYS[1], ARGV[1])`, 1, 'k', 'v'), '+OK\r\n')
  t.equal(await server.run('EVAL', `return redis.call('get', KEYS[1])`, 1, 'k'), '$1\r\nv\r\n')
  t.equal(
    await server.run('EVAL', `return {KEYS[1], ARGV[1], redis.call('incr', 'n')}`, 1, 'a', 'b'),
    '*3\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n',
  )
  t.same(server.logged, [])
})

test('what a script wrote is kept when it fails or returns an error', async (t) => {
  await using server = await startServer()
  await server.run('SET', 'k', 'before')
  const sets = `redis.call('set', 'k', 'after') redis.call('lpush', 'l', 1, 2) redis.call('getdel', 'x')`
  t.match(await server.run('EVAL', `${sets} error('no')`, 0), /^-ERR user_script:1: no script: /)
  t.equal(await server.run('GET', 'k'), '$5\r\nafter\r\n')
  t.equal(await server.run('LLEN', 'l'), ':2\r\n')
  t.match(
    await server.run('EVAL', `${sets} redis.call('incr', 'k')`, 0),
    /^-ERR value is not an integer or out of range script: /,
  )
  t.equal(await server.run('LLEN', 'l'), ':4\r\n')
  t.equal(await server.run('EVAL', `redis.call('set', 'k', 'after') return redis.error_reply('MY x')`, 0), '-MY x\r\n')
  t.equal(await server.run('GET', 'k'), '$5\r\nafter\r\n')
  t.equal(await server.run('EVAL', `redis.pcall('incr', 'k') redis.call('set', 'k', 'caught') return 1`, 0), ':1\r\n')
  t.equal(await server.run('GET', 'k'), '$6\r\ncaught\r\n')
})

test('writes of the same turn survive the failure of a script, those before it and its own', async (t) => {
  await using server = await startServer()
  const client = await server.connect()
  client.send('SET', 'a', '1')
  client.send('EVAL', `redis.call('set', 'a', '2') error('x')`, 0)
  client.send('GET', 'a')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.match((await client.nextReply()).bytes, /^-ERR/)
  t.equal((await client.nextReply()).bytes, '$1\r\n2\r\n')
})

test('a script that runs too long is stopped and taken back', async (t) => {
  await using server = await startServer({ config: { 'lua-time-limit': 50 } })
  t.match(
    await server.run('EVAL', `redis.call('set', 'k', 1) while true do redis.pcall('incr', 'k') end`, 0),
    /^-ERR Script stopped: it ran longer than lua-time-limit, 50 milliseconds script: [0-9a-f]{40}, on @user_script:1\.\r\n$/,
  )
  t.equal(await server.run('STRLEN', 'k'), ':0\r\n')
  t.equal(await server.run('SCRIPT', 'KILL'), '-NOTBUSY No scripts in execution right now.\r\n')
})

test('memory of scripts is bounded by lua-memory-limit-mb', async (t) => {
  await using server = await startServer({ config: { 'lua-memory-limit-mb': 16 } })
  t.match(await server.run('EVAL', `local t = {} for i = 1, 1e9 do t[i] = i end`, 0), /^-ERR not enough memory/)
  t.equal(await server.run('EVAL', 'return 1', 0), ':1\r\n')
})

test('what one script writes is bounded as what one command writes', async (t) => {
  await using server = await startServer({ config: { 'rocksdb.write_options.write_batch_max_bytes': 100_000 } })
  t.match(
    await server.run('EVAL', `for i = 1, 1000 do redis.call('set', i, string.rep('x', 1000)) end`, 0),
    /^-ERR Operation aborted: Memory limit reached script: /,
  )
  t.equal(await server.run('STRLEN', 1), ':1000\r\n')
  t.equal(await server.run('EXISTS', 97, 98), ':1\r\n', 'what would have been too much was not written')
})

test('commands that are not for scripts, wrong ones and unknown ones are refused', async (t) => {
  await using server = await startServer()
  const cases: readonly [string, RegExp][] = [
    [
      `redis.call('nosuch')`,
      /^-ERR Unknown Redis command called from script script: [0-9a-f]{40}, on @user_script:1\.\r\n$/,
    ],
    [`redis.call('get')`, /^-ERR Wrong number of args calling Redis command from script script: /],
    [`redis.call('get', 1, 2)`, /^-ERR Wrong number of args/],
    [`redis.call('multi')`, /^-ERR This Redis command is not allowed from script script: /],
    [`redis.call('eval', 'return 1', 0)`, /^-ERR This Redis command is not allowed from script script: /],
    [`redis.call()`, /^-ERR Please specify at least one argument for this redis lib call script: /],
  ]
  for (const [script, expected] of cases) t.match(await server.run('EVAL', script, 0), expected)
})

test('read-only scripts only read', async (t) => {
  await using server = await startServer()
  const refused =
    /^-ERR user_script:\d: Write commands are not allowed from read-only scripts\. script: [0-9a-f]{40}, on @user_script:\d\.\r\n$/
  const write = `return redis.call('set', 'k', 1)`
  t.match(await server.run('EVAL_RO', write, 0), refused)
  t.match(await server.run('EVAL', `#!lua flags=no-writes\n${write}`, 0), refused)
  t.equal(await server.run('EVAL', `#!lua\n${write}`, 0), '+OK\r\n')
  t.equal(await server.run('EVAL_RO', `return redis.call('get', 'k')`, 0), '$1\r\n1\r\n')
  const sha = (await server.run('SCRIPT', 'LOAD', write)).slice(5, 45)
  t.match(await server.run('EVALSHA_RO', sha, 0), refused)
  t.match(await server.run('EVAL_RO', `return redis.call('publish', 'c', 'm')`, 0), refused, 'it reaches replicas')
  t.equal(await server.run('EVAL', `return redis.call('publish', 'c', 'm')`, 0), ':0\r\n')
})

test('lua-strict-key-accessing lets scripts write only keys that they declare', async (t) => {
  await using server = await startServer({ config: { 'lua-strict-key-accessing': true } })
  const undeclared =
    /^-ERR user_script:1: Script attempted to access key 'ab', which is not in the allowed keys script: /
  t.match(await server.run('EVAL', `return redis.call('set', 'ab', 1)`, 0), undeclared)
  t.match(await server.run('EVAL', `return redis.call('set', KEYS[1] .. 'b', 1)`, 1, 'a'), undeclared)
  t.equal(await server.run('EVAL', `return redis.call('set', ARGV[1] .. 'b', 1)`, 1, 'ab', 'a'), '+OK\r\n')
  t.equal(await server.run('EVAL', `return redis.call('get', 'ab')`, 0), '$1\r\n1\r\n')
})

test('a blocking command in a script does not block', async (t) => {
  await using server = await startServer()
  t.equal(await server.run('EVAL', `return redis.call('blpop', 'nothing', 0)`, 0), '$-1\r\n')
  t.equal(
    await server.run('EVAL', `redis.call('rpush', 'l', 'x') return redis.call('blpop', 'l', 0)`, 0),
    '*2\r\n$1\r\nl\r\n$1\r\nx\r\n',
  )
})

test('a script wakes a client that waits for its key, once it has ended', async (t) => {
  await using server = await startServer()
  const waiting = await server.connect()
  waiting.send('BLPOP', 'l', 0)
  await server.run('PING')
  t.equal(await server.run('EVAL', `redis.call('rpush', 'l', 'x') return redis.call('llen', 'l')`, 0), ':1\r\n')
  t.equal((await waiting.nextReply()).bytes, '*2\r\n$1\r\nl\r\n$1\r\nx\r\n')
})

test('a script inside a transaction', async (t) => {
  await using server = await startServer()
  await server.run('MULTI')
  t.equal(await server.run('SET', 'k', 1), '+QUEUED\r\n')
  t.equal(await server.run('EVAL', `redis.call('incr', 'k') error('x')`, 0), '+QUEUED\r\n')
  t.equal(await server.run('EVAL', `return redis.call('incr', 'k')`, 0), '+QUEUED\r\n')
  t.match(await server.run('EXEC'), /^\*3\r\n\+OK\r\n-ERR user_script:1: x [^\r\n]*\r\n:3\r\n$/)
})

test('a script breaks the transaction of those who watch what it writes', async (t) => {
  await using server = await startServer()
  const watching = await server.connect()
  await watching.run('WATCH', 'k')
  await server.run('EVAL', `redis.call('set', 'k', 1)`, 0)
  await watching.run('MULTI')
  await watching.run('SET', 'k', 2)
  t.equal(await watching.run('EXEC'), '*-1\r\n')
})

test('replies follow the protocol of the client', async (t) => {
  await using server = await startServer({ config: { 'resp3-enabled': true } })
  await server.run('HSET', 'h', 'f', 'v')
  const script = `redis.setresp(3) return redis.call('hgetall', 'h')`
  t.equal(await server.run('EVAL', script, 0), '*2\r\n$1\r\nf\r\n$1\r\nv\r\n')
  await server.run('HELLO', 3)
  t.equal(await server.run('EVAL', script, 0), '%1\r\n$1\r\nf\r\n$1\r\nv\r\n')
  t.equal(await server.run('EVAL', `return redis.call('hgetall', 'h')`, 0), '*2\r\n$1\r\nf\r\n$1\r\nv\r\n')
})

const RETURN_5 = '4ca238f611c9d0ae4e9a75a5dbac22aedc379801'

test('scripts are kept in the database and outlive a restart; evaluated ones are not', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  {
    await using server = await startServer({ dir })
    t.equal(await server.run('SCRIPT', 'LOAD', 'return 5'), `$40\r\n${RETURN_5}\r\n`)
    t.equal(await server.run('EVAL', 'return 6', 0), ':6\r\n')
    t.equal(
      await server.run('SCRIPT', 'EXISTS', RETURN_5, 'f'.repeat(40), sha1('return 6')),
      '*3\r\n:1\r\n:0\r\n:1\r\n',
    )
    t.equal(await server.run('EVALSHA', sha1('return 6'), 0), ':6\r\n')
    t.equal(stored(server, `lua_f_${RETURN_5}`), 'return 5')
    t.equal(stored(server, `lua_f_${sha1('return 6')}`), undefined)
  }
  await using server = await startServer({ dir })
  t.equal(await server.run('EVALSHA', RETURN_5.toUpperCase(), 0), ':5\r\n')
  t.equal(await server.run('EVALSHA', sha1('return 6'), 0), '-NOSCRIPT No matching script. Please use EVAL.\r\n')
  t.equal(await server.run('SCRIPT', 'FLUSH'), '+OK\r\n')
  t.equal(await server.run('EVALSHA', RETURN_5, 0), '-NOSCRIPT No matching script. Please use EVAL.\r\n')
  t.equal(stored(server, `lua_f_${RETURN_5}`), undefined)
  t.equal(stored(server, 'script'), '*2\r\n$6\r\nscript\r\n$5\r\nflush\r\n')
})

test('a script that does not compile is not kept', async (t) => {
  await using server = await startServer()
  t.match(
    await server.run('SCRIPT', 'LOAD', 'return ('),
    /^-ERR Error compiling script \(new function\): user_script:1: /,
  )
  t.equal(stored(server, `lua_f_${sha1('return (')}`), undefined)
})

test('functions are called, listed, and outlive a restart', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  {
    await using server = await startServer({ dir })
    t.equal(await server.run('FUNCTION', 'LOAD', LIBRARY), '$5\r\nmylib\r\n')
    t.equal(await server.run('FCALL', 'write', 1, 'k', 'v'), '+OK\r\n')
    t.equal(stored(server, 'lua_lib_code_mylib'), LIBRARY)
    t.equal(stored(server, 'lua_func_lib_read'), 'mylib')
  }
  await using server = await startServer({ dir })
  t.equal(await server.run('FCALL', 'read', 1, 'k'), '$1\r\nv\r\n')
  t.equal(await server.run('FCALL_RO', 'read', 1, 'k'), '$1\r\nv\r\n')
  t.match(await server.run('FCALL_RO', 'write', 1, 'k', 'w'), /^-ERR user_function:4: Write commands are not allowed/)
  t.match(await server.run('FCALL', 'safe', 1, 'k'), /^-ERR user_function:5: Write commands are not allowed/)
  t.equal(
    await server.run('FUNCTION', 'LISTFUNC', 'FUNCNAME', 's'),
    '*1\r\n*4\r\n$13\r\nfunction_name\r\n$4\r\nsafe\r\n$12\r\nfrom_library\r\n$5\r\nmylib\r\n',
  )
  t.equal(
    await server.run('FUNCTION', 'LISTLIB', 'mylib'),
    '*6\r\n$12\r\nlibrary_name\r\n$5\r\nmylib\r\n$6\r\nengine\r\n$3\r\nlua\r\n$9\r\nfunctions\r\n' +
      '*3\r\n$4\r\nread\r\n$4\r\nsafe\r\n$5\r\nwrite\r\n',
  )
  t.equal(await server.run('FUNCTION', 'DELETE', 'mylib'), '+OK\r\n')
  t.match(await server.run('FCALL', 'read', 1, 'k'), /^-ERR .*No such function name/)
  t.equal(stored(server, 'lua_lib_code_mylib'), undefined)
  t.equal(stored(server, 'lua_func_lib_read'), undefined)
  t.same(server.logged, [])
})

test('replacing a library removes the functions that it no longer has', async (t) => {
  await using server = await startServer()
  await server.run('FUNCTION', 'LOAD', LIBRARY)
  t.match(await server.run('FUNCTION', 'LOAD', LIBRARY), /^-ERR library already exists/)
  await server.run(
    'FUNCTION',
    'LOAD',
    'REPLACE',
    `#!lua name=mylib\nredis.register_function('other', function() return 1 end)`,
  )
  t.match(await server.run('FCALL', 'read', 1, 'k'), /^-ERR .*No such function name/)
  t.equal(stored(server, 'lua_func_lib_read'), undefined)
  t.equal(stored(server, 'lua_func_lib_other'), 'mylib')
})

/** A library that counts its calls. */
function counting(name: string): string {
  return `#!lua name=${name}
local n = 0
redis.register_function('count_${name}', function() n = n + 1 return n end)`
}

test('a FUNCTION command that fails changes nothing, not even what libraries remember', async (t) => {
  await using server = await startServer()
  await server.run('FUNCTION', 'LOAD', counting('b'))
  const dump = await server.run('FUNCTION', 'DUMP')
  const payload = Buffer.from(dump.slice(dump.indexOf('\r\n') + 2, -2), 'latin1')
  await server.run('FUNCTION', 'LOAD', 'REPLACE', counting('a'))
  t.equal(await server.run('FCALL', 'count_a', 0), ':1\r\n')
  t.equal(await server.run('FCALL', 'count_b', 0), ':1\r\n')
  const conflict = counting('c').replace('count_c', 'count_a')
  const refused: readonly (readonly [RegExp, readonly Word[]])[] = [
    [/^-ERR Library not found/, ['DELETE', 'nosuch']],
    [/^-ERR library already exists/, ['LOAD', counting('a')]],
    [/^-ERR Error compiling/, ['LOAD', 'REPLACE', '#!lua name=a\nreturn (']],
    [/^-ERR Function count_a already exists/, ['LOAD', conflict]],
    [/^-ERR Library b already exists/, ['RESTORE', payload]],
    [/^-ERR DUMP payload/, ['RESTORE', 'x', 'FLUSH']],
  ]
  let calls = 1
  for (const [error, words] of refused) {
    t.match(await server.run('FUNCTION', ...words), error)
    calls++
    t.equal(await server.run('FCALL', 'count_a', 0), `:${calls}\r\n`, words.join(' ').slice(0, 30))
    t.equal(await server.run('FCALL', 'count_b', 0), `:${calls}\r\n`)
  }
  t.equal(await server.run('FUNCTION', 'RESTORE', payload, 'REPLACE'), '+OK\r\n')
  t.equal(await server.run('FCALL', 'count_b', 0), ':1\r\n', 'a new one')
  t.equal(await server.run('FCALL', 'count_a', 0), `:${calls + 1}\r\n`, 'one that stayed')
})

test('a FUNCTION command that fails in a transaction leaves what was loaded before it', async (t) => {
  await using server = await startServer()
  await server.run('MULTI')
  await server.run('FUNCTION', 'LOAD', counting('a'))
  await server.run('FUNCTION', 'DELETE', 'nosuch')
  await server.run('FCALL', 'count_a', 0)
  t.equal(await server.run('EXEC'), '*3\r\n$1\r\na\r\n-ERR Library not found\r\n:1\r\n')
  t.equal(await server.run('FCALL', 'count_a', 0), ':2\r\n')
  t.equal(stored(server, 'lua_lib_code_a'), counting('a'))
})

test('a library whose function another one has is not restored, and nothing else of the payload is', async (t) => {
  await using server = await startServer()
  await server.run('FUNCTION', 'LOAD', counting('a'))
  await server.run('FUNCTION', 'LOAD', counting('c').replace('count_c', 'taken'))
  const dump = await server.run('FUNCTION', 'DUMP')
  const payload = Buffer.from(dump.slice(dump.indexOf('\r\n') + 2, -2), 'latin1')
  await server.run('FUNCTION', 'FLUSH')
  await server.run('FUNCTION', 'LOAD', counting('d').replace('count_d', 'taken'))
  for (const policy of ['APPEND', 'REPLACE']) {
    t.equal(await server.run('FUNCTION', 'RESTORE', payload, policy), '-ERR Function taken already exists\r\n')
    t.match(await server.run('FCALL', 'count_a', 0), /No such function name/)
    t.equal(stored(server, 'lua_lib_code_a'), undefined)
  }
  t.equal(await server.run('FCALL', 'taken', 0), ':1\r\n')
  t.equal(await server.run('FUNCTION', 'RESTORE', payload, 'FLUSH'), '+OK\r\n')
  t.equal(await server.run('FCALL', 'count_a', 0), ':1\r\n')
  t.equal(stored(server, 'lua_lib_code_d'), undefined)
  t.equal(stored(server, 'lua_func_lib_taken'), 'c')
})

test('libraries of a transaction whose commit fails are gone, those before it are not', async (t) => {
  await using server = await startServer()
  await server.run('FUNCTION', 'LOAD', counting('b'))
  const { rocks } = server.server.store
  const write = rocks.write.bind(rocks)
  await server.run('MULTI')
  await server.run('SET', 'k', 'v')
  await server.run('FUNCTION', 'LOAD', counting('a'))
  await server.run('FUNCTION', 'DELETE', 'b')
  rocks.write = () => {
    throw new Error('no space left')
  }
  t.match(await server.run('EXEC'), /^-/)
  rocks.write = write
  t.match(await server.run('FCALL', 'count_a', 0), /No such function name/)
  t.equal(await server.run('FCALL', 'count_b', 0), ':1\r\n')
  t.equal(stored(server, 'lua_lib_code_a'), undefined)
})

test('scripts that a transaction flushes are gone in it', async (t) => {
  await using server = await startServer()
  await server.run('SCRIPT', 'LOAD', 'return 5')
  await server.run('MULTI')
  await server.run('SCRIPT', 'FLUSH')
  await server.run('EVALSHA', RETURN_5, 0)
  await server.run('SCRIPT', 'EXISTS', RETURN_5)
  await server.run('SCRIPT', 'LOAD', 'return 6')
  await server.run('EVALSHA', sha1('return 6'), 0)
  await server.run('SCRIPT', 'EXISTS', RETURN_5, sha1('return 6'))
  t.equal(
    await server.run('EXEC'),
    `*6\r\n+OK\r\n-NOSCRIPT No matching script. Please use EVAL.\r\n*1\r\n:0\r\n$40\r\n${sha1('return 6')}\r\n:6\r\n*2\r\n:0\r\n:1\r\n`,
  )
  t.equal(await server.run('SCRIPT', 'EXISTS', RETURN_5, sha1('return 6')), '*2\r\n:0\r\n:1\r\n')
  t.equal(stored(server, `lua_f_${RETURN_5}`), undefined)
  t.equal(stored(server, `lua_f_${sha1('return 6')}`), 'return 6')
  await server.run('SCRIPT', 'LOAD', 'return 5')
  t.equal(await server.run('SCRIPT', 'EXISTS', RETURN_5), '*1\r\n:1\r\n', 'and can come again')
})

test('a library that Kvrocks stored runs, though it could not be loaded anew', async (t) => {
  await using server = await startServer()
  const calls = `#!lua name=mylib
local call = redis.call
redis.register_function('get', function(keys) return call('get', keys[1]) end)`
  const named = `#!lua name=other
redis.register_function('my-get', function(keys) return redis.call('get', keys[1]) end)`
  for (const [name, code] of [
    ['mylib', calls],
    ['other', named],
  ] as const) {
    const key = Buffer.from(`lua_lib_code_${name}`)
    const batch = new WriteBatch()
    batch.put(CF_PROPAGATE, key, key.length, Buffer.from(code))
    server.server.store.turn.writeAlone(batch)
  }
  await server.run('SET', 'k', 'v')
  t.equal(await server.run('FCALL', 'get', 1, 'k'), '$1\r\nv\r\n')
  t.equal(await server.run('FCALL', 'my-get', 1, 'k'), '$1\r\nv\r\n')
  t.same(server.logged, [])
  t.match(await server.run('FUNCTION', 'LOAD', 'REPLACE', calls), /nonexistent global variable 'call'/)
  t.match(
    await server.run('FUNCTION', 'LOAD', 'REPLACE', named),
    /^-ERR Error registering functions: Library names can only contain/,
  )
  t.equal(await server.run('FCALL', 'my-get', 1, 'k'), '$1\r\nv\r\n')
  t.equal(await server.run('FUNCTION', 'DELETE', 'other'), '+OK\r\n')
  t.equal(stored(server, 'lua_lib_code_other'), undefined)
})

test('libraries are dumped and restored by each policy', async (t) => {
  await using server = await startServer()
  await server.run('FUNCTION', 'LOAD', LIBRARY)
  const client = await server.connect()
  client.send('FUNCTION', 'DUMP')
  const { bytes } = await client.nextReply()
  const payload = Buffer.from(bytes.slice(bytes.indexOf('\r\n') + 2, -2), 'latin1')
  t.equal(await client.run('FUNCTION', 'RESTORE', payload), '-ERR Library mylib already exists\r\n')
  t.equal(await client.run('FCALL', 'write', 1, 'k', 'v'), '+OK\r\n', 'nothing has changed')
  t.equal(await client.run('FUNCTION', 'RESTORE', payload, 'REPLACE'), '+OK\r\n')
  t.equal(await client.run('FUNCTION', 'FLUSH'), '+OK\r\n')
  t.equal(await client.run('FUNCTION', 'LIST'), '*0\r\n')
  t.equal(await client.run('FUNCTION', 'RESTORE', payload), '+OK\r\n')
  t.equal(await client.run('FCALL', 'read', 1, 'k'), '$1\r\nv\r\n')
  await client.run('FUNCTION', 'LOAD', `#!lua name=second\nredis.register_function('two', function() return 2 end)`)
  t.equal(await client.run('FUNCTION', 'RESTORE', payload, 'FLUSH'), '+OK\r\n')
  t.match(await client.run('FCALL', 'two', 0), /No such function name/)
  t.equal(
    await client.run('FUNCTION', 'RESTORE', 'x', 'NEVER'),
    '-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.\r\n',
  )
  t.equal(await client.run('FUNCTION', 'RESTORE', 'x'), '-ERR DUMP payload version or checksum are wrong\r\n')
})

/** Commands that are answered alike, but for the texts that Kvrocks's tests ask for. */
const SESSION: readonly (readonly Word[])[] = [
  ['EVAL', 'return 1', '-1'],
  ['EVAL', 'return 1', '1'],
  ['EVAL', 'return 1', 'x'],
  ['EVAL', 'return KEYS', '2', 'a', 'b', 'c'],
  ['EVAL'],
  ['EVALSHA', 'short', '0'],
  ['EVALSHA', 'f'.repeat(40), '0'],
  ['EVAL', `return redis.call('incr', 'n')`, '0'],
  ['EVAL', `return redis.call('lpush', 'n', 1)`, '0'],
  ['EVAL', `return redis.pcall('lpush', 'n', 1)`, '0'],
  ['EVAL', `return redis.call('multi')`, '0'],
  ['EVAL', `return redis.call('nosuch')`, '0'],
  ['EVAL', `return redis.call('get')`, '0'],
  ['EVAL', `return redis.call('mget', 'n', 'none')`, '0'],
  ['EVAL', `return redis.call('set', 'f', 1.5)`, '0'],
  ['GET', 'f'],
  ['EVAL', `redis.call('hset', 'h', 'a', 1, 'b', 2) redis.setresp(3) return redis.call('hgetall', 'h')`, '0'],
  ['SCRIPT', 'LOAD', 'return 5'],
  ['SCRIPT', 'EXISTS', RETURN_5, 'x'],
  ['EVALSHA', RETURN_5, '0'],
  ['SCRIPT', 'FLUSH', 'SYNC'],
  ['SCRIPT', 'EXISTS', RETURN_5],
  ['SCRIPT', 'KILL'],
  ['SCRIPT', 'DEBUG', 'NO'],
  ['SCRIPT', 'LOAD', 'return ('],
  ['FUNCTION', 'LOAD', 'return 1'],
  ['FUNCTION', 'LOAD', '#!lua\nreturn 1'],
  ['FUNCTION', 'LOAD', '#!lua name=a-b\nreturn 1'],
  ['FUNCTION', 'LOAD', '#!lua name=one\nreturn 1'],
  ['FUNCTION', 'LOAD', `#!lua name=one\nredis.register_function('f', function(k, a) return {k, a} end)`],
  ['FUNCTION', 'LIST'],
  ['FUNCTION', 'LIST', 'WITHCODE', 'LIBRARYNAME', 'o*'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'x*'],
  ['FUNCTION', 'LIST', 'NOSUCH'],
  ['FUNCTION', 'STATS'],
  ['FCALL', 'f', '1', 'k', 'a'],
  ['FCALL', 'f', '-1'],
  ['FUNCTION', 'KILL'],
  ['FUNCTION', 'DELETE', 'nosuch'],
  ['FUNCTION', 'DELETE', 'one'],
  ['FUNCTION', 'DUMP'],
  ['FUNCTION', 'FLUSH', 'ASYNC'],
]

/** A payload's footer is the RDB version, 10 here and in Redis 7.0, and a checksum over it. */
function withoutFooter(reply: string): string {
  const footerBytes = 2 + 8
  return reply.slice(0, -footerBytes - '\r\n'.length)
}

test('EVAL, SCRIPT, FCALL and FUNCTION answer what Redis answers', { skip: REDIS_MISSING }, async (t) => {
  for (const protocol of [2, 3]) {
    await using server = await startServer({ config: { 'resp3-enabled': true } })
    const redis = await startRedisServer()
    t.teardown(() => redis.stop())
    const theirs = await RawClient.connect(redis.port)
    t.teardown(() => theirs.close())
    const ours = await server.connect()
    await ours.run('HELLO', protocol)
    await theirs.run('HELLO', protocol)
    for (const words of SESSION) {
      const compared = words[1] === 'DUMP' && REDIS_MAJOR !== 7 ? withoutFooter : (reply: string) => reply
      t.equal(compared(await ours.run(...words)), compared(await theirs.run(...words)), words.join(' ').slice(0, 80))
    }
  }
})

test('of DEBUG, scripts may call what only shows a reply', async (t) => {
  await using server = await startServer()
  t.equal(
    await server.run('EVAL', `redis.setresp(3) return redis.call('debug', 'protocol', 'bignum')`, 0),
    '$37\r\n1234567999999999999999999999999999999\r\n',
  )
  t.match(
    await server.run('EVAL', `return redis.call('debug', 'sleep', '0')`, 0),
    /^-ERR This Redis command is not allowed/,
  )
})

test('on a stale replica only scripts that allow it run', async (t) => {
  await using server = await startServer()
  await server.run('FUNCTION', 'LOAD', `#!lua name=l\nredis.register_function('f', function() return 1 end)`)
  server.server.isStale = true
  t.match(await server.run('FCALL', 'f', 0), /^-MASTERDOWN /)
  t.match(await server.run('EVAL', '#!lua\nreturn 1', 0), /^-MASTERDOWN /)
  t.equal(await server.run('EVAL', '#!lua flags=allow-stale\nreturn 1', 0), ':1\r\n')
  t.equal(await server.run('EVAL', 'return 1', 0), ':1\r\n', 'one without flags, until it reads')
  t.match(await server.run('EVAL', `return redis.call('get', 'k')`, 0), /^-ERR Can not execute the command on a stale/)
})
