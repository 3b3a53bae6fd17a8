/** What servers hold before they are measured. */

/**
 * The commands that fill in `count` keys or elements with values of `valueBytes`. Keys and elements are numbered as
 * redis-benchmark numbers them: 12 digits.
 */
export type Filling = (count: number, valueBytes: number) => Generator<readonly string[]>

/** Of the workloads with many small collections: how many there are. */
export const SMALL_KEYS = 1000
const SMALL_COUNT = 100
/** So many elements go into one command. */
const STEP = 100
const GEO_POINTS_MAX = 10_000
/** Steps that visit all numbers below 10^12 without order, so that no server gets its keys sorted. */
const STRIDE = 7919

function number(index: number): string {
  return String(index).padStart(12, '0')
}

/** `head`, then what `words` gives of each of `count` numbers, in commands of a bounded length. */
function* inSteps(head: readonly string[], count: number, words: (index: number) => readonly string[]) {
  for (let from = 0; from < count; from += STEP) {
    const command = [...head]
    for (let i = from; i < Math.min(from + STEP, count); i++) command.push(...words((i * STRIDE) % count))
    yield command
  }
}

function value(bytes: number): string {
  return 'x'.repeat(bytes)
}

export function strings(count: number, valueBytes: number) {
  return inSteps(['MSET'], count, (index) => [`key:${number(index)}`, value(valueBytes)])
}

export function counters(count: number) {
  return inSteps(['MSET'], count, (index) => [`counter:${number(index)}`, '0'])
}

export function list(count: number): Filling {
  return (_, valueBytes) => inSteps(['RPUSH', 'mylist'], count, () => [value(valueBytes)])
}

export function listOfAll(count: number, valueBytes: number) {
  return list(count)(count, valueBytes)
}

export function set(count: number) {
  return inSteps(['SADD', 'myset'], count, (index) => [`element:${number(index)}`])
}

export function hash(count: number, valueBytes: number) {
  return inSteps(['HSET', 'myhash'], count, (index) => [`element:${number(index)}`, value(valueBytes)])
}

export function zset(count: number) {
  return inSteps(['ZADD', 'myzset'], count, (index) => [number(index), `element:${number(index)}`])
}

export function* smallHashes(_: number, valueBytes: number) {
  for (let key = 0; key < SMALL_KEYS; key++) {
    yield* inSteps(['HSET', `hash:${number(key)}`], SMALL_COUNT, (index) => [`field:${index}`, value(valueBytes)])
  }
}

export function stream(count: number): Filling {
  return function* entries(_, valueBytes) {
    for (let i = 0; i < count; i++) yield ['XADD', 'mystream', '*', 'myfield', value(valueBytes)]
  }
}

export function* bits() {
  for (let key = 0; key < SMALL_KEYS; key++) yield ['SETBIT', `bits:${number(key)}`, '12345', '1']
}

export function geo(count: number) {
  return inSteps(['GEOADD', 'mygeo'], Math.min(count, GEO_POINTS_MAX), (index) => [
    `13.${number((index * STRIDE) % GEO_POINTS_MAX).slice(-4)}`,
    `38.${number((index * STRIDE * 31) % GEO_POINTS_MAX).slice(-4)}`,
    `element:${number(index)}`,
  ])
}

export function hyperLogLog(count: number) {
  return inSteps(['PFADD', 'myhll'], count, (index) => [`element:${number(index)}`])
}
