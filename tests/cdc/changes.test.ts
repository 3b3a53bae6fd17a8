/** Batches made by hand, as Kvrocks writes them, and what is said of them. */
import { test } from 'tap'
import { EMPTY, latin1 } from '../../src/bytes/bytes.js'
import { changesOf } from '../../src/cdc/changes.js'
import { changeJson } from '../../src/cdc/json-format.js'
import { respCommands } from '../../src/cdc/resp-format.js'
import type { ColumnFamily } from '../../src/storage/column-family.js'
import { DEFAULT_NAMESPACE, namespacePrefix, prefixEnd, subkeyPrefix } from '../../src/storage/keys.js'
import { encodeMetadata, freshHeader, freshMetadata } from '../../src/storage/metadata.js'
import { WriteBatch } from '../../src/storage/write-batch.js'

const PREFIX = namespacePrefix(DEFAULT_NAMESPACE)
const VERSION = Buffer.from('0102030405060708', 'hex')

function nsKey(key: string): Buffer {
  return Buffer.concat([PREFIX, latin1(key)])
}

function rowKey(key: string, subKey: Buffer | string): Buffer {
  return Buffer.concat([
    subkeyPrefix(PREFIX, false, latin1(key), VERSION),
    typeof subKey === 'string' ? latin1(subKey) : subKey,
  ])
}

function metadata(type: number, size: number, tail = EMPTY, expireMs = 0): Buffer {
  return encodeMetadata({ ...freshMetadata(type, VERSION, tail), size, expireMs })
}

function u64(...values: (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8)
  values.forEach((value, i) => void bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), i * 8))
  return bytes
}

class Script {
  readonly #batch = new WriteBatch()

  log(text: string): this {
    this.#batch.logData(latin1(text))
    return this
  }

  put(cf: ColumnFamily, key: Buffer, value: Buffer | string): this {
    this.#batch.put(cf, key, key.length, typeof value === 'string' ? latin1(value) : value)
    return this
  }

  delete(cf: ColumnFamily, key: Buffer): this {
    this.#batch.delete(cf, key, key.length)
    return this
  }

  range(cf: ColumnFamily, begin: Buffer, end: Buffer): this {
    this.#batch.deleteRange(cf, begin, end)
    return this
  }

  bytes(sequence = 100): Buffer {
    const bytes = Buffer.from(this.#batch.serialize())
    bytes.writeUInt32LE(sequence, 0)
    return bytes
  }
}

/** `sequence op type command`, with what else there is. */
function said(script: Script): string[] {
  return changesOf(script.bytes(), false).map((change) => {
    const words = (change.command ?? []).map((word) => word.latin1Slice(0)).join(' ')
    const notes = [change.isFresh ? ' fresh' : '', change.expireMs ? ` expire=${change.expireMs}` : '']
    const value = change.value === undefined ? '' : ` value=${change.value.length}`
    return `${change.sequence} ${change.op} ${change.type} ${words}${value}${notes.join('')}`
  })
}

function inResp(script: Script): string[] {
  return respCommands([script.bytes()], false).flatMap(({ name, commands }) =>
    commands.map((words) => `${name} ${words.map((word) => word.latin1Slice(0)).join(' ')}`),
  )
}

test('a sorted set’s two rows are one change, with the shortest score in JSON and six decimals in RESP', async (t) => {
  const script = new Script()
    .log('5')
    .put(0, rowKey('z', 'm'), Buffer.from('bff3333333333333', 'hex'))
    .put(2, rowKey('z', Buffer.concat([Buffer.from('bff3333333333333', 'hex'), latin1('m')])), '')
    .put(1, nsKey('z'), metadata(5, 9, EMPTY, 1_800_000_000_000))
  t.same(said(script), ['100 put zset ZADD z 1.2 m expire=1800000000000'])
  t.same(inResp(script), ['default ZADD z 1.200000 m'])
})

test('sorted integers are said in JSON alone', async (t) => {
  const script = new Script()
    .log('7')
    .put(0, rowKey('i', u64(42)), '')
    .delete(0, rowKey('i', u64(2n ** 64n - 1n)))
  t.same(said(script), ['100 put sortedint SIADD i 42', '101 remove sortedint SIREM i 18446744073709551615'])
  t.same(inResp(script), [])
})

test('a collection that ends with size 0 and no elements is gone', async (t) => {
  t.same(said(new Script().log('4').put(1, nsKey('s'), metadata(4, 0))), ['100 delete set DEL s'])
})

test('stream entries, groups, consumers and pending entries each have their command', async (t) => {
  const ff = u64(2n ** 64n - 1n)
  const group = Buffer.concat([u64(1), latin1('g')])
  const entry = Buffer.from('0166017605' + '68656c6c6f' + '00', 'hex')
  const tail = u64(5, 1, 5, 1, 0, 0, 5, 1, 5, 1, 1, 1)
  const added = new Script()
    .log('8')
    .put(5, rowKey('x', u64(5, 1)), entry)
    .put(1, nsKey('x'), metadata(8, 1, tail))
  t.same(said(added), ['100 put stream XADD x 5-1 f v hello '])
  t.same(inResp(added), ['default XADD x 5-1 f v hello '])
  const groupKey = rowKey('x', Buffer.concat([ff, Buffer.from([1]), group]))
  const created = new Script()
    .log('8')
    .put(5, groupKey, u64(0, 0, 5, 1, -1n, -1n))
    .put(1, nsKey('x'), metadata(8, 1, tail))
  t.same(said(created), ['100 put stream XGROUP CREATE x g 5-1 MKSTREAM ENTRIESREAD -1'])
  const consumerKey = rowKey('x', Buffer.concat([ff, Buffer.from([2]), group, u64(1), latin1('c')]))
  const pendingKey = rowKey('x', Buffer.concat([ff, Buffer.from([3]), group, u64(5, 1)]))
  const read = new Script()
    .log('8')
    .put(5, consumerKey, u64(1, 7, 7))
    .put(5, pendingKey, Buffer.concat([u64(7, 2, 1), latin1('c')]))
    .put(5, groupKey, u64(1, 1, 5, 1, 1, 0))
  t.same(said(read), [
    '100 put stream XGROUP CREATECONSUMER x g c',
    '101 put stream XCLAIM x g c 0 5-1 TIME 7 RETRYCOUNT 2 FORCE JUSTID',
    '102 put stream XGROUP SETID x g 5-1 ENTRIESREAD 1',
  ])
  const removed = new Script()
    .log('8')
    .delete(5, pendingKey)
    .delete(5, consumerKey)
    .delete(5, groupKey)
    .delete(5, rowKey('x', u64(5, 1)))
  t.same(said(removed), ['102 remove stream XGROUP DESTROY x g', '103 remove stream XDEL x 5-1'])
  t.same(inResp(removed), ['default XDEL x 5-1'])
  const setId = new Script().log('8 XSETID').put(1, nsKey('x'), metadata(8, 1, tail))
  t.same(said(setId), ['100 put stream XSETID x 5-1 ENTRIESADDED 1 MAXDELETEDID 0-0'])
  t.same(inResp(setId), ['default XSETID x 5-1 ENTRIESADDED 1 MAXDELETEDID 0-0'])
})

test('JSON documents are told as text, whether stored as text or CBOR', async (t) => {
  const text = Buffer.concat([freshHeader(10), Buffer.from([0]), latin1('{"a":1}')])
  const cbor = Buffer.concat([
    freshHeader(10, 1_800_000_000_000),
    Buffer.from('01a161618301fb3ff8000000000000f6', 'hex'),
  ])
  const broken = Buffer.concat([freshHeader(10), Buffer.from('01a1', 'hex')])
  const script = new Script().log('10').put(1, nsKey('j'), text).put(1, nsKey('k'), cbor).put(1, nsKey('l'), broken)
  t.same(said(script), [
    '100 put ReJSON-RL JSON.SET j $ {"a":1}',
    '101 put ReJSON-RL JSON.SET k $ {"a":[1,1.5,null]} expire=1800000000000',
    '102 opaque ReJSON-RL  value=11',
  ])
})

test('types without commands of their own are opaque, row by row', async (t) => {
  const script = new Script()
    .log('11')
    .put(0, rowKey('h', '0'), Buffer.alloc(768))
    .put(1, nsKey('h'), metadata(11, 0, Buffer.from([0])))
    .log('9 insert')
    .put(1, nsKey('b'), metadata(9, 1, Buffer.alloc(20)))
    .put(0, rowKey('b', Buffer.from([0, 0])), Buffer.alloc(32))
  t.same(said(script), [
    '100 opaque hyperloglog  value=768',
    '101 opaque hyperloglog  value=26',
    '102 opaque MBbloom--  value=45',
    '103 opaque MBbloom--  value=32',
  ])
})

test('messages, scripts, functions, namespaces, indexes and the replication id are told too', async (t) => {
  const script = new Script()
    .put(3, latin1('news'), 'hello')
    .put(4, latin1(`lua_f_${'a'.repeat(40)}`), 'return 1')
    .put(4, latin1('lua_lib_code_lib'), '#!lua name=lib')
    .delete(4, latin1('lua_lib_code_lib'))
    .put(4, latin1('script'), '*2\r\n$6\r\nSCRIPT\r\n$5\r\nFLUSH\r\n')
    .put(4, latin1('__namespace_keys__'), '{}')
    .put(4, latin1('replication_id_'), 'ABCDEFGHIJKLMNOP')
    .put(6, Buffer.concat([PREFIX, Buffer.from([0]), latin1('idx')]), 'x')
    .range(4, latin1('lua_f_'), latin1('lua_f`'))
    .log('r ABCDEFGHIJKLMNOP')
  t.same(said(script), [
    '100 publish pubsub PUBLISH news hello',
    '101 put script SCRIPT LOAD return 1',
    '102 put function FUNCTION LOAD REPLACE #!lua name=lib',
    '103 delete function FUNCTION DELETE lib',
    '104 invalidate script SCRIPT FLUSH',
    '105 opaque namespace  value=2',
    '106 opaque replication  value=16',
    '107 opaque search  value=1',
    '108 invalidate script SCRIPT FLUSH',
  ])
  t.ok(changesOf(script.bytes(), false).every(({ replicationId }) => replicationId === 'ABCDEFGHIJKLMNOP'))
})

test('ranges are invalidations: of a namespace, of all, of a slot', async (t) => {
  const flushDb = new Script().range(1, PREFIX, prefixEnd(PREFIX) as Buffer)
  t.same(said(flushDb), ['100 invalidate keyspace FLUSHDB'])
  const flushAll = new Script().range(1, nsKey('a'), prefixEnd(nsKey('z')) as Buffer)
  t.same(said(flushAll), ['100 invalidate keyspace FLUSHALL'])
  const slot = new Script().range(
    1,
    Buffer.concat([PREFIX, Buffer.from([0, 5])]),
    Buffer.concat([PREFIX, Buffer.from([0, 6])]),
  )
  const [change] = changesOf(slot.bytes(), true)
  t.same([change?.op, change?.command, change?.range?.[0].subarray(-2)], ['invalidate', undefined, Buffer.from([0, 5])])
})

test('rows and batches that make no sense are unknown, and what stands before them is told', async (t) => {
  const script = new Script()
    .log('1')
    .put(1, nsKey('a'), Buffer.concat([freshHeader(1), latin1('1')]))
    .put(1, nsKey('b'), 'x')
    .put(0, latin1('y'), 'z')
  t.same(said(script), ['100 put string SET a 1', '101 unknown none  value=1', '102 unknown none  value=1'])
  const whole = script.bytes()
  const cut = changesOf(whole.subarray(0, whole.length - 1), false)
  t.same(
    cut.map(({ op, sequence }) => [op, sequence]),
    [
      ['put', 100],
      ['unknown', 101],
      ['unknown', 102],
    ],
  )
  t.same(cut[2]?.value?.length, whole.length - 1)
  t.same(
    changesOf(Buffer.alloc(3), false).map(({ op }) => op),
    ['unknown'],
  )
})

test('the JSON of a change escapes text and gives bytes in base64', async (t) => {
  const script = new Script().log('1').put(1, nsKey('a"\\\n'), Buffer.concat([freshHeader(1), Buffer.from([0x80])]))
  const [change] = changesOf(script.bytes(), false)
  t.equal(
    change && changeJson(change),
    '{"sequence":100,"batch":100,"namespace":"default","type":"string","key":"a\\"\\\\\\n","op":"put","command":["SET","a\\"\\\\\\n",{"base64":"gA=="}]}',
  )
})
