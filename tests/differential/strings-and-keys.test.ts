import fc from 'fast-check'
import { test } from 'tap'
import {
  commandOf,
  compareSequences,
  optionsOf,
  someKey,
  someNumber,
  someValue,
  type Words,
} from '../support/random-sequences.js'
import { REDIS_MISSING } from '../support/redis-server.js'
import * as differences from './differences.js'

/** Times that are over, far, wrong, or at least so long that no key expires during the test. */
const someSeconds = fc.constantFrom(
  '100',
  '1000',
  '5000',
  '0',
  '-1',
  'x',
  '9223372036854775807',
  '-9223372036854775807',
)
const someMs = fc.constantFrom('200000', '7000000', '0', '-1', 'x', '9223372036854775807', '9223372036854770000')
const someUnixSeconds = fc.constantFrom('1', '0', '-1', '4000000000', '9999999999', '9223372036854776')
const someUnixMs = fc.constantFrom('1', '0', '4000000000000', '9223372036854775807')

function option(word: string, value: fc.Arbitrary<string | Buffer>): fc.Arbitrary<Words> {
  return value.map((text) => [word, text])
}

const expiries = [
  option('EX', someSeconds),
  option('px', someMs),
  option('EXAT', someUnixSeconds),
  option('PXAT', someUnixMs),
] as const

const strings: fc.Arbitrary<Words>[] = [
  commandOf('set', someKey, someValue, optionsOf('nx', 'XX', 'get', 'keepttl', 'foo', ...expiries)),
  commandOf('set', someKey, someValue),
  commandOf('get', someKey),
  commandOf('getex', someKey, optionsOf('persist', ...expiries)),
  commandOf('getset', someKey, someValue),
  commandOf('getdel', someKey),
  commandOf('mget', someKey, someKey, someKey),
  commandOf('mset', someKey, someValue, someKey, someValue),
  commandOf('msetnx', someKey, someValue, someKey, someValue),
  commandOf('setnx', someKey, someValue),
  commandOf('setex', someKey, someSeconds, someValue),
  commandOf('psetex', someKey, someMs, someValue),
  commandOf('append', someKey, someValue),
  commandOf('strlen', someKey),
  commandOf('setrange', someKey, fc.oneof(someNumber, fc.constantFrom('1000', '536870912')), someValue),
  commandOf('getrange', someKey, someNumber, someNumber),
  commandOf('substr', someKey, someNumber, someNumber),
  commandOf('incr', someKey),
  commandOf('decr', someKey),
  commandOf('incrby', someKey, someNumber),
  commandOf('decrby', someKey, someNumber),
  commandOf('incrbyfloat', someKey, someValue),
  commandOf('lcs', someKey, someKey, optionsOf('len', 'idx', 'withmatchlen', option('minmatchlen', someNumber))),
]

const keys: fc.Arbitrary<Words>[] = [
  commandOf('del', someKey, someKey),
  commandOf('unlink', someKey),
  commandOf('exists', someKey, someKey),
  commandOf('touch', someKey, someKey),
  commandOf('type', someKey),
  commandOf('rename', someKey, someKey),
  commandOf('renamenx', someKey, someKey),
  commandOf('copy', someKey, someKey, optionsOf('replace', ['db', '0'], 'foo')),
  commandOf('expire', someKey, someSeconds, optionsOf('nx', 'xx', 'gt', 'lt', 'foo')),
  commandOf('pexpire', someKey, someMs, optionsOf('nx', 'xx', 'gt', 'lt')),
  commandOf('expireat', someKey, someUnixSeconds, optionsOf('nx', 'xx', 'gt', 'lt')),
  commandOf('pexpireat', someKey, someUnixMs, optionsOf('nx', 'xx', 'gt', 'lt')),
  commandOf('persist', someKey),
  commandOf('ttl', someKey),
  commandOf('pttl', someKey),
  commandOf('expiretime', someKey),
  commandOf('pexpiretime', someKey),
  commandOf('keys', fc.constantFrom('*', 'key:*', '?', '[ab]', 'a', '*1', '', '[^a]', 'key\\:1')),
  commandOf('dbsize'),
  commandOf('randomkey'),
  commandOf('object', fc.constantFrom('encoding', 'refcount', 'idletime', 'freq'), someKey),
]

/** Keys of other types, for commands to refuse. */
const others: fc.Arbitrary<Words>[] = [
  commandOf('sadd', someKey, someValue),
  commandOf('hset', someKey, someValue, someValue),
  commandOf('rpush', someKey, someValue, someValue),
  commandOf('zadd', someKey, fc.constantFrom('1', '2.5'), someValue),
]

const patterns = fc.constantFrom('w*', 'w*->f', 'nosort', '#', 'w*->', '*', 'h*->f')
const direction = fc.constantFrom<Words>([], ['asc'], ['desc'], ['DESC', 'alpha'], ['alpha'])
const sorted = fc.constantFrom('list', 'set', 'zset', 'a', 'none')
const element = fc.constantFrom('1', '2', '3', '10', '-1', '1.5', 'x', '')

/** Collections, and the keys that patterns name. */
const sorts: fc.Arbitrary<Words>[] = [
  commandOf('rpush', fc.constant('list'), element, element),
  commandOf('sadd', fc.constant('set'), element, element),
  commandOf('zadd', fc.constant('zset'), fc.constantFrom('1', '2', '3', '4'), element),
  commandOf('set', fc.constantFrom('w1', 'w2', 'w3', 'w10'), fc.constantFrom('5', '4', '3.5', '', 'text')),
  commandOf('hset', fc.constantFrom('w1', 'h2', 'h3', 'h10'), fc.constantFrom('f', 'g'), fc.constantFrom('7', '6')),
  commandOf(
    'sort',
    sorted,
    direction,
    optionsOf(option('by', patterns), option('get', patterns), ['limit', '1', '2'], ['limit', '-1', '-1'], ['foo']),
  ),
  commandOf('sort', sorted, direction, fc.constantFrom<Words>(['store', 'list'], ['by', 'nosort', 'store', 'a'])),
  commandOf(
    'sort_ro',
    sorted,
    direction,
    fc.constantFrom<Words>([], ['store', 'a'], ['limit', 'x', '1'], ['limit', '0']),
  ),
  commandOf('lrange', fc.constantFrom('list', 'a'), fc.constant('0'), fc.constant('-1')),
]

const command = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(...strings) },
  { weight: 5, arbitrary: fc.oneof(...keys) },
  { weight: 1, arbitrary: fc.oneof(...others) },
  { weight: 3, arbitrary: fc.oneof(...sorts) },
)

const inspect: Words[] = ['a', 'b', 'c', 'key:1', ''].flatMap((key) => [
  ['type', key],
  ['get', key],
  ['ttl', key],
])

for (const protocol of [2, 3] as const) {
  test(`strings and keys answer as redis-server does, RESP${protocol}`, {
    skip: REDIS_MISSING,
    timeout: 600_000,
  }, async () => {
    await compareSequences({
      command,
      inspect,
      differences: Object.values(differences),
      sequences: Number(process.env['SEQUENCES'] ?? 150),
      protocol,
    })
  })
}
