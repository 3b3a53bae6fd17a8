/** redis.call and its kin: what reaches the host, and what comes back. */
import { test } from 'tap'
import { openBench } from './support.js'

test('redis.call passes strings as they are and numbers with 17 significant digits', async (t) => {
  const { evaluate, calls } = openBench({})
  evaluate(`redis.pcall('set', 'k', 1, -2.0, 0.1, 1e15, 123456789012345678, 1e17, 1/0, -7.25)`)
  t.same(calls, ['set k 1 -2 0.10000000000000001 1000000000000000 1.2345678901234568e+17 1e+17 inf -7.25'])
})

test('arguments are binary, and may be larger than the shared buffer', async (t) => {
  let given: Buffer[] = []
  const bench = openBench()
  const big = 'x'.repeat(200_000)
  t.equal(bench.evaluate(`redis.pcall('\\0\\255', KEYS[1]) return #KEYS[1]`, { keys: [big] }), ':200000\r\n')
  given = bench.calls.map((call) => Buffer.from(call, 'latin1'))
  t.equal(given[0]?.length, 200_003)
  t.same([...(given[0]?.subarray(0, 3) ?? [])], [0, 255, 0x20])
})

test('a reply larger than the shared buffer arrives whole', async (t) => {
  const { evaluate } = openBench()
  t.equal(evaluate(`return string.rep('y', 300000)`), `$300000\r\n${'y'.repeat(300_000)}\r\n`)
})

test('each kind of reply becomes its Lua value', async (t) => {
  const replies = {
    nested: '*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+OK\r\n',
    map: '%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*0\r\n',
    set: '~2\r\n$1\r\nx\r\n:7\r\n',
    double: ',3.5\r\n',
    infinity: ',-inf\r\n',
    big: '(123456789012345678901234567890\r\n',
    verbatim: '=8\r\ntxt:text\r\n',
    attribute: '|1\r\n+key\r\n:5\r\n:9\r\n',
    yes: '#t\r\n',
    none: '_\r\n',
    array: '*-1\r\n',
  }
  const { evaluate } = openBench(replies)
  t.equal(
    evaluate(`local r = redis.call('nested') return {r[1], r[2][1], tostring(r[2][2]), r[3].ok}`),
    '*4\r\n:1\r\n$1\r\na\r\n$5\r\nfalse\r\n$2\r\nOK\r\n',
  )
  t.equal(evaluate(`local r = redis.call('map').map return {r.a, #r.b}`), '*2\r\n:1\r\n:0\r\n')
  t.equal(
    evaluate(`local r = redis.call('set').set return {tostring(r.x), tostring(r[7]), tostring(r.y)}`),
    '*3\r\n$4\r\ntrue\r\n$4\r\ntrue\r\n$3\r\nnil\r\n',
  )
  t.equal(evaluate(`return tostring(redis.call('double').double)`), '$3\r\n3.5\r\n')
  t.equal(evaluate(`return tostring(redis.call('infinity').double)`), '$4\r\n-inf\r\n')
  t.equal(evaluate(`return redis.call('big').big_number`), '$30\r\n123456789012345678901234567890\r\n')
  t.equal(
    evaluate(`local v = redis.call('verbatim').verbatim_string return {v.format, v.string}`),
    '*2\r\n$3\r\ntxt\r\n$4\r\ntext\r\n',
  )
  t.equal(evaluate(`return redis.call('attribute')`), ':9\r\n')
  t.equal(
    evaluate(`return {tostring(redis.call('yes')), tostring(redis.call('none')), tostring(redis.call('array'))}`),
    '*3\r\n$4\r\ntrue\r\n$3\r\nnil\r\n$5\r\nfalse\r\n',
  )
})

test('RESP3 values go back as RESP3, and in RESP2 as their older forms', async (t) => {
  const replies = {
    map: '%1\r\n$1\r\na\r\n:1\r\n',
    set: '~1\r\n$1\r\nx\r\n',
    verbatim: '=8\r\ntxt:text\r\n',
    big: '(12\r\n',
  }
  const { evaluate } = openBench({ ...replies, double: ',3.5\r\n', yes: '#t\r\n' })
  const both = (script: string) => [evaluate(script, { protocol: 2 }), evaluate(script, { protocol: 3 })]
  t.same(both(`return redis.call('map')`), ['*2\r\n$1\r\na\r\n:1\r\n', '%1\r\n$1\r\na\r\n:1\r\n'])
  t.same(both(`return redis.call('set')`), ['*1\r\n$1\r\nx\r\n', '~1\r\n$1\r\nx\r\n'])
  t.same(both(`return redis.call('verbatim')`), ['$4\r\ntext\r\n', '=8\r\ntxt:text\r\n'])
  t.same(both(`return redis.call('big')`), ['$2\r\n12\r\n', '(12\r\n'])
  t.same(both(`return redis.call('double')`), ['$3\r\n3.5\r\n', ',3.5\r\n'])
  t.same(both(`return redis.call('yes')`), [':1\r\n', ':1\r\n'])
  t.same(both(`redis.setresp(3) return redis.call('yes')`), [':1\r\n', '#t\r\n'])
  t.same(both(`redis.setresp(3) return false`), [':0\r\n', '#f\r\n'])
  t.same(both(`return false`), ['$-1\r\n', '_\r\n'])
})

test('doubles go back in their shortest form', async (t) => {
  const { evaluate } = openBench()
  const cases = {
    '0.1': '0.1',
    '1e20': '1e+20',
    '1234567e3': '1234567000',
    '1.5e300': '1.5e+300',
    '-2.5e-7': '-2.5e-7',
    '1/3': '0.3333333333333333',
  }
  for (const [lua, text] of Object.entries(cases)) {
    t.equal(evaluate(`return {double=${lua}}`, { protocol: 3 }), `,${text}\r\n`)
  }
})

test('redis.setresp chooses what redis.call is answered, and is refused where RESP3 is off', async (t) => {
  const { evaluate } = openBench({ ask: (protocol) => `:${protocol}\r\n` })
  t.equal(evaluate(`local a = redis.call('ask') redis.setresp(3) return {a, redis.call('ask')}`), '*2\r\n:2\r\n:3\r\n')
  t.equal(evaluate(`return redis.call('ask')`), ':2\r\n', 'each script begins with RESP2')
  t.match(
    evaluate(`redis.setresp(3)`, { resp3Allowed: false }),
    /^-ERR You need set resp3-enabled to yes to enable RESP3\. script: /,
  )
})

test('an error of a command stops redis.call with its own text, and redis.pcall returns it', async (t) => {
  const { evaluate } = openBench({ fail: '-WRONGTYPE of value\r\n' })
  t.match(evaluate(`\nredis.call('fail')`), /^-WRONGTYPE of value script: [0-9a-f]{40}, on @user_script:2\.\r\n$/)
  t.equal(evaluate(`return redis.pcall('fail')`), '-WRONGTYPE of value\r\n')
})

test('a refusal of the script names the line before its text', async (t) => {
  const { evaluate } = openBench({ write: '!27\r\nERR Write commands are not \r\n' })
  t.match(evaluate(`redis.call('write')`), /^-ERR user_script:1: Write commands are not {2}script: [0-9a-f]{40}, on/)
  t.equal(evaluate(`return redis.pcall('write').err`), '$27\r\nERR Write commands are not \r\n')
})

test('line breaks cannot leave an error or a status', async (t) => {
  const { evaluate } = openBench()
  t.equal(evaluate(`return redis.error_reply('ERR injected\\r\\n+INJECTED\\r\\n')`), '-ERR injected  +INJECTED\r\n')
  t.equal(evaluate(`return redis.status_reply('a\\r\\nb')`), '+a  b\r\n')
  t.match(evaluate(`error('a\\r\\n+b')`), /^-ERR user_script:1: a {2}\+b script: [^\r\n]*\r\n$/)
})

test('an exception of the host leaves run, whatever the script catches', async (t) => {
  const bench = openBench({
    crash: () => {
      throw new RangeError('bug')
    },
  })
  t.throws(() => bench.evaluate(`pcall(redis.call, 'crash') return 1`), new RangeError('bug'))
  t.equal(bench.evaluate('return 1'), ':1\r\n', 'and the engine goes on')
})

test('a script cannot be run from a script', async (t) => {
  const bench = openBench({ eval: () => bench.evaluate('return 1') })
  t.throws(() => bench.evaluate(`return redis.call('eval')`), /a script is running/)
})

test('redis.acl_check_cmd asks the host', async (t) => {
  const { evaluate } = openBench()
  t.equal(
    evaluate(`return {tostring(redis.acl_check_cmd('get', 'k')), tostring(redis.acl_check_cmd('set', 'k'))}`),
    '*2\r\n$4\r\ntrue\r\n$5\r\nfalse\r\n',
  )
  t.match(evaluate(`redis.acl_check_cmd('nosuch')`), /^-ERR Invalid command passed to redis.acl_check_cmd\(\) script: /)
})

test('redis.log joins its arguments and gives the level', async (t) => {
  const { evaluate, logged } = openBench()
  evaluate(`redis.log(redis.LOG_WARNING, 'a', 1, 'b') redis.log(redis.LOG_DEBUG, '')`)
  t.same(logged, [
    [3, 'a 1 b'],
    [0, ''],
  ])
})
