/** Random writes of all families, on keys that meet each other. The same for the same seed. */

import type { Word } from '../support/server.js'

export type Random = (below: number) => number

/** xorshift32. */
export function randomOf(seed: number): Random {
  let state = seed || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

type Maker = (r: Random) => string

const side = (r: Random): string => (r(2) === 0 ? 'left' : 'right')
/** A time to live that is over before keys are compared, or long after. */
const life = (r: Random): number => (r(2) === 0 ? 1 + r(400) : 1_000_000 + r(1000))

const STRINGS: readonly Maker[] = [
  (r) => `set s${r(5)} ${r(1000)}`,
  (r) => `set s${r(5)} ${r(1000)} px ${life(r)}`,
  (r) => `set s${r(5)} ${r(1000)} keepttl`,
  (r) => `append s${r(5)} ${r(10)}`,
  (r) => `setrange s${r(5)} ${r(20)} xyz`,
  (r) => `incrby s${r(5)} ${r(100)}`,
  (r) => `incrbyfloat s${r(5)} 0.${r(100)}`,
  (r) => `getex s${r(5)} px ${life(r)}`,
  (r) => `getex s${r(5)} persist`,
  (r) => `getdel s${r(5)}`,
  (r) => `mset s${r(5)} a s${r(5)} b`,
  (r) => `msetnx s${r(5)} a s${r(5)} b`,
]

const HASHES: readonly Maker[] = [
  (r) => `hset h${r(3)} f${r(8)} ${r(100)} f${r(8)} ${r(100)}`,
  (r) => `hdel h${r(3)} f${r(8)} f${r(8)}`,
  (r) => `hincrby h${r(3)} f${r(8)} ${r(100)}`,
  (r) => `hincrbyfloat h${r(3)} f${r(8)} 1.5`,
  (r) => `hpexpire h${r(3)} ${life(r)} fields 1 f${r(8)}`,
  (r) => `hpersist h${r(3)} fields 2 f${r(8)} f${r(8)}`,
  (r) => `hsetex h${r(3)} px ${life(r)} fields 1 f${r(8)} ${r(100)}`,
  (r) => `hgetex h${r(3)} px ${life(r)} fields 1 f${r(8)}`,
  (r) => `hgetdel h${r(3)} fields 1 f${r(8)}`,
]

const LISTS: readonly Maker[] = [
  (r) => `rpush l${r(3)} ${r(5)} ${r(5)}`,
  (r) => `lpush l${r(3)} ${r(5)}`,
  (r) => `rpushx l${r(3)} ${r(5)}`,
  (r) => `lset l${r(3)} ${r(4) - 1} ${r(9)}`,
  (r) => `lrem l${r(3)} ${r(3) - 1} ${r(5)}`,
  (r) => `linsert l${r(3)} ${r(2) === 0 ? 'before' : 'after'} ${r(5)} ${r(5)}`,
  (r) => `ltrim l${r(3)} ${r(3)} ${-1 - r(3)}`,
  (r) => `lmove l${r(3)} l${r(3)} ${side(r)} ${side(r)}`,
  (r) => `rpop l${r(3)} ${1 + r(2)}`,
  (r) => `lmpop 2 l${r(3)} l${r(3)} ${side(r)} count ${1 + r(3)}`,
]

const SETS: readonly Maker[] = [
  (r) => `sadd t${r(3)} ${r(9)} ${r(9)}`,
  (r) => `srem t${r(3)} ${r(9)} ${r(9)}`,
  (r) => `smove t${r(3)} t${r(3)} ${r(9)}`,
  (r) => `spop t${r(3)} ${r(3)}`,
  (r) => `sunionstore t${r(3)} t${r(3)} t${r(3)}`,
  (r) => `sinterstore t${r(3)} t${r(3)} t${r(3)}`,
  (r) => `sdiffstore t${r(3)} t${r(3)} t${r(3)}`,
  (r) => `siadd i${r(2)} ${r(30)} ${r(30)}`,
  (r) => `sirem i${r(2)} ${r(30)}`,
]

const ZSETS: readonly Maker[] = [
  (r) => `zadd z${r(3)} ${r(100) / 7} ${r(9)}`,
  (r) => `zadd z${r(3)} gt ch ${r(100) - 50} ${r(9)} inf ${r(9)}`,
  (r) => `zincrby z${r(3)} ${r(9) - 4} ${r(9)}`,
  (r) => `zrem z${r(3)} ${r(9)}`,
  (r) => `zpopmin z${r(3)} ${1 + r(2)}`,
  (r) => `zremrangebyscore z${r(3)} 1 ${r(5)}`,
  (r) => `zremrangebyrank z${r(3)} 0 ${r(2)}`,
  (r) => `zunionstore z${r(3)} 2 z${r(3)} z${r(3)} weights 2 1`,
  (r) => `zrangestore z${r(3)} z${r(3)} 0 ${r(4)}`,
  (r) => `geoadd g${r(2)} ${r(100)}.${r(1000)} ${r(80)}.${r(1000)} p${r(6)}`,
  (r) => `geosearchstore g${r(2)} g${r(2)} fromlonlat 50 40 byradius ${r(6000)} km`,
]

const STREAMS: readonly Maker[] = [
  (r) => `xadd x${r(2)} * a ${r(9)}`,
  (r) => `xadd x${r(2)} maxlen ${3 + r(5)} * a ${r(9)} b ${r(9)}`,
  (r) => `xgroup create x${r(2)} g${r(2)} ${r(2) === 0 ? '0' : '$'} mkstream`,
  (r) => `xgroup createconsumer x${r(2)} g${r(2)} c${r(2)}`,
  (r) => `xgroup delconsumer x${r(2)} g${r(2)} c${r(2)}`,
  (r) => `xgroup destroy x${r(2)} g${r(2)}`,
  (r) => `xgroup setid x${r(2)} g${r(2)} 0`,
  (r) => `xreadgroup group g${r(2)} c${r(2)} count ${1 + r(3)} streams x${r(2)} >`,
  (r) => `xautoclaim x${r(2)} g${r(2)} c${r(2)} 0 0 count 2`,
  (r) => `xtrim x${r(2)} maxlen ${r(4)}`,
]

const BITS: readonly Maker[] = [
  (r) => `setbit b${r(2)} ${r(20_000)} ${r(2)}`,
  (r) => `bitop ${['or', 'and', 'xor'][r(3)]} b${r(2)} b0 b1`,
  (r) => `bitfield b${r(2)} set u8 ${r(2000)} ${r(256)} incrby i5 ${r(2000)} ${r(9)}`,
  (r) => `pfadd p${r(2)} ${r(1000)} ${r(1000)}`,
  (r) => `pfmerge p${r(2)} p0 p1`,
]

const KINDS = 'shltzgxbpi'
const anyKey = (r: Random): string => `${KINDS[r(KINDS.length)]}${r(3)}`

const KEYS: readonly Maker[] = [
  (r) => `pexpire ${anyKey(r)} ${life(r)}`,
  (r) => `persist ${anyKey(r)}`,
  (r) => `persist ${anyKey(r)}`,
  (r) => `del ${anyKey(r)}`,
  (r) => `set ${anyKey(r)} text`,
  (r) => `rename ${anyKey(r)} ${anyKey(r)}`,
  (r) => {
    const key = anyKey(r)
    return `copy ${key} ${key[0]}${r(3)} replace`
  },
  (r) => `copy ${anyKey(r)} ${anyKey(r)} replace`,
  (r) => `sort ${'lt'[r(2)]}${r(3)} alpha store l${r(3)}`,
  (r) => `movex ${anyKey(r)} token`,
]

const FAMILIES: readonly (readonly Maker[])[] = [STRINGS, HASHES, LISTS, SETS, ZSETS, STREAMS, BITS, KEYS]

const SCRIPT = "redis.call('rpush', KEYS[1], ARGV[1]) redis.call('incr', KEYS[2]) redis.call('lpop', KEYS[1])"

/** One write. */
export function write(r: Random): Word[] {
  const rare = r(400)
  if (rare === 0) return ['flushdb']
  if (rare === 1 && r(3) === 0) return ['flushall']
  if (rare < 8) return ['eval', SCRIPT, '2', `l${r(3)}`, `n${r(3)}`, `${r(9)}`]
  if (rare < 16) return ['hset', `h${r(3)}`, Buffer.from([0xff, r(4)]), Buffer.from([0, 0xc3, r(256)])]
  if (rare < 24) return ['rpush', `l${r(3)}`, `two words ${r(3)}`, '']
  const family = FAMILIES[r(FAMILIES.length)] as readonly Maker[]
  return (family[r(family.length)] as Maker)(r).split(' ')
}

/** More elements than what is copied by one batch, and more bytes. */
const LARGE_COUNT = 10_001
const PAD = 'x'.repeat(100)

const LARGE: Readonly<Record<string, (key: string) => Word[]>> = {
  h: (key) => ['hset', key, ...large((i) => [`f${i}`, `${PAD}${i}`])],
  l: (key) => ['rpush', key, ...large((i) => [`${PAD}${i}`])],
  t: (key) => ['sadd', key, ...large((i) => [`${PAD}${i}`])],
  z: (key) => ['zadd', key, ...large((i) => [String(i), `${PAD}${i}`])],
  b: (key) => ['setbit', key, String(100_000), '1'],
}

function large(words: (index: number) => Word[]): Word[] {
  return Array.from({ length: LARGE_COUNT }, (_, index) => words(index)).flat()
}

/** A large key, which goes to a free name and over another key. */
function largeMoves(r: Random): Word[][] {
  const kind = 'hltzb'[r(5)] as string
  const [key, free, taken] = [`${kind}0`, `${kind}1`, r(2) === 0 ? `${kind}2` : anyKey(r)]
  const make = LARGE[kind] as (key: string) => Word[]
  return [['del', key, free], make(key), ['rename', key, free], ['copy', free, taken, 'replace']]
}

/** Writes that are sent at once; some of them as a transaction. */
export function burst(r: Random): Word[][] {
  if (r(100) === 0) return largeMoves(r)
  const writes = Array.from({ length: 1 + r(20) }, () => write(r))
  return r(6) === 0 ? [['multi'], ...writes, ['exec']] : writes
}
