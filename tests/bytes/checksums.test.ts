import fc from 'fast-check'
import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import { crc16, keySlot } from '../../src/bytes/crc16.js'
import { crc32c } from '../../src/bytes/crc32c.js'
import { Crc64, crc64 } from '../../src/bytes/crc64.js'
import { readVarint32, varint32Size, writeVarint32 } from '../../src/bytes/varint.js'
import '../support/seed.js'

const CHECK = latin1('123456789')

test('crc16 is XModem', async (t) => {
  t.equal(crc16(CHECK), 0x31c3)
  t.equal(crc16(latin1('')), 0)
})

test('keySlot hashes the tag in braces, or the whole key without one', async (t) => {
  t.equal(keySlot(latin1('foo')), 12182)
  t.equal(keySlot(latin1('{user1000}.following')), keySlot(latin1('user1000')))
  t.equal(keySlot(latin1('foo{}{bar}')), 8363)
  t.equal(keySlot(latin1('foo{{bar}}zap')), keySlot(latin1('{bar')))
  t.equal(keySlot(latin1('foo{bar}{zap}')), keySlot(latin1('bar')))
  t.equal(keySlot(latin1('a{b')), crc16(latin1('a{b')) & 16383)
  t.equal(keySlot(latin1('}a{b}')), keySlot(latin1('b')))
})

test('crc32c is that of RFC 3720, in one go and in chunks', (t) => {
  t.equal(crc32c(CHECK), 0xe3069283)
  t.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  t.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  t.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index))), 0x46dd794e)
  t.equal(crc32c(latin1('')), 0)
  for (let cut = 0; cut <= CHECK.length; cut++) {
    t.equal(crc32c(CHECK.subarray(cut), crc32c(CHECK.subarray(0, cut))), 0xe3069283)
  }
  t.end()
})

test('crc64 is that of Redis', async (t) => {
  t.equal(crc64(CHECK), 0xe9c6d914c4b8d9can)
  const dumped = latin1('\x00\x31This is a test of the emergency broadcast system.\x0a\x00') // by redis-server 7.0
  t.equal(crc64(dumped), 0x3ea9b6401b0e878bn)
})

test('crc64 in chunks equals crc64 in one go, and can be written and compared', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const running = new Crc64()
        .update(bytes, 0, Math.min(cut, bytes.length))
        .update(bytes, Math.min(cut, bytes.length))
      const written = Buffer.alloc(9)
      running.write(written, 1)
      const same = written.readBigUInt64LE(1) === crc64(bytes) && running.matches(written, 1)
      written[8] = ~written[8]!
      return same && !running.matches(written, 1)
    }),
  )
})

test('varints round trip and know their size', async () => {
  const target = Buffer.alloc(10)
  fc.assert(
    fc.property(fc.oneof(fc.nat(300), fc.nat({ max: 0xffff_ffff })), (value) => {
      const end = writeVarint32(target, 0, value)
      const cursor = { at: 0 }
      return end === varint32Size(value) && readVarint32(target, cursor) === value && cursor.at === end
    }),
  )
})

test('varints that are cut off or too long are refused and leave the cursor', async (t) => {
  for (const hex of ['', '80', 'ffffffff', 'ffffffffff01', 'ffffffff1f', '8080808080']) {
    const cursor = { at: 0 }
    t.equal(readVarint32(Buffer.from(hex, 'hex'), cursor), undefined, hex)
    t.equal(cursor.at, 0)
  }
})
