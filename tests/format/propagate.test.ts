import { createHash } from 'node:crypto'
import { test } from 'tap'
import { batchesOf, batchOf, hex, type Words } from '../support/written.js'

const SCRIPT = 'return 1'
const SHA = createHash('sha1').update(SCRIPT).digest('hex')
const LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"
const LOAD: Words = ['function', 'load', LIBRARY]

const CODE_ROW = `put propagate ${hex('lua_lib_code_lib')} = ${hex(LIBRARY)}`
const FUNCTION_ROW = `put propagate ${hex('lua_func_lib_f')} = ${hex('lib')}`

test('scripts are rows by their SHA-1, whoever brings them', async (t) => {
  const row = `put propagate ${hex(`lua_f_${SHA}`)} = ${hex(SCRIPT)}`
  t.same(await batchOf([], ['script', 'load', SCRIPT]), [row])
  t.same(await batchOf([['script', 'load', SCRIPT]], ['evalsha', SHA, '0']), [])
})

test('SCRIPT FLUSH deletes the range of scripts, and has replicas do so', async (t) => {
  const request = '*2\r\n$6\r\nscript\r\n$5\r\nflush\r\n'
  t.same(await batchesOf([['script', 'load', SCRIPT]], ['script', 'flush']), [
    [`delete-range propagate ${hex('lua_f_')} ${hex('lua_f`')}`],
    [`put propagate ${hex('script')} = ${hex(request)}`],
  ])
})

test('a library is its code, and a row for each function', async (t) => {
  const lines = (await batchesOf([], LOAD)).flat()
  t.same(lines.sort(), [FUNCTION_ROW, CODE_ROW].sort())
  const deleted = (await batchesOf([LOAD], ['function', 'delete', 'lib'])).flat()
  t.same(deleted.sort(), [`delete propagate ${hex('lua_func_lib_f')}`, `delete propagate ${hex('lua_lib_code_lib')}`])
})

test('what a script writes is one batch, with the log data of each command', async (t) => {
  const script = "redis.call('set', 'k', '1') redis.call('sadd', 's', 'm')"
  t.match(await batchOf([], ['eval', script, '0']), [
    'log 1',
    'put metadata k = 81 0000000000000000 31',
    'log 4',
    'put default s V 6d = ',
    'put metadata s = 84 0000000000000000 V 0000000000000001',
  ])
})

test('a message is a row of the column family pubsub', async (t) => {
  t.same(await batchOf([], ['publish', 'channel', 'hello']), [`put pubsub ${hex('channel')} = ${hex('hello')}`])
})
