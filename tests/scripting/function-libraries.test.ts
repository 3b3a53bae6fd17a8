import { test } from 'tap'
import { flagNames } from '../../src/scripting/flags.js'
import { FunctionLibraries } from '../../src/scripting/function-libraries.js'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { buffers, openBench, textOf } from './support.js'

const OPTIONS = { protocol: 2, timeLimitMs: 1000, resp3Allowed: true } as const

function open(replies = {}) {
  const { engine, evaluate, calls } = openBench(replies)
  const libraries = new FunctionLibraries(engine)
  const load = (code: string, replace = false, limitMs = 500): string =>
    textOf(() => Buffer.from(libraries.load(Buffer.from(code), replace, limitMs).name))
  const call = (name: string, keys: readonly string[] = [], args: readonly string[] = []): string => {
    const found = libraries.find(name)
    if (found === undefined) return 'no such function'
    return textOf(() => engine.runFunction(found.reference, name, buffers(keys), buffers(args), OPTIONS))
  }
  return { engine, evaluate, calls, libraries, load, call }
}

test('a library registers functions that get their keys and arguments', async (t) => {
  const { libraries, load, call, calls } = open({ 'get k': '$1\r\nv\r\n' })
  const code = `#!lua name=mylib
local function helper(n) return n + 1 end
redis.register_function('inc', function(keys, args) return helper(args[1]) end)
redis.register_function{function_name = 'read', callback = function(keys) return redis.call('get', keys[1]) end,
  description = 'reads', flags = {'no-writes', 'allow-stale'}}
redis.register_function('third', function() return 3 end, {'no-cluster'})`
  t.equal(load(code), 'mylib')
  t.equal(call('inc', [], ['41']), ':42\r\n')
  t.equal(call('read', ['k']), '$1\r\nv\r\n')
  t.same(calls, ['get k'])
  const [library] = libraries.all
  t.equal(library?.code.toString(), code)
  t.same(
    library?.functions.map(({ name, description, flags }) => [name, description, flagNames(flags)]),
    [
      ['inc', undefined, []],
      ['read', 'reads', ['no-writes', 'allow-stale']],
      ['third', undefined, ['no-cluster']],
    ],
  )
})

test('an error of a function names it and the line', async (t) => {
  const { load, call } = open()
  load(`#!lua name=lib\nredis.register_function('f', function()\n error('x') end)`)
  t.equal(call('f'), '-ERR user_function:3: x script: f, on @user_function:3.\r\n')
})

test('a library that fails changes nothing', async (t) => {
  const { libraries, load, call } = open()
  const good = `#!lua name=lib\nredis.register_function('f', function() return 1 end)`
  t.equal(load(good), 'lib')
  t.equal(load(good), '-ERR library already exists, please specify REPLACE to force load\r\n')
  t.match(load(`#!lua name=lib\nerror('bad')`, true), /^-ERR Error registering functions: user_function:2: bad\r\n$/)
  t.match(load('#!lua name=lib\nreturn (', true), /^-ERR Error compiling function: user_function:2: /)
  t.equal(load('#!lua name=lib\nreturn 1', true), '-ERR No functions registered\r\n')
  t.equal(load(good.replace('name=lib', 'name=other')), '-ERR Function f already exists\r\n')
  t.equal(call('f'), ':1\r\n')
  t.equal(libraries.size, 1)
})

test('a library is replaced, removed and flushed', async (t) => {
  const { libraries, load, call } = open()
  load(`#!lua name=lib\nredis.register_function('f', function() return 1 end)`)
  load(`#!lua name=lib\nredis.register_function('g', function() return 2 end)`, true)
  t.equal(call('f'), 'no such function')
  t.equal(call('g'), ':2\r\n')
  t.equal(libraries.remove('lib'), true)
  t.equal(libraries.remove('lib'), false)
  t.equal(call('g'), 'no such function')
  load(`#!lua name=a\nredis.register_function('f', function() return 1 end)`)
  libraries.flush()
  t.equal(libraries.functionsCount, 0)
})

test('registering is refused when its arguments are wrong', async (t) => {
  const { load } = open()
  const f = 'function() end'
  const cases: Readonly<Record<string, string>> = {
    "'f'":
      'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).',
    '': 'wrong number of arguments to redis.register_function',
    [`{}, ${f}`]: 'first argument to redis.register_function must be a string',
    "'f', 1": 'second argument to redis.register_function must be a function',
    [`'f', ${f}, {'nosuch'}`]: 'unknown flag given',
    [`{function_name = 'f', callback = ${f}, flags = {1}}`]: 'unknown flag given',
    [`{function_name = 'f', callback = ${f}, flags = 'x'}`]:
      'flags argument to redis.register_function must be a table representing function flags',
    [`{function_name = {}, callback = ${f}}`]:
      'function_name argument given to redis.register_function must be a string',
    "{function_name = 'f', callback = 1}": 'callback argument given to redis.register_function must be a function',
    [`{callback = ${f}}`]: 'redis.register_function must get a function name argument',
    "{function_name = 'f'}": 'redis.register_function must get a callback argument',
    [`{function_name = 'f', callback = ${f}, other = 1}`]: 'unknown argument given to redis.register_function',
    [`'a-b', ${f}`]:
      'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long',
    [`'f', ${f}) redis.register_function('f', ${f}`]: 'Function already exists in the library',
  }
  for (const [given, reason] of Object.entries(cases)) {
    t.equal(
      load(`#!lua name=lib\nredis.register_function(${given})`),
      `-ERR Error registering functions: ${reason}\r\n`,
    )
  }
})

test('what is only for scripts is not there while a library is loaded, and the other way round', async (t) => {
  const { load, call, evaluate } = open()
  t.match(load(`#!lua name=lib\nredis.call('ping')`), /nonexistent global variable 'call'/)
  t.match(load('#!lua name=lib\nmath.random()'), /math.random can only be called inside a script invocation/)
  t.match(load('#!lua name=lib\nx = 1'), /attempted to create global variable 'x'/)
  load(`#!lua name=lib\nlocal upper = string.upper
redis.register_function('f', function(_, args) return upper(args[1]) end)
redis.register_function('late', function() redis.register_function('g', function() end) end)
redis.register_function('keys', function() return KEYS end)`)
  t.equal(call('f', [], ['abc']), '$3\r\nABC\r\n')
  t.match(call('late'), /attempt to call field 'register_function'/)
  evaluate('return 1', { keys: ['left'] })
  t.match(call('keys'), /nonexistent global variable 'KEYS'/)
})

test('a library that does not end is stopped', async (t) => {
  const { load } = open()
  t.match(load('#!lua name=lib\nwhile true do end'), /^-ERR Error registering functions: Script stopped: it ran longer/)
  const slow = `#!lua name=lib\nfor i = 1, 1e7 do end\nredis.register_function('f', function() return 1 end)`
  t.match(load(slow, false, 1), /Script stopped: it ran longer than lua-time-limit, 1 milliseconds/)
  t.equal(load(slow, false, 0), 'lib', 'unless it has no limit')
})

test('functions answer what they answer in Redis', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  const client = await RawClient.connect(redis.port)
  t.teardown(() => client.close())
  const bodies = [
    'return {keys[1], args[1], #keys, #args}',
    'error("x")',
    'error({err="MY x"})',
    'return redis.error_reply("My Err")',
    'local t = nil return t.x',
    'x = nil return x',
    'return redis.sha1hex("a")',
  ]
  for (const body of bodies) {
    const code = `#!lua name=lib\nredis.register_function('f', function(keys, args) ${body} end)`
    const { load, call } = open()
    load(code)
    await client.run('FUNCTION', 'LOAD', 'REPLACE', code)
    if (body.startsWith('x = nil')) continue
    t.equal(call('f', ['k'], ['a']), await client.run('FCALL', 'f', '1', 'k', 'a'), body)
  }
})
