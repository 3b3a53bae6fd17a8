import { test } from 'tap'
import { followConfig } from '../../src/config/live-rocksdb.js'
import { loadConfig } from '../../src/config/load.js'
import { OptionError } from '../../src/config/option.js'
import { UNLIMITED_BYTES_PER_SECOND } from '../../src/rocksdb/open-options.js'

test('CONFIG SET of a RocksDB setting reaches the database in its own names and units', (t) => {
  const config = loadConfig({ text: 'dir /tmp' })
  const seen: unknown[] = []
  followConfig(config, {
    setDbOptions: (options) => seen.push({ db: options }),
    setColumnFamilyOptions: (options) => seen.push({ cf: options }),
    setWriteRate: (bytes) => seen.push({ writes: bytes }),
    setDeleteRate: (bytes) => seen.push({ deletions: bytes }),
  })
  const cases: readonly (readonly [name: string, value: string, expected: unknown])[] = [
    ['max_total_wal_size', '2', { db: { max_total_wal_size: '2097152' } }],
    ['delayed_write_rate', '1000', { db: { delayed_write_rate: '1000' } }],
    ['delayed_write_rate', '0', { db: { delayed_write_rate: String(UNLIMITED_BYTES_PER_SECOND / 2) } }],
    ['max_open_files', '-1', { db: { max_open_files: '-1' } }],
    ['write_buffer_size', '8', { cf: { write_buffer_size: '8388608', arena_block_size: '1048576' } }],
    ['disable_auto_compactions', 'yes', { cf: { disable_auto_compactions: 'true' } }],
    ['ttl', '18446744073709551615', { cf: { ttl: '18446744073709551615' } }],
    [
      'periodic_compaction_seconds',
      '18446744073709551615',
      { cf: { periodic_compaction_seconds: '18446744073709551615' } },
    ],
    [
      'max_compaction_bytes',
      '1073741824',
      { cf: { target_file_size_base: '134217728', max_compaction_bytes: '1073741824' } },
    ],
    // RocksDB takes 0 literally while it is open, and would end an output at each file of the level below.
    ['max_compaction_bytes', '0', { cf: { target_file_size_base: '134217728', max_compaction_bytes: '3355443200' } }],
    ['ttl', '18446744073709551614', { cf: { ttl: '2592000' } }],
    ['sst_file_delete_rate_bytes_per_sec', '1000', { deletions: 1000 }],
    ['enable_blob_files', 'yes', { cf: { enable_blob_files: 'true' } }],
    ['blob_garbage_collection_age_cutoff', '30', { cf: { blob_garbage_collection_age_cutoff: '0.3' } }],
    [
      'compression',
      'lz4',
      {
        cf: {
          compression_per_level:
            'kNoCompression:kNoCompression:kLZ4Compression:kLZ4Compression:kLZ4Compression:kLZ4Compression:kLZ4Compression',
          blob_compression_type: 'kLZ4Compression',
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
  seen.length = 0
  config.set([['max-io-mb', '10']])
  config.set([['max-io-mb', '0']])
  t.strictSame(seen, [{ writes: 10_485_760 }, { writes: UNLIMITED_BYTES_PER_SECOND }])
  t.end()
})

test('what RocksDB refuses, CONFIG SET refuses with its reason', (t) => {
  const config = loadConfig({ text: 'dir /tmp' })
  const refuse = (): never => {
    throw new Error('Invalid argument: no such option')
  }
  followConfig(config, {
    setDbOptions: refuse,
    setColumnFamilyOptions: refuse,
    setWriteRate: refuse,
    setDeleteRate: refuse,
  })
  const expected = new OptionError(
    "CONFIG SET failed (possibly related to argument 'rocksdb.ttl') - Invalid argument: no such option",
  )
  t.throws(() => config.set([['rocksdb.ttl', '1']]), { message: expected.message, reply: expected.reply })
  t.equal(config.text('rocksdb.ttl'), '18446744073709551614')
  t.end()
})
