/** What decoding reads grows with the rows of an operation, not with their square: counted, not timed. */
import { test } from 'tap'
import { EMPTY, latin1 } from '../../src/bytes/bytes.js'
import { bitmapChange, bitmapLengthChange } from '../../src/cdc/bitmap-rows.js'
import type { KeyFacts, Operation, Row } from '../../src/cdc/operations.js'
import { streamChange } from '../../src/cdc/stream-rows.js'
import { CF_DEFAULT, CF_STREAM } from '../../src/storage/column-family.js'
import { DEFAULT_NAMESPACE, namespacePrefix, parseInternalKey, subkeyPrefix } from '../../src/storage/keys.js'
import { type LogData, parseLogData } from '../../src/storage/log-data.js'
import { freshMetadata, TYPE_BITMAP, TYPE_STREAM } from '../../src/storage/metadata.js'

const VERSION = Buffer.from('0102030405060708', 'hex')
const PREFIX = subkeyPrefix(namespacePrefix(DEFAULT_NAMESPACE), false, latin1('k'), VERSION)
const SEGMENT_BYTES = 1024

/** Rows that count how often their keys and values are read. */
class CountedRows {
  reads = 0
  readonly rows: Row[] = []

  add(kind: Row['kind'], cf: Row['cf'], subKey: Buffer, value: Buffer): void {
    const key = Buffer.concat([PREFIX, subKey])
    const count = <T>(given: T): T => {
      this.reads++
      return given
    }
    this.rows.push({
      kind,
      cf,
      sequence: this.rows.length + 2,
      get key() {
        return count(key)
      },
      get value() {
        return count(value)
      },
    })
  }
}

function operationOf(log: string, rows: Row[]): Operation {
  return { log: parseLogData(latin1(log)) as LogData, logBlob: latin1(log), rows }
}

function parsed(row: Row) {
  return parseInternalKey(row.key, false) as NonNullable<ReturnType<typeof parseInternalKey>>
}

/** A BITOP with `count` segments. Metadata come first, and the last byte is where `endsInZeros` looks for it last. */
function bitmapReads(count: number): { reads: number; fresh: number } {
  const counted = new CountedRows()
  for (let i = 0; i < count; i++) {
    counted.add('put', CF_DEFAULT, latin1(String(i * SEGMENT_BYTES)), Buffer.alloc(SEGMENT_BYTES, 1))
  }
  const metadata = { ...freshMetadata(TYPE_BITMAP, VERSION), size: count * SEGMENT_BYTES }
  const facts: KeyFacts = { metadata, metadataSequence: 1, type: TYPE_BITMAP, puts: counted.rows, removes: [] }
  const operation = operationOf('3 10 OR k a b', counted.rows)
  const base = { namespace: DEFAULT_NAMESPACE, type: 'bitmap', key: latin1('k') }
  if (bitmapLengthChange(base, operation, facts) !== undefined) throw new Error('its end is no zeros')
  const changes = counted.rows.map((row) => bitmapChange(row, parsed(row), operation, facts))
  return { reads: counted.reads, fresh: changes.filter((change) => change?.isFresh === true).length }
}

/** XACK of `count` pending entries, without and with the end of their group. */
function streamReads(count: number, removesGroup: boolean): { reads: number; told: number } {
  const counted = new CountedRows()
  const group = latin1('g')
  const named = (kind: number, ...rest: Buffer[]): Buffer =>
    Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from([kind]), u64(group.length), group, ...rest])
  for (let i = 0; i < count; i++) counted.add('delete', CF_STREAM, named(3, u64(i + 1), u64(0)), EMPTY)
  if (removesGroup) counted.add('delete', CF_STREAM, named(1), EMPTY)
  const facts: KeyFacts = {
    metadata: freshMetadata(TYPE_STREAM, VERSION),
    metadataSequence: count + 9,
    type: TYPE_STREAM,
    puts: [],
    removes: counted.rows,
  }
  const told = counted.rows.filter((row) => streamChange(row, parsed(row), facts) !== 'covered').length
  return { reads: counted.reads, told }
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

test('ten times the segments of a bitmap are ten times the reads', (t) => {
  const [few, many] = [bitmapReads(100), bitmapReads(1000)]
  t.same([few.fresh, many.fresh], [1, 1])
  t.ok(many.reads <= few.reads * 11, `${few.reads} and ${many.reads} reads`)
  t.end()
})

for (const removesGroup of [false, true]) {
  test(`ten times the pending entries are ten times the reads, ${removesGroup ? 'with' : 'without'} their group`, (t) => {
    const [few, many] = [streamReads(100, removesGroup), streamReads(1000, removesGroup)]
    t.same([few.told, many.told], removesGroup ? [1, 1] : [100, 1000])
    t.ok(many.reads <= few.reads * 11, `${few.reads} and ${many.reads} reads`)
    t.end()
  })
}
