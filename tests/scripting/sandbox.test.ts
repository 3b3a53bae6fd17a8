/** What scripts cannot reach, change or leave behind. */
import { test } from 'tap'
import { openBench } from './support.js'

test('there is no way to the system', async (t) => {
  const { evaluate } = openBench()
  for (const name of [
    'io',
    'debug',
    'package',
    'require',
    'module',
    'dofile',
    'loadfile',
    'print',
    'newproxy',
    'setfenv',
  ]) {
    const text = `-ERR user_script:1: Script attempted to access nonexistent global variable '${name}' script: `
    t.equal(evaluate(`return ${name}`).slice(0, text.length), text)
  }
  t.equal(
    evaluate(`local names = {} for name in pairs(os) do names[#names + 1] = name end return names`),
    '*1\r\n$5\r\nclock\r\n',
  )
})

test('bytecode is not loaded', async (t) => {
  const { evaluate } = openBench()
  const reason = 'bytecode is not allowed'
  t.equal(
    evaluate(`return {select(2, loadstring(string.dump(function() end)))}`),
    `*1\r\n$${reason.length}\r\n${reason}\r\n`,
  )
  t.equal(
    evaluate(
      `local d = string.dump(function() end) return {select(2, load(function() local s = d d = nil return s end))}`,
    ),
    `*1\r\n$${reason.length}\r\n${reason}\r\n`,
  )
  t.match(evaluate('\x1bLua'), /^-ERR Error compiling script \(new function\): bytecode is not allowed\r\n$/)
})

/** Each tries to change what the next script sees. */
const CHANGES = [
  'x = 1',
  '_G.x = 1',
  '_G._G = 1',
  'string = nil',
  'string.format = nil',
  'redis.call = nil',
  'cjson.encode = nil',
  'os.clock = nil',
  'coroutine.create = nil',
  `rawset(_G, 'x', 1)`,
  `rawset(string, 'format', 1)`,
  `table.insert(table, 1)`,
  `table.remove(string)`,
  `table.sort(redis)`,
  `setmetatable(_G, nil)`,
  `setmetatable(string, {__index = {}})`,
  `getmetatable('').__index = {}`,
  `rawset(getmetatable(''), '__index', {})`,
  `getmetatable(_G).__index = {}`,
  `getmetatable(_G).__newindex = nil`,
  `KEYS = {}`,
]

for (const change of CHANGES) {
  test(`${change} is refused`, async (t) => {
    const { evaluate } = openBench()
    t.match(
      evaluate(change),
      /^-ERR (?:user_script:1: )?(?:Attempt to modify a readonly table|Script attempted to create)/,
    )
  })
}

test('globals name what is not there and what may not be made', async (t) => {
  const { evaluate } = openBench()
  t.match(
    evaluate('return a'),
    /^-ERR user_script:1: Script attempted to access nonexistent global variable 'a' script: /,
  )
  t.match(evaluate('a = 10'), /^-ERR user_script:1: Script attempted to create global variable 'a' script: /)
  t.match(evaluate('return _G[{}]'), /nonexistent global variable 'table'/)
})

test('tables that cannot be changed can be read, walked and compared', async (t) => {
  const { evaluate } = openBench()
  t.equal(
    evaluate(`local n = 0 for name, f in pairs(string) do n = n + 1 assert(string[name] == f) end return n > 10`),
    ':1\r\n',
  )
  t.equal(
    evaluate(`return {tostring(rawget(redis, 'call') == redis.call), tostring(next(math) ~= nil)}`),
    '*2\r\n$4\r\ntrue\r\n$4\r\ntrue\r\n',
  )
  t.equal(
    evaluate(`return {_G == _G._G, server == redis, getmetatable('').__index == string}`),
    '*3\r\n:1\r\n:1\r\n:1\r\n',
  )
})

test('KEYS and ARGV are new for each script', async (t) => {
  const { evaluate } = openBench()
  t.equal(evaluate(`KEYS[1] = 'changed' ARGV.x = 1 return KEYS[1]`, { keys: ['k'] }), '$7\r\nchanged\r\n')
  t.equal(evaluate('return {KEYS[1], tostring(ARGV.x)}', { keys: ['k'] }), '*2\r\n$1\r\nk\r\n$3\r\nnil\r\n')
})

test('the collector stays as it is', async (t) => {
  const { evaluate, engine } = openBench()
  evaluate(`collectgarbage('stop') collectgarbage('setpause', 100000)`)
  for (let i = 0; i < 100; i++) evaluate(`local t = {} for i = 1, 10000 do t[i] = {} end`)
  t.ok(engine.memoryBytes < 10 * 1024 * 1024)
})

test('a closed engine says so', async (t) => {
  const { engine, evaluate } = openBench()
  engine.close()
  t.throws(() => evaluate('return 1'), /the Lua state is closed/)
})
