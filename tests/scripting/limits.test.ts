/** Scripts that would run for ever, fill the memory or overflow a stack, and what is left afterwards. */
import { test } from 'tap'
import { ReplyError } from '../../src/protocol/errors.js'
import { openBench } from './support.js'

const STOPPED =
  /^-ERR Script stopped: it ran longer than lua-time-limit, 50 milliseconds(?: script: [0-9a-f]{40}, on .*)?\r\n$/

/** Each of them runs for hours if nothing stops it. */
const ENDLESS: Readonly<Record<string, string>> = {
  'a loop': 'while true do end',
  'a loop of pcall': 'while true do pcall(function() while true do end end) end',
  'a loop in an error handler': 'xpcall(error, function() while true do end end) return 1',
  'nested pcalls': 'local function f() pcall(f) while true do end end f()',
  'a loop in a coroutine': 'while true do coroutine.resume(coroutine.create(function() while true do end end)) end',
  'a loop in a wrapped coroutine': 'while true do pcall(coroutine.wrap(function() while true do end end)) end',
  'coroutines that each end soon':
    'local function f(d) if d > 0 then for i = 1, 500 do coroutine.wrap(f)(d - 1) end end end f(5)',
  'resumed coroutines that each end soon':
    'local function f(d) for i = 1, d * 500 do coroutine.resume(coroutine.create(f), d - 1) end end f(5)',
  'a pattern that backtracks': `return string.find(string.rep('a', 5000), string.rep('a*', 30) .. 'b')`,
  'a replacement that backtracks': `return string.gsub(string.rep('a', 5000), string.rep('.-', 30) .. 'b', '')`,
  'a match of a balanced pair over and over': `local s = string.rep('(', 200000) return string.match(s, '%b()')`,
  'one insertion far below the first element': 'table.insert({}, -2147483647, 1)',
  'insertions far below the first element': 'while true do table.insert({}, -2147483647, 1) end',
  'insertions before many elements': `local t = {} for i = 1, 2e5 do t[i] = i end while true do table.insert(t, 1, 1) end`,
  'removals before many elements':
    'local t = {} for i = 1, 1e6 do t[i] = i end while true do table.insert(t, table.remove(t, 1)) end',
  'concatenations of many elements': `local t = {} for i = 1, 1e6 do t[i] = '' end while true do table.concat(t) end`,
  'visits of many elements': `local t = {} for i = 1, 1e6 do t[i] = i end while true do table.foreachi(t, rawequal) end`,
  'the highest of many keys': `local t = {} for i = 1, 1e6 do t[i] = i end while true do table.maxn(t) end`,
  'sorting of many elements': `local t = {} for i = 1, 1e6 do t[i] = i end while true do table.sort(t) end`,
  'sorting by a function of the library':
    'local t = {} for i = 1, 1e6 do t[i] = i end while true do table.sort(t, rawequal) end',
  'a long string in upper case': `local s = string.rep('x', 5e6) while true do s:upper() end`,
  'a long string to which one byte is added': `local s = string.rep('x', 5e6) while true do local _ = s .. 'y' end`,
  'a long repetition': `while true do string.rep('x', 5e6) end`,
  'the digest of a long string': `local s = string.rep('x', 5e6) while true do redis.sha1hex(s) end`,
  'a comparison that never ends': 'table.sort({3,2,1}, function() while true do end end)',
  'JSON of shared tables': 'local t = {} for i = 1, 60 do t = {t, t} end return cjson.encode(t)',
  'MessagePack of shared tables':
    'local t = {} for i = 1, 15 do t = {t,t,t,t,t,t,t,t,t,t,t,t,t,t,t,t,t} end return cmsgpack.pack(t)',
  'a reply of shared tables': 'local t = {} for i = 1, 60 do t = {t, t} end return t',
  'a metamethod': 'return setmetatable({}, {__index = function(t, k) while true do end end}).x',
  'code that is loaded': `loadstring('while true do end')()`,
  'a reader of code': `load(function() return ' ' end)`,
  'calls of commands': `while true do redis.pcall('ping') end`,
}

for (const [what, script] of Object.entries(ENDLESS)) {
  test(`${what} is stopped at the time limit or at the memory limit`, async (t) => {
    const { evaluate } = openBench({ ping: '+PONG\r\n' })
    const startMs = performance.now()
    const reply = evaluate(script, { timeLimitMs: 50 })
    t.ok(STOPPED.test(reply) || /^-ERR .*not enough memory/.test(reply), reply.slice(0, 200))
    t.ok(performance.now() - startMs < 2000)
    t.equal(evaluate('return {KEYS[1], 1}', { keys: ['k'] }), '*2\r\n$1\r\nk\r\n:1\r\n', 'the engine goes on')
  })
}

test('no limit lets a script run on', async (t) => {
  const { evaluate } = openBench()
  t.equal(evaluate('for i = 1, 3000000 do end return 1', { timeLimitMs: 0 }), ':1\r\n')
})

test('a script that stops in time can catch its own errors', async (t) => {
  const { evaluate } = openBench()
  t.equal(evaluate(`return {pcall(error, 'x')}`, { timeLimitMs: 1000 }), '*2\r\n$-1\r\n$1\r\nx\r\n')
})

/** Each of them wants more than 16 MB. */
const LARGE: Readonly<Record<string, string>> = {
  'a table': 'local t = {} for i = 1, 1e9 do t[i] = i end',
  'a string that doubles': `local s = 'x' while true do s = s .. s end`,
  'a repeated string': `return string.rep('x', 100000000)`,
  'strings in a table': `local t = {} for i = 1, 1e9 do t[i] = string.rep('x', 1000) .. i end`,
  'a concatenation': `local t = {} for i = 1, 30000 do t[i] = string.rep('x', 1000) end return table.concat(t)`,
  'a replacement': `return string.gsub(string.rep('x', 1000000), 'x', string.rep('y', 100))`,
  JSON: `local s = string.rep('\\1', 1000000) local t = {} for i = 1, 100 do t[i] = s end return cjson.encode(t)`,
  MessagePack: `local s = string.rep('x', 1000000) local t = {} for i = 1, 100 do t[i] = s end return cmsgpack.pack(t)`,
  'a reply': `local s = string.rep('x', 1000000) local t = {} for i = 1, 100 do t[i] = s end return t`,
  coroutines: 'local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end',
  closures: 'local t = {} for i = 1, 1e9 do t[i] = function() return i end end',
  'an unpacked array of MessagePack': `return cmsgpack.unpack('\\221\\255\\255\\255\\255' .. string.rep('\\1', 2000000))`,
}

for (const [what, script] of Object.entries(LARGE)) {
  test(`${what} beyond the memory limit is an error, and the engine goes on`, async (t) => {
    const bench = openBench({}, 16 * 1024 * 1024)
    t.match(bench.evaluate(script), /^-ERR .*(?:not enough memory|Missing bytes)/)
    t.ok(bench.engine.memoryBytes <= 16 * 1024 * 1024)
    t.equal(bench.evaluate('local t = {} for i = 1, 100000 do t[i] = i end return #t'), ':100000\r\n')
  })
}

test('garbage does not count against the limit', async (t) => {
  const { evaluate } = openBench({}, 16 * 1024 * 1024)
  t.equal(evaluate(`for i = 1, 2000 do local s = string.rep('x', 100000) .. i end return 1`), ':1\r\n')
  for (let i = 0; i < 50; i++) t.equal(evaluate(`return #string.rep('x', 5000000)`), ':5000000\r\n')
})

test('garbage does not count against the limit where most of it is in use', async (t) => {
  let calls = 0
  const get = (): string => `$1000000\r\n${String(++calls).padStart(1_000_000)}\r\n`
  const { evaluate } = openBench({ get }, 16 * 1024 * 1024)
  const live = `local live = {} for i = 1, 10 do live[i] = string.rep('x', 1000000) .. i end`
  for (const garbage of [
    `string.rep('y', 1000000 + i)`,
    `('y'):rep(300000 + i):upper()`,
    `tostring(i) .. live[1]`,
    `redis.call('get')`,
    `coroutine.wrap(function() return live[2] .. i end)()`,
  ]) {
    const script = `${live} local a for i = 1, 100 do a = ${garbage} end return #live`
    t.equal(evaluate(script), ':10\r\n', garbage)
  }
})

test('a script can be forgotten when there is no memory left', async (t) => {
  const limit = 1024 * 1024
  const { engine, evaluate } = openBench({}, limit)
  const references: number[] = []
  for (let bytes = 1024; bytes > 0; ) {
    try {
      references.push(engine.compile(Buffer.from(`return '${references.length}${'x'.repeat(bytes)}'`)))
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      bytes >>= 1
    }
  }
  t.ok(engine.memoryBytes > limit - 1024)
  for (const reference of references) engine.release(reference)
  t.equal(evaluate('return 1'), ':1\r\n')
})

test('a script can catch running out of memory', async (t) => {
  const { evaluate } = openBench({}, 16 * 1024 * 1024)
  t.equal(
    evaluate(`return {select(2, pcall(function() local t = {} for i = 1, 1e9 do t[i] = i end end))}`),
    '*1\r\n$17\r\nnot enough memory\r\n',
  )
})

/** Each of them nests without an end. */
const DEEP: Readonly<Record<string, [string, RegExp]>> = {
  calls: ['local function f() return 1 + f() end f()', /^-ERR user_script:1: stack overflow/],
  pcalls: ['local function f() local ok, e = pcall(f) error(e, 0) end f()', /C stack overflow|stack overflow/],
  coroutines: ['local function f() coroutine.wrap(f)() end f()', /C stack overflow/],
  metamethods: [
    'local t = {} setmetatable(t, {__index = function(s, k) return s[k .. 1] end}) return t.x',
    /stack overflow/,
  ],
  replacements: [`local function f(s) return s:gsub('.', f) end f('x')`, /stack overflow/],
  'a reply': ['local t = {} for i = 1, 100000 do t = {t} end return t', /-ERR reached lua stack limit\r\n/],
  'a reply that contains itself': ['local t = {} t[1] = t return t', /-ERR reached lua stack limit\r\n/],
  'JSON to write': ['local t = {} t[1] = t return cjson.encode(t)', /excessive nesting \(1001\)/],
  'JSON to write without a limit': [
    'cjson.encode_max_depth(1e9) local t = {} t[1] = t return cjson.encode(t)',
    /excessive nesting/,
  ],
  'JSON to read': [
    `cjson.decode_max_depth(1e9) return cjson.decode(string.rep('[', 1e6))`,
    /too many nested data structures/,
  ],
  'MessagePack to read': [`return cmsgpack.unpack(string.rep('\\145', 1e6))`, /stack overflow/],
  'a pattern': [`return string.find(string.rep('a', 1000), string.rep('a?', 1000))`, /pattern too complex/],
  'brackets of code': [`return loadstring('return ' .. string.rep('(', 1e5))`, /\$-1/],
  sorting: ['table.sort({1, 2}, function(a, b) return table.sort({a, b}, nil) end)', /attempt|:|\$/],
  'text of an error': [
    `local t = setmetatable({}, {__tostring = function(s) return tostring(s) end}) tostring(t)`,
    /stack overflow/,
  ],
}

for (const [what, [script, expected]] of Object.entries(DEEP)) {
  test(`nesting of ${what} ends in an error`, async (t) => {
    const { evaluate } = openBench()
    t.match(evaluate(script), expected)
    t.equal(evaluate('return 1'), ':1\r\n')
  })
}

test('unpack does not trust its bounds', async (t) => {
  const { evaluate } = openBench()
  for (const bounds of ['0, 2147483647', '-2147483648, 2147483647', '1, 1e8', '-1e8, 1', '1, 1e300']) {
    t.match(evaluate(`return {unpack({}, ${bounds})}`), /too many results to unpack|^\*0/, bounds)
  }
})

test('what a script throws away is collected after it', async (t) => {
  const { engine, evaluate } = openBench()
  for (let i = 0; i < 50; i++) evaluate(`local t = {} for i = 1, 10000 do t[i] = {i} end return #t`)
  t.ok(engine.memoryBytes < 10 * 1024 * 1024, `${engine.memoryBytes}`)
})

test('scripts that are used stay, by their body or by their SHA-1', async (t) => {
  const { scripts } = openBench()
  const [byBody, bySha, unused] = ['return "body"', 'return "sha"', 'return "unused"'].map((text) => Buffer.from(text))
  const { sha } = scripts.evaluate(bySha!)
  const first = scripts.evaluate(byBody!)
  const dropped = scripts.evaluate(unused!)
  for (let i = 1; i <= 2000; i++) {
    scripts.evaluate(Buffer.from(`return ${i}`))
    t.equal(scripts.find(sha)?.sha, sha)
    t.equal(scripts.evaluate(byBody!), first)
    scripts.has(dropped.sha)
  }
  t.equal(scripts.find(dropped.sha), undefined, 'asking whether it is there is no use')
})

test('only so many evaluated scripts are kept, and all that were loaded', async (t) => {
  const { scripts } = openBench()
  const loaded = scripts.load(Buffer.from('return 0'))
  for (let i = 1; i <= 2000; i++) scripts.evaluate(Buffer.from(`return ${i}`))
  t.equal(scripts.size, 501)
  t.equal(scripts.find(loaded.sha), loaded)
  t.ok(scripts.has(loaded.sha))
  scripts.flush()
  t.notOk(scripts.has(loaded.sha))
  t.equal(scripts.size, 0)
})
