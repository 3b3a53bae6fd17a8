import { test } from 'tap'
import { OptionError } from '../../src/config/option.js'
import { anyOption, OPTIONS, type OptionName } from '../../src/config/options.js'

const read = (name: OptionName, text: string): string => {
  const option = anyOption(name)
  return option.format(option.parse(text, option.default))
}

const refusal = (name: OptionName, text: string): { message: string; reply: string } => {
  try {
    return { message: `accepted as ${read(name, text)}`, reply: '' }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return { message: error.message, reply: error.reply }
  }
}

test('every default is accepted and printed as itself', (t) => {
  for (const [name, option] of Object.entries(OPTIONS)) {
    const printed = anyOption(name as OptionName).format(option.default)
    if (!option.multiple) t.equal(read(name as OptionName, printed), printed, name)
  }
  t.end()
})

test('integers take the bases of C and refuse everything else', (t) => {
  t.equal(read('timeout', '0x10'), '16')
  t.equal(read('timeout', '010'), '8')
  t.equal(read('timeout', ' +7'), '7')
  t.equal(read('slowlog-log-slower-than', '-1'), '-1')
  const notAnInteger = "argument couldn't be parsed into an integer"
  t.strictSame(refusal('timeout', 'x'), { message: 'not started as an integer', reply: notAnInteger })
  t.strictSame(refusal('timeout', ''), { message: 'not started as an integer', reply: notAnInteger })
  t.strictSame(refusal('timeout', '1x'), { message: 'encounter non-integer characters', reply: notAnInteger })
  t.strictSame(refusal('timeout', '08'), { message: 'encounter non-integer characters', reply: notAnInteger })
  t.strictSame(refusal('timeout', '0x'), { message: 'encounter non-integer characters', reply: notAnInteger })
  const range = 'argument must be between 0 and 2147483647 inclusive'
  t.strictSame(refusal('timeout', '2147483648'), { message: 'out of numeric range', reply: range })
  t.strictSame(refusal('timeout', '-1'), { message: 'out of numeric range', reply: range })
  t.end()
})

test('64-bit settings are exact at both ends', (t) => {
  t.equal(read('force-compact-file-age', '9223372036854775807'), '9223372036854775807')
  t.equal(refusal('force-compact-file-age', '9223372036854775808').message, 'out of numeric range')
  t.equal(read('rocksdb.ttl', '18446744073709551615'), '18446744073709551615')
  t.end()
})

test('octal modes print as they are written', (t) => {
  t.equal(read('unixsocketperm', '0750'), '750')
  t.equal(refusal('unixsocketperm', '8').message, 'not started as an integer')
  t.end()
})

test('yes and no are taken in any case', (t) => {
  t.equal(read('daemonize', 'YES'), 'yes')
  t.equal(refusal('daemonize', 'true').message, "argument must be 'yes' or 'no'")
  t.end()
})

test('words of an enumeration are taken in any case', (t) => {
  t.equal(read('rocksdb.compression', 'ZSTD'), 'zstd')
  t.equal(
    refusal('rocksdb.compression', 'unsupported').message,
    "invalid enum option, acceptable values are 'no', 'snappy', 'zlib', 'lz4', 'zstd'",
  )
  t.end()
})

test('bytes take units, are bounded, and keep their unit in the file', (t) => {
  t.equal(read('proto-max-bulk-len', '2097152'), '2097152')
  t.equal(read('proto-max-bulk-len', '100M'), '104857600')
  t.equal(read('proto-max-bulk-len', '1gb'), '1073741824')
  t.equal(read('proto-max-bulk-len', '18446744073709551615'), '9007199254740991')
  const least = 'between 1048576 and 18446744073709551615'
  t.strictSame(refusal('proto-max-bulk-len', '1024'), {
    message: `this config value should be ${least}`,
    reply: `argument must be ${least} inclusive`,
  })
  t.equal(refusal('proto-max-bulk-len', '1x').message, 'encounter unexpected unit: `x`')
  t.equal(refusal('proto-max-bulk-len', '99999999999P').message, 'arithmetic overflow')
  const option = OPTIONS['proto-max-bulk-len']
  t.equal(option.formatForFile(3 * 1024 ** 2, '3m'), '3M')
  t.equal(option.formatForFile(3 * 1024 ** 2, '3145728'), '3145728')
  t.end()
})

test('client-output-buffer-limit changes only the classes that it names', (t) => {
  const option = OPTIONS['client-output-buffer-limit']
  const limits = option.parse('normal 1mb 0 0 replica 2k 1k 5', option.default)
  t.equal(option.format(limits), 'normal 1048576 0 0 slave 2048 1024 5 pubsub 33554432 8388608 60')
  const { message: few } = refusal('client-output-buffer-limit', 'normal 1 2')
  t.equal(few, 'Wrong number of arguments in buffer limit configuration.')
  const { message: unknown } = refusal('client-output-buffer-limit', 'bogus 0 0 0')
  t.equal(unknown, 'Invalid client class specified in buffer limit configuration.')
  const none = refusal('client-output-buffer-limit', '')
  t.equal(none.message, 'Wrong number of arguments in buffer limit configuration.')
  for (const bad of [
    'normal x 0 0',
    'normal -1 0 0',
    'normal 0 0 x',
    'normal 0 0 1.5',
    'normal 0 0 -1',
    'normal 9223372036854775808 0 0',
    'normal 0 9223372036854775808 0',
  ]) {
    const expected = 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'
    t.equal(refusal('client-output-buffer-limit', bad).message, expected, bad)
  }
  t.end()
})

test('notify-keyspace-events prints the letters as Redis does', (t) => {
  t.equal(read('notify-keyspace-events', 'KEA'), 'AKE')
  t.equal(read('notify-keyspace-events', 'Kxg$'), 'g$xK')
  t.equal(read('notify-keyspace-events', 'g$lshzxetdnKEm'), 'AnKEm')
  t.equal(read('notify-keyspace-events', ''), '')
  const { message } = refusal('notify-keyspace-events', 'Kq')
  t.equal(message, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
  t.end()
})
