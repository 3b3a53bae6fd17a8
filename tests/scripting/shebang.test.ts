import { test } from 'tap'
import { ReplyError } from '../../src/protocol/errors.js'
import { ALLOW_STALE, flagNames, NO_CLUSTER, NO_WRITES } from '../../src/scripting/flags.js'
import { readLibraryHead, readScriptHead } from '../../src/scripting/shebang.js'
import { openBench } from './support.js'

function errorOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof ReplyError) return error.text
    throw error
  }
  return 'no error'
}

test('a script without a first line of its own is legacy', async (t) => {
  t.same(readScriptHead(Buffer.from('return 1')), { flags: 0, isLegacy: true, codeOffset: 0 })
})

test('the first line of a script gives its flags', async (t) => {
  const head = readScriptHead(Buffer.from('#!lua flags=no-writes,allow-stale\nreturn 1'))
  t.same(head, { flags: NO_WRITES | ALLOW_STALE, isLegacy: false, codeOffset: 33 })
  t.same(readScriptHead(Buffer.from('#!lua\nx')), { flags: 0, isLegacy: false, codeOffset: 5 })
  t.same(flagNames(NO_CLUSTER | NO_WRITES), ['no-writes', 'no-cluster'])
})

test('a wrong first line of a script is refused', async (t) => {
  const cases = {
    '#!lua': 'ERR Invalid script shebang',
    '#!lua name=mylib\n': 'ERR Unknown lua shebang option: name=mylib',
    '#!lua flags=no-writes name=mylib\n': 'ERR Unknown lua shebang option: name=mylib',
    '#!lua flags=invalid-flag\n': 'ERR Unknown flag given: invalid-flag',
    '#!lua flags=no-writes flags=no-cluster\n': 'ERR Redundant flags in script shebang',
    '#!errorengine flags=no-writes\n': 'ERR Unexpected engine in script shebang: errorengine',
    '#!luaflags=no-writes\n': 'ERR Unexpected engine in script shebang: luaflags=no-writes',
  }
  for (const [line, text] of Object.entries(cases))
    t.equal(
      errorOf(() => readScriptHead(Buffer.from(line))),
      text,
    )
})

test('the first line of a library gives its name', async (t) => {
  t.same(readLibraryHead(Buffer.from('#!lua name=my_lib1\ncode')), { name: 'my_lib1', codeOffset: 18 })
})

test('a wrong first line of a library is refused', async (t) => {
  const names =
    'ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long'
  const cases = {
    'return 1': 'ERR Missing library metadata',
    '#!lua name=a': 'ERR Invalid library metadata',
    '#!lua\n': 'ERR Library name was not given',
    '#!lua name=\n': names,
    '#!lua name=$$$\n': names,
    '#!lua name=a name=b\n': 'ERR Redundant library name in script shebang',
    '#!lua name=a flags=no-writes\n': 'ERR Unknown lua shebang option: flags=no-writes',
    '#!other name=a\n': 'ERR Unexpected engine in script shebang: other',
  }
  for (const [line, text] of Object.entries(cases))
    t.equal(
      errorOf(() => readLibraryHead(Buffer.from(line))),
      text,
    )
})

test('lines are counted from the first line', async (t) => {
  const { evaluate } = openBench()
  t.match(evaluate(`#!lua\n\nerror('x')`), /^-ERR user_script:3: x script: [0-9a-f]{40}, on @user_script:3\.\r\n$/)
})
