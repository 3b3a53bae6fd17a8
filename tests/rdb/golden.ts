import { Crc64 } from '../../src/bytes/crc64.js'

/**
 * Payloads written by hand from the format's descriptions: every object type, and every width and length form inside
 * the blocks. `value` is what describeValue gives; `since` is the first Redis that reads the form.
 */
export type Golden = { name: string; payload: Buffer; value: unknown; since: number }

const SECOND = { firstId: '5-2', maxDeletedId: '5-3', entriesAdded: 4, entriesRead: 2 }

const EXPIRING = [
  ['f', 'v'],
  ['g', 'w', 3000],
]

/** Two producers, of which the first has two entries. */
const IDEMPOTENCE = '3c 4064 02 02 "p1" 02 01 "a" 05 02 01 "b" 05 04 02 "p2" 00 02 01'
const ENTRY_ID = '0000000000000005 0000000000000002'

export const GOLDEN: readonly Golden[] = [
  golden('string as it is', '00 05 "hello"', 'hello'),
  golden('string with a 14-bit length', `00 4041 ${'61'.repeat(65)}`, 'a'.repeat(65)),
  golden('string with a 32-bit length', '00 80 00000003 "abc"', 'abc'),
  golden('string with a 64-bit length', '00 81 0000000000000003 "abc"', 'abc', 4.0),
  golden('string as int8', '00 c0 85', '-123'),
  golden('string as int16', '00 c1 3930', '12345'),
  golden('string as int32', '00 c2 87d61200', '1234567'),
  golden('compressed string', '00 c3 05 0d 00 "a" e0 03 00', 'a'.repeat(13)),
  golden('list', '01 03 01 "a" c0 05 00', ['a', '5', '']),
  golden('set', '02 02 01 "a" 01 "b"', ['a', 'b']),
  golden('zset of scores in text', '03 04 01 "a" 03 "1.5" 01 "b" fe 01 "c" ff 01 "d" 02 "-2"', [
    ['a', 1.5],
    ['b', Number.POSITIVE_INFINITY],
    ['c', Number.NEGATIVE_INFINITY],
    ['d', -2],
  ]),
  golden('hash', '04 01 01 "f" 01 "v"', [['f', 'v']]),
  golden('zset of binary scores', '05 01 01 "a" 000000000000f83f', [['a', 1.5]], 4.0),
  golden('zipmap', block('09', '02 01 "a" 02 00 "bc" 01 "d" 01 03 "e" 000000 ff'), [
    ['a', 'bc'],
    ['d', 'e'],
  ]),
  golden('zipmap with long lengths', block('09', `01 fe 00010000 ${'61'.repeat(256)} 01 00 "v" ff`), [
    ['a'.repeat(256), 'v'],
  ]),
  golden('list as a ziplist', block('0a', ziplist('00 01 "a"', '03 f1', '02 fd', '02 fe80', '03 c0 ff7f')), [
    'a',
    '0',
    '12',
    '-128',
    '32767',
  ]),
  golden(
    'ziplist of wide integers and strings',
    block(
      '0a',
      ziplist(
        '00 d0 ffffff7f',
        '06 e0 ffffffffffffff7f',
        '0a f0 000080',
        `05 4100 ${'61'.repeat(256)}`,
        'fe 03010000 80 00000001 "b"',
      ),
    ),
    ['2147483647', '9223372036854775807', '-8388608', 'a'.repeat(256), 'b'],
  ),
  golden('intset of 2 bytes', block('0b', '02000000 02000000 ffff 0100'), ['-1', '1']),
  golden('intset of 4 bytes', block('0b', '04000000 01000000 70110100'), ['70000']),
  golden('intset of 8 bytes', block('0b', '08000000 01000000 ffffffffffffff7f'), ['9223372036854775807']),
  golden('zset as a ziplist', block('0c', ziplist('00 01 "a"', '03 03 "1.5"', '05 01 "b"', '03 f4')), [
    ['a', 1.5],
    ['b', 3],
  ]),
  golden('hash as a ziplist', block('0d', ziplist('00 01 "f"', '03 01 "v"')), [['f', 'v']]),
  golden('quicklist of ziplists', `0e 02 ${string(ziplist('00 01 "a"'))} ${string(ziplist('00 f2'))}`, ['a', '1'], 3.2),
  golden('hash as a listpack', block('10', listpack('81 "f" 02', '05 01')), [['f', '5']], 7.0),
  golden('zset as a listpack', block('11', listpack('81 "a" 02', '83 "1.5" 04')), [['a', 1.5]], 7.0),
  golden(
    'quicklist of listpacks and plain nodes',
    `12 02 01 02 "ab" 02 ${string(listpack('05 01'))}`,
    ['ab', '5'],
    7.0,
  ),
  golden(
    'listpack of all integer widths',
    `12 01 02 ${string(listpack(...listpackIntegers()))}`,
    listpackValues(),
    7.0,
  ),
  golden(
    'listpack of long strings',
    `12 01 02 ${string(listpack(`e100 ${'61'.repeat(256)} 0282`, `f0 00100000 ${'62'.repeat(4096)} 2085`))}`,
    ['a'.repeat(256), 'b'.repeat(4096)],
    7.0,
  ),
  golden('stream of the first form', `0f 01 ${node()} 02 05 04 01 ${group('')}`, stream({ entriesRead: 2 }), 5.0),
  golden('stream of the second form', `13 01 ${node()} 02 05 04 05 02 05 03 04 01 ${group('02')}`, stream(SECOND), 7.0),
  golden('set as a listpack', block('14', listpack('81 "a" 02', '05 01')), ['5', 'a'], 7.2),
  golden(
    'stream of the third form',
    `15 01 ${node()} 02 05 04 05 02 05 03 04 01 ${group('02', 'd007000000000000')}`,
    stream({ ...SECOND, activeMs: 2000 }),
    7.2,
  ),
  golden(
    'stream of the fourth form',
    `1a 01 ${node()} 02 05 04 05 02 05 03 04 01 ${group('02', 'd007000000000000')} ${IDEMPOTENCE}`,
    stream({ ...SECOND, activeMs: 2000 }),
    8.6,
  ),
  golden(
    'stream of the fifth form',
    `1b 01 ${node()} 02 05 04 05 02 05 03 04 01
      01 "g" 05 04 02 01 ${ENTRY_ID} f401000000000000 02 00 01 ${ENTRY_ID} ${IDEMPOTENCE}`,
    stream({ ...SECOND, handedBack: true }),
    8.8,
  ),
  golden('hash with expiries before the release', '16 02 00 01 "f" 01 "v" 80 00000bb8 01 "g" 01 "w"', EXPIRING, 7.4),
  golden('packed hash with expiries before the release', block('17', packedHash()), EXPIRING, 7.4),
  golden('hash with expiries', '18 b80b000000000000 02 00 01 "f" 01 "v" 01 01 "g" 01 "w"', EXPIRING, 7.4),
  golden('packed hash with expiries', `19 b80b000000000000 ${string(packedHash())}`, EXPIRING, 7.4),
  golden(
    'module value',
    '07 81 45e25238df912c03 05 02 "{}" 01 81 ffffffffffffffff 02 07 03 0000003f 04 000000000000f83f 00',
    {
      type: 'module',
      name: 'ReJSON-RL',
      encodingVersion: 3,
      items: [
        { kind: 'string', value: Buffer.from('{}') },
        { kind: 'signed', value: -1 },
        { kind: 'unsigned', value: 7 },
        { kind: 'float', value: 0.5 },
        { kind: 'double', value: 1.5 },
      ],
    },
    99,
  ),
]

function golden(name: string, text: string, value: unknown, since = 2.6): Golden {
  return { name, payload: seal(bytes(text)), value, since }
}

/** Appends version 10 and the checksum. */
export function seal(body: Buffer, version = 10): Buffer {
  const payload = Buffer.alloc(body.length + 10)
  body.copy(payload)
  payload.writeUInt16LE(version, body.length)
  new Crc64().update(payload, 0, body.length + 2).write(payload, body.length + 2)
  return payload
}

/** Hexadecimal digits and texts in quotes. */
export function bytes(text: string): Buffer {
  const parts = text.match(/"[^"]*"|[\da-f]+/g) ?? []
  return Buffer.concat(
    parts.map((part) => (part[0] === '"' ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, 'hex'))),
  )
}

/** A string with its length in front. */
function string(text: string): string {
  const body = bytes(text)
  return `80 ${be32(body.length)} ${body.toString('hex')}`
}

function block(type: string, text: string): string {
  return `${type} ${string(text)}`
}

function ziplist(...entries: string[]): string {
  const body = entries.map((entry) => bytes(entry).toString('hex'))
  const size = 11 + body.join('').length / 2
  const last = size - 1 - body.at(-1)!.length / 2
  return `${le32(size)} ${le32(last)} ${le32(entries.length).slice(0, 4)} ${body.join(' ')} ff`
}

function listpack(...entries: string[]): string {
  const body = bytes(entries.join(' ')).toString('hex')
  return `${le32(7 + body.length / 2)} ${le32(entries.length).slice(0, 4)} ${body} ff`
}

function listpackIntegers(): string[] {
  const small = ['00 01', '7f 01', 'dfff 02', 'd000 02', 'cfff 02']
  return [...small, 'f1 ff7f 03', 'f2 000080 04', 'f3 ffffff7f 05', 'f4 0000000000000080 09']
}

function listpackValues(): string[] {
  return ['0', '127', '-1', '-4096', '4095', '32767', '-8388608', '2147483647', '-9223372036854775808']
}

/** Three entries, 5-2 to 5-4; the second, 5-3, is deleted, the third has a field of its own. */
function node(): string {
  const master = ['02 01', '01 01', '01 01', '81 "f" 02', '00 01']
  const first = ['02 01', '00 01', '00 01', '81 "a" 02', '04 01']
  const deleted = ['03 01', '00 01', '01 01', '81 "b" 02', '04 01']
  const own = ['00 01', '00 01', '02 01', '01 01', '81 "g" 02', '81 "c" 02', '06 01']
  return `10 0000000000000005 0000000000000002 ${string(listpack(...master, ...first, ...deleted, ...own))}`
}

/** Group g read to the end; entry 5-2 was delivered twice to c, seen at 1000 ms. */
function group(entriesRead: string, activeMs = ''): string {
  const id = ENTRY_ID
  return `01 "g" 05 04 ${entriesRead} 01 ${id} f401000000000000 02 01 01 "c" e803000000000000 ${activeMs} 01 ${id}`
}

function stream(state: Record<string, unknown>): unknown {
  const { entriesRead = 2, activeMs = 1000, handedBack = false, ...rest } = state
  return {
    entries: [
      ['5-2', 'f', 'a'],
      ['5-4', 'g', 'c'],
    ],
    state: {
      lastId: '5-4',
      firstId: '5-2',
      maxDeletedId: '0-0',
      entriesAdded: 2,
      ...rest,
      groups: [
        {
          name: 'g',
          lastId: '5-4',
          entriesRead,
          pending: [['5-2', handedBack ? undefined : 'c', 500, 2]],
          consumers: handedBack ? [] : [['c', 1000, activeMs]],
        },
      ],
    },
  }
}

function packedHash(): string {
  return listpack('81 "f" 02', '81 "v" 02', '00 01', '81 "g" 02', '81 "w" 02', 'f1 b80b 03')
}

function le32(value: number): string {
  const field = Buffer.alloc(4)
  field.writeUInt32LE(value)
  return field.toString('hex')
}

function be32(value: number): string {
  const field = Buffer.alloc(4)
  field.writeUInt32BE(value)
  return field.toString('hex')
}
