/** Every command and option that Redis tells of in COMMAND DOCS, by chance, plainly, over RESP3 and in scripts. */

import { test } from 'tap'
import { type Filler, makerOf, readSyntaxes, type Syntax } from '../support/command-grammar.js'
import { type Choose, type CommandMaker, compareWithRedis } from '../support/differential.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import type { Word } from '../support/server.js'

const RUNS = Number(process.env['RUNS'] ?? 1000)

/** Keys of each family, in the order in which they should meet: its own mostly, some of others, one that is not there. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  string: ['text', 'number', 's1', 's2', 's1', 'text', 'list', 'none'],
  hash: ['hash', 'hash', 'h1', 'text', 'none'],
  list: ['list', 'list', 'l1', 'l1', 'l2', 'set', 'none'],
  set: ['set', 'set', 'm1', 'm1', 'm2', 'text', 'none'],
  'sorted-set': ['zset', 'zset', 'z1', 'z1', 'z2', 'list', 'none'],
  stream: ['stream', 'stream', 'stream', 'x1', 'hash', 'none'],
  bitmap: ['bits', 'bits', 'b1', 'b2', 'set', 'none'],
  hyperloglog: ['p1', 'p2', 'p3', 'zset', 'p4'],
}
const BEFORE: readonly (readonly Word[])[] = [
  ['set', 'text', 'hello world'],
  ['set', 'number', 10],
  ['hset', 'hash', 'a', 1, 'b', '2.5', 'c', 'x'],
  ['rpush', 'list', 'a', 'b', 'c', 'a', '1'],
  ['sadd', 'set', 'a', 'b', 'c', '1', '2'],
  ['zadd', 'zset', 1, 'a', 2, 'b', 3, 'c', 3, 'd'],
  ['zadd', 'lex', 0, 'a', 0, 'b', 0, 'c', 0, 'd'],
  ['xadd', 'stream', '1-1', 'a', '1'],
  ['xadd', 'stream', '2-1', 'b', '2'],
  ['xgroup', 'create', 'stream', 'g', '0'],
  ['setbit', 'bits', 7, 1],
  ['pfadd', 'p1', 'a', 'b'],
]

const MEMBERS = ['a', 'b', 'c', 'd', 'e', '', '1', '2', '10', '-1', '3.5', 'x y', '\u00e9']
const NUMBERS = [0, 1, 1, 2, 3, 5, 10, -1, -2, -5, 100, 'x', '', '1.5']
const SCORES = [0, 1, 2, 3, 5, -1, 10, 'inf', '-inf', 'x']
const BOUNDS = ['-inf', '+inf', '1', '(1', '3', '(3', '0', '5', 'x']
const LEX_BOUNDS = ['-', '+', '[a', '(a', '[c', '(c', 'x']
const IDS = ['0', '0-0', '0-1', '1', '1-1', '1-2', '2', '2-1', '5', '5-5', '10-1', '$', '>', 'x', '1-']

/** Words by the argument's name, of all families or of one: the first that fits. */
const WORDS: readonly { readonly name: RegExp; readonly group?: string; readonly words: readonly Word[] }[] = [
  { name: /timeout/, words: ['0.01', '0.01', '-1', 'x'] },
  {
    name: /^(?:unix-time-)?seconds|^milliseconds$|^unix-time-milliseconds$/,
    group: 'string',
    words: [4e12, 4e9, 0, 'x'],
  },
  { name: /^group/, group: 'stream', words: ['g', 'g', 'h', 'none'] },
  { name: /consumer/, group: 'stream', words: ['c', 'd'] },
  { name: /^start$|^end$/, group: 'stream', words: ['-', '+', '(1-1', '(2', ...IDS] },
  { name: /^milliseconds$/, group: 'stream', words: [1, 2, -1, 'x'] },
  { name: /idle|time/, group: 'stream', words: [0, 0, 100, -1, 'x'] },
  { name: /id|threshold/i, group: 'stream', words: IDS },
  { name: /^(?:min|max|start|stop)$/, group: 'sorted-set', words: BOUNDS },
  { name: /encoding/, words: ['u8', 'i8', 'u1', 'i64', 'u63', 'u64', 'i16', 'u5', 'x', 'i0'] },
  { name: /offset/, group: 'bitmap', words: [0, 1, 7, 8, 100, '#0', '#1', -1, 'x'] },
  { name: /operation/, words: ['and', 'or', 'xor', 'not', 'x'] },
  { name: /bit/, group: 'bitmap', words: [0, 1, 1, 2, 'x'] },
]
const TYPES: Readonly<Record<string, readonly Word[]>> = { integer: NUMBERS, double: SCORES }

const fill: Filler = (choose, { name, type }, { words, group }) => {
  if (type === 'key') return choose(isLexical(words) ? ['lex', 'lex', 'text', 'none'] : (KEYS[group] as []))
  if (isLexical(words) && /^(?:min|max)$/.test(name)) return choose(LEX_BOUNDS)
  const named = WORDS.find((one) => one.name.test(name) && (one.group ?? group) === group)
  return choose(named?.words ?? TYPES[type] ?? MEMBERS)
}

/** Where scores differ, Redis does not say what a range of members is. */
function isLexical(words: readonly Word[]): boolean {
  return words.some((word) => /lex/i.test(String(word)))
}

/** What is left out, and why. */
const LEFT_OUT: readonly { readonly reason: string; matches(words: readonly Word[]): boolean }[] = [
  { reason: 'members taken by chance', matches: ([name]) => /rand|spop/.test(String(name)) },
  { reason: 'cursors and pages are the server\u2019s own', matches: ([name]) => /scan$/.test(String(name)) },
  { reason: 'the words of help', matches: (w) => w[1] === 'help' },
  { reason: 'XLEN from an id on, as in Kvrocks', matches: (w) => w[0] === 'xlen' && w.length > 2 },
  { reason: 'Redis looks into itself', matches: ([name]) => /^pf(?:debug|selftest)$/.test(String(name)) },
  {
    reason: 'PFADD without elements makes no key, as Kvrocks\u2019s tests ask',
    matches: (w) => w[0] === 'pfadd' && w.length < 3,
  },
  {
    reason: 'times, sizes of trees, and what only Kvrocks keeps',
    matches: ([name]) => /^x(?:info|setid)$/.test(String(name)),
  },
  { reason: 'the list of XPENDING tells times', matches: (w) => w[0] === 'xpending' && w.length > 3 },
  { reason: 'ids by the clock', matches: (w) => w[0] === 'xadd' && w.includes('*') },
  {
    reason: 'trims that are nearly right are exact here',
    matches: (w) => /^x(?:add|trim)$/.test(String(w[0])) && w.includes('~'),
  },
  { reason: 'ranges of members by a sorted set\u2019s scores', matches: (w) => isLexical(w) && !w.includes('lex') },
  { reason: 'scores that are equal only here', matches: (w) => w[0] === 'zadd' && w.includes('lex') },
]

/** Waits: within scripts Redis 7.0 refuses them, and Redis 8 does not wait, as here. */
const WAITS = /^(?:b[lrz].*|xread|xreadgroup)$/

const UNORDERED = /^(?:smembers|sinter|sunion|sdiff|hgetall|hkeys|hvals)$/
const NOTHING = /^(?::0|:-1|[*~%]0|\$-1|\*-1|_)\r\n/

/**
 * Refusals are compared as such, their texts are in the tests of the families. Arguments are checked before the key is
 * looked up, so that MULTI can refuse them: Redis may find nothing there first. A claim of nothing makes its consumer, as
 * since Redis 7.2.
 */
function known(ours: string, redis: string, words: readonly Word[]): string {
  if (ours.startsWith('-') && (redis.startsWith('-') || NOTHING.test(redis))) return redis
  if (words.includes('createconsumer') && /^:[01]/.test(redis)) return redis
  const isSame = words.some((word) => UNORDERED.test(String(word))) && sortedLines(ours) === sortedLines(redis)
  return isSame ? redis : ours
}

function sortedLines(reply: string): string {
  return reply.split('\r\n').sort().join('\n')
}

async function makers(): Promise<CommandMaker[]> {
  const redis = await startRedisServer()
  const syntaxes = readSyntaxes(await redis.client.call('command', 'docs')).filter(({ group }) => group in KEYS)
  await redis.stop()
  return syntaxes.filter((one) => !LEFT_OUT.some(({ matches }) => matches(one.words))).map((one) => made(one))
}

/** A command that is not left out. */
function made(syntax: Syntax): CommandMaker {
  const make = makerOf(syntax, fill)
  return (choose: Choose) => {
    for (;;) {
      const words = make(choose)
      if (!LEFT_OUT.some(({ matches }) => matches(words))) return words
    }
  }
}

const WAYS: readonly { readonly name: string; readonly protocol: 2 | 3; readonly inScripts: boolean }[] = [
  { name: 'RESP2', protocol: 2, inScripts: false },
  { name: 'RESP3', protocol: 3, inScripts: false },
  { name: 'in scripts', protocol: 2, inScripts: true },
]

for (const { name, protocol, inScripts } of WAYS) {
  test(`what Redis documents answers as Redis does, ${name}`, { skip: REDIS_MISSING, timeout: 600_000 }, async (t) => {
    const plain = await makers()
    const inScript: CommandMaker = (choose) => {
      const words = choose(plain)(choose)
      return WAITS.test(String(words[0])) ? ['ping'] : ['eval', 'return redis.pcall(unpack(ARGV))', 0, ...words]
    }
    const all = inScripts ? [inScript] : plain
    t.ok(plain.length > 100, 'the vocabulary is that of Redis')
    t.same(
      await compareWithRedis({ protocol, runs: RUNS, before: BEFORE, makers: all, known, restarts: true }),
      undefined,
    )
  })
}
