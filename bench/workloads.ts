/** What is measured: one record a row of the table. */

import * as fill from './fillings.js'

/** `__rand_int__` in a command is a random number of 12 digits each time, `__data__` is a value. */
export interface Workload {
  readonly name: string
  /**
   * What a client sends, again and again in this order. Each is one operation: one command, or several that belong
   * together. Words are separated by one space.
   */
  readonly operations: readonly (readonly string[])[]
  /** Sent as a line of text. */
  readonly isInline?: boolean
  /** Random numbers are below this; undefined = as many as the run has keys. */
  readonly keys?: number
  /** What the commands need to find. */
  readonly filling?: fill.Filling
  /** The operations use up what they find, so it is filled in before each run, for as many operations. */
  readonly isConsuming?: boolean
  /** What the replies to the first operation look like, so that no read is measured that finds nothing. */
  readonly finds: RegExp
  /** So many clients are subscribed to `channel` meanwhile. */
  readonly subscribers?: number
}

export const CHANNEL = 'channel'

const OK = /^\+OK\r\n$/
const INTEGER = /^:\d+\r\n$/
const BULK = /^\$\d+\r\n/

/** A row whose operation is a single command. */
function row(name: string, command: string, finds: RegExp, more: Partial<Workload> = {}): Workload {
  return { name, operations: [[command]], finds, ...more }
}

function times(count: number, text: string): string {
  return Array.from({ length: count }, () => text).join(' ')
}

function lrange(count: number): Workload {
  return row(`lrange_${count}`, `LRANGE mylist 0 ${count - 1}`, new RegExp(`^\\*${count}\r\n`), {
    filling: fill.list(1000),
  })
}

/** Random numbers of so many are rarely drawn twice. */
const NEW_KEYS = 1_000_000_000
const GET = 'GET key:__rand_int__'
const SET = 'SET key:__rand_int__ __data__'
const SCRIPT = "return(redis.call('GET',KEYS[1]))"

/** The default list of redis-benchmark. Source: redis src/redis-benchmark.c, main. */
const DEFAULTS: readonly Workload[] = [
  row('ping_inline', 'PING', /^\+PONG\r\n$/, { isInline: true }),
  row('ping_mbulk', 'PING', /^\+PONG\r\n$/),
  row('set', SET, OK, { filling: fill.strings }),
  row('get', GET, BULK, { filling: fill.strings }),
  row('incr', 'INCR counter:__rand_int__', INTEGER, { filling: fill.counters }),
  row('lpush', 'LPUSH mylist __data__', INTEGER),
  row('rpush', 'RPUSH mylist __data__', INTEGER),
  row('lpop', 'LPOP mylist', BULK, { filling: fill.listOfAll, isConsuming: true }),
  row('rpop', 'RPOP mylist', BULK, { filling: fill.listOfAll, isConsuming: true }),
  // Nearly all members are new ones: what is there already is not written again.
  row('sadd', 'SADD myset element:__rand_int__', INTEGER, { keys: NEW_KEYS }),
  row('hset', 'HSET myhash element:__rand_int__ __rand_int__', INTEGER, { filling: fill.hash }),
  row('spop', 'SPOP myset', BULK, { filling: fill.set, isConsuming: true }),
  row('zadd', 'ZADD myzset __rand_int__ element:__rand_int__', INTEGER, { filling: fill.zset }),
  row('zpopmin', 'ZPOPMIN myzset', /^\*2\r\n/, { filling: fill.zset, isConsuming: true }),
  ...[100, 300, 500, 600].map(lrange),
  row('mset', `MSET ${times(10, 'key:__rand_int__ __data__')}`, OK, { filling: fill.strings }),
  row('xadd', 'XADD mystream * myfield __data__', BULK),
]

/** What else each family does on its way through a day. */
const MORE: readonly Workload[] = [
  row('hget', 'HGET myhash element:__rand_int__', BULK, { filling: fill.hash }),
  row('hmget_10', `HMGET myhash ${times(10, 'element:__rand_int__')}`, /^\*10\r\n\$\d/, { filling: fill.hash }),
  row('hgetall_100', 'HGETALL hash:__rand_int__', /^\*200\r\n/, { filling: fill.smallHashes, keys: fill.SMALL_KEYS }),
  row('sismember', 'SISMEMBER myset element:__rand_int__', /^:1\r\n$/, { filling: fill.set }),
  row('zscore', 'ZSCORE myzset element:__rand_int__', BULK, { filling: fill.zset }),
  row('zrange_100', 'ZRANGE myzset 0 99', /^\*100\r\n/, { filling: fill.zset }),
  row('xrange_100', 'XRANGE mystream - + COUNT 100', /^\*100\r\n/, { filling: fill.stream(1000) }),
  row('mget_10', `MGET ${times(10, 'key:__rand_int__')}`, /^\*10\r\n\$\d/, { filling: fill.strings }),
  { name: 'get_set', operations: [[GET], [SET]], finds: BULK, filling: fill.strings },
  {
    name: 'multi_10',
    operations: [['MULTI', ...Array.from({ length: 10 }, () => SET), 'EXEC']],
    finds: /^\+OK\r\n(?:\+QUEUED\r\n){10}\*10\r\n(?:\+OK\r\n){10}$/,
    filling: fill.strings,
  },
  row('eval_get', `EVAL ${SCRIPT} 1 key:__rand_int__`, BULK, { filling: fill.strings }),
  row('publish_10', `PUBLISH ${CHANNEL} __data__`, INTEGER, { subscribers: 10 }),
  row('setbit', 'SETBIT bits:__rand_int__ 12345 1', INTEGER, { filling: fill.bits, keys: fill.SMALL_KEYS }),
  row('getbit', 'GETBIT bits:__rand_int__ 12345', /^:1\r\n$/, { filling: fill.bits, keys: fill.SMALL_KEYS }),
  row('geoadd', 'GEOADD mygeo __rand_int__e-4 __rand_int__e-5 element:__rand_int__', INTEGER, {
    filling: fill.geo,
    keys: 1_000_000,
  }),
  row('geosearch_10', 'GEOSEARCH mygeo FROMLONLAT 13.5 38.5 BYRADIUS 10 km COUNT 10 ANY', /^\*10\r\n/, {
    filling: fill.geo,
  }),
  row('pfadd', 'PFADD myhll element:__rand_int__', INTEGER, { filling: fill.hyperLogLog }),
  row('pfcount', 'PFCOUNT myhll', /^:[1-9]/, { filling: fill.hyperLogLog }),
]

export const WORKLOADS: readonly Workload[] = [...DEFAULTS, ...MORE]

/** The words of a command, with its value of `valueBytes`. */
export function wordsOf(command: string, valueBytes: number): string[] {
  return command.replaceAll('__data__', 'x'.repeat(valueBytes)).split(' ')
}

/** Finds rows by name. Throws if there is none of a name. */
export function workloadsNamed(names: readonly string[]): Workload[] {
  return names.map((name) => {
    const found = WORKLOADS.find((workload) => workload.name === name)
    if (found === undefined) throw new Error(`no such test: ${name}; there are ${WORKLOADS.map((w) => w.name).join()}`)
    return found
  })
}
