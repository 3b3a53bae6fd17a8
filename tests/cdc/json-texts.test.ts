/** The texts of changes: what is written without looking at each row is what is written with it. */
import { test } from 'tap'
import { changeJson } from '../../src/cdc/json-format.js'
import { JsonTexts } from '../../src/cdc/json-texts.js'
import { Reply } from '../../src/protocol/reply.js'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

async function texts(s: TestServer, after: number, ...words: (string | number)[]): Promise<string[]> {
  const client = await s.connect()
  const reply = (await client.value('pollupdates', after, 'max', 1000, 'format', 'json', ...words)) as ReplyValue[]
  client.close()
  return reply[5] as string[]
}

const VALUES = [
  ...['', 'x', 'a"b\\c', 'line\nend', 'ä€𝄞', Buffer.from([0xff, 0x00]), 'y'.repeat(1000), ' ~', '\x7f'],
  ...['{"name":"a b","n":[1,2]}', 'y'.repeat(888), 'y'.repeat(889), '"'.repeat(1024), 'z'.repeat(1025)],
]

test('batches of SETs alone are told as all others are', async (t) => {
  for (const config of [{}, { 'cluster-enabled': true }, { 'use-rsid-psync': true }]) {
    await using s = await startServer({ config })
    if ('cluster-enabled' in config) {
      await s.run('clusterx', 'setnodeid', 'a'.repeat(40))
      await s.run('clusterx', 'setnodes', `${'a'.repeat(40)} 127.0.0.1 ${s.port} master - 0-16383`, 1)
    }
    for (const value of VALUES) {
      await s.run('set', value, 'v')
      await s.run('set', 'k', value)
    }
    await s.run('set', 'k', 'v', 'px', 100_000)
    await s.run('multi')
    for (let i = 0; i < 5; i++) await s.run('set', `k${i}`, i)
    await s.run('exec')
    await s.run('hset', 'h', 'f', 'v')
    await s.run('multi')
    await s.run('set', 'a', 1)
    await s.run('del', 'a')
    await s.run('exec')
    const plain = await texts(s, 0)
    t.ok(plain.length > VALUES.length * 2 + 8)
    t.same(plain, await texts(s, 0, 'match', '*'))
    t.same(plain.slice(VALUES.length * 2 + 3), await texts(s, VALUES.length * 2 + 3), 'from the middle of a batch')
    const pages: string[] = []
    for (let after = 0; after < s.server.store.latestSequence(); ) {
      const page = await texts(s, after, 'bytes', 300)
      t.ok(page.length > 0)
      pages.push(...page)
      after = (JSON.parse(page.at(-1) as string) as { sequence: number }).sequence
      if (pages.length === plain.length) break
    }
    t.same(pages, plain)
    for (const text of plain)
      t.same(Buffer.from(text, 'latin1').toString(), JSON.stringify(JSON.parse(Buffer.from(text, 'latin1').toString())))
  }
})

test('any byte anywhere is written as JSON.stringify writes it', (t) => {
  const written = new JsonTexts()
  const told = (value: Buffer): string => {
    written.drop()
    written.bytes(Buffer.concat([Buffer.from('"'), value, Buffer.from('"')]), 1, 1 + value.length)
    return written.begunText()
  }
  for (const size of [1, 4, 7]) {
    for (let at = 0; at < size; at++) {
      for (let byte = 0; byte < 0x80; byte++) {
        const value = Buffer.alloc(size, 'x')
        value[at] = byte
        const expected = JSON.stringify(value.toString())
        if (told(value) !== expected) t.equal(told(value), expected, `byte ${byte} at ${at} of ${size}`)
      }
    }
  }
  t.equal(told(Buffer.from([0x78, 0x80])), '{"base64":"eIA="}')
  t.equal(told(Buffer.from('xxxé')), '"xxxé"')
  t.end()
})

test('each text is a bulk string after its frame, however long', (t) => {
  const sizes = [2, 3, 99, 100, 101, 998, 999, 1000, 1001, 9999, 10_000, 70_000, 2]
  for (const frame of [Buffer.alloc(0), Buffer.from('*2\r\n$3\r\ncdc\r\n')]) {
    const written = new JsonTexts()
    written.clear(frame)
    for (const [index, size] of sizes.entries()) {
      written.bytes(Buffer.alloc(10, 'dropped'))
      written.drop()
      if (index === 0) written.number(8)
      else written.repeat(written.before, written.before + 1)
      written.bytes(Buffer.alloc(size, 0x41))
      written.end()
    }
    written.bytes(Buffer.from('not ended'))
    const reply = new Reply()
    written.writeTo(reply)
    const expected = sizes.map((size) => {
      const text = `8"${'A'.repeat(size)}"`
      return `${frame.toString()}$${text.length}\r\n${text}\r\n`
    })
    t.ok(reply.written().equals(Buffer.from(expected.join(''))), 'as expected')
    t.equal(written.length, sizes.reduce((sum, size) => sum + size + 3, 0) + '"not ended"'.length)
  }
  t.end()
})

test('a text may be dropped, numbers are exact, and memory grows', (t) => {
  const written = new JsonTexts()
  const numbers = [0, 9, 10, 99, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 1e15, Number.MAX_SAFE_INTEGER, -5]
  for (const number of numbers) {
    written.number(number)
    t.equal(written.begunText(), String(number))
    written.drop()
  }
  t.equal(written.count, 0)
  for (let i = 0; i < 5000; i++) {
    written.bytes(Buffer.from(`text ${i} äöü`))
    written.end()
  }
  t.equal(written.count, 5000)
  written.clear()
  t.equal(written.count + written.length, 0)
  const change = { sequence: 1, batchSequence: 1, namespace: Buffer.from('ns'), type: 'string', op: 'put' as const }
  const old = [Buffer.from('a'), Buffer.from([0xff])]
  t.equal(
    changeJson({ ...change, key: Buffer.from('k'), old, range: [Buffer.from('b'), Buffer.from('c')] }),
    '{"sequence":1,"batch":1,"namespace":"ns","type":"string","key":"k","op":"put","old":["a",{"base64":"/w=="}],"range":["b","c"]}',
  )
  t.end()
})
