import { test } from 'tap'
import { followConfig } from '../../src/config/live-rocksdb.js'
import { loadConfig } from '../../src/config/load.js'
import { OptionError } from '../../src/config/option.js'

test('CONFIG SET of a RocksDB setting reaches the database in its own names and units', (t) => {
  const config = loadConfig({ text: 'dir /tmp' })
  const seen: unknown[] = []
  followConfig(config, {
    setDbOptions: (options) => seen.push({ db: options }),
    setColumnFamilyOptions: (options) => seen.push({ cf: options }),
  })
  const cases: readonly (readonly [name: string, value: string, expected: unknown])[] = [
    ['max_total_wal_size', '2', { db: { max_total_wal_size: '2097152' } }],
    ['max_open_files', '-1', { db: { max_open_files: '-1' } }],
    ['write_buffer_size', '8', { cf: { write_buffer_size: '8388608' } }],
    ['disable_auto_compactions', 'yes', { cf: { disable_auto_compactions: 'true' } }],
    ['ttl', '18446744073709551615', { cf: { ttl: '18446744073709551615' } }],
    [
      'periodic_compaction_seconds',
      '18446744073709551615',
      { cf: { periodic_compaction_seconds: '18446744073709551615' } },
    ],
    ['max_compaction_bytes', '1073741824', { cf: { max_compaction_bytes: '1073741824' } }],
    ['enable_blob_files', 'yes', { cf: { enable_blob_files: 'true' } }],
    ['blob_garbage_collection_age_cutoff', '30', { cf: { blob_garbage_collection_age_cutoff: '0.3' } }],
    [
      'compression',
      'lz4',
      {
        cf: {
          compression_per_level:
            'kNoCompression:kNoCompression:kLZ4Compression:kLZ4Compression:kLZ4Compression:kLZ4Compression:kLZ4Compression',
        },
      },
    ],
    [
      'level0_slowdown_writes_trigger',
      '0',
      { cf: { level0_slowdown_writes_trigger: '40', level0_stop_writes_trigger: '40' } },
    ],
    [
      'level0_stop_writes_trigger',
      '50',
      { cf: { level0_slowdown_writes_trigger: '50', level0_stop_writes_trigger: '50' } },
    ],
  ]
  for (const [name, value, expected] of cases) {
    seen.length = 0
    config.set([[`rocksdb.${name}`, value]])
    t.strictSame(seen, [expected], name)
  }
  t.end()
})

test('what RocksDB refuses, CONFIG SET refuses with its reason', (t) => {
  const config = loadConfig({ text: 'dir /tmp' })
  const refuse = (): never => {
    throw new Error('Invalid argument: no such option')
  }
  followConfig(config, { setDbOptions: refuse, setColumnFamilyOptions: refuse })
  const expected = new OptionError(
    "CONFIG SET failed (possibly related to argument 'rocksdb.ttl') - Invalid argument: no such option",
  )
  t.throws(() => config.set([['rocksdb.ttl', '1']]), { message: expected.message, reply: expected.reply })
  t.equal(config.text('rocksdb.ttl'), '18446744073709551614')
  t.end()
})
