/** Where this server answers otherwise than Redis 7.0, and why. A comparison names the ones that it allows. */

import type { Difference } from '../support/random-sequences.js'

function isNamed(words: readonly (string | Buffer)[], ...names: string[]): boolean {
  return names.includes(String(words[0]).toLowerCase())
}

/** The two servers read their clocks some milliseconds apart. */
export const TIMES: Difference = {
  reason: 'clocks are read at different moments',
  allows(words, ours, theirs) {
    if (!isNamed(words, 'ttl', 'pttl', 'expiretime', 'pexpiretime')) return false
    const toleranceMs = 2000
    const unitMs = isNamed(words, 'ttl', 'expiretime') ? 1000 : 1
    const numbers = [ours, theirs].map((reply) => Number(reply.slice(1, -2)))
    const [our, their] = numbers as [number, number]
    if (our < 0 || their < 0) return false
    return Math.abs(our - their) * unitMs <= toleranceMs
  },
}

/** GT and LT compare moments that the two servers see some milliseconds apart; expire.test.ts says what they do. */
export const TIES: Difference = {
  reason: 'the same relative time twice is later, or is not, by a millisecond',
  allows(words, ours, theirs) {
    const compares = words.some((word) => /^(?:gt|lt)$/i.test(String(word)))
    return isNamed(words, 'expire', 'pexpire') && compares && /^:[01]\r\n$/.test(ours) && /^:[01]\r\n$/.test(theirs)
  },
}

/** Redis counts keys that have expired until it deletes them. */
export const EXPIRED_KEYS: Difference = {
  reason: 'DBSIZE counts no expired keys',
  allows: (words, ours, theirs) => isNamed(words, 'dbsize') && Number(ours.slice(1)) < Number(theirs.slice(1)),
}

/** Times far beyond all calendars are kept as doubles: 53 bits. */
export const FAR_TIMES: Difference = {
  reason: 'times beyond the year 287,396 are rounded to a double',
  allows(words, ours, theirs) {
    if (!isNamed(words, 'ttl', 'pttl', 'expiretime', 'pexpiretime')) return false
    const our = Number(ours.slice(1, -2))
    const their = Number(theirs.slice(1, -2))
    return our > 2 ** 43 && Math.abs(our - their) / their < 1e-6
  },
}

/** Kvrocks's own test demands it. */
export const COPY_OVER_ITSELF: Difference = {
  reason: 'COPY of a key over itself with REPLACE succeeds, as Kvrocks demands',
  allows(words, ours, theirs) {
    return isNamed(words, 'copy') && /^:[01]/.test(ours) && theirs.startsWith('-ERR source and destination objects')
  },
}

/** Keys come in the order of their bytes, in Redis in that of a hash table. */
export const KEY_ORDER: Difference = {
  reason: 'keys are listed in byte order',
  allows(words, ours, theirs) {
    return isNamed(words, 'keys', 'smembers', 'sort') && linesOf(ours) === linesOf(theirs)
  },
}

function linesOf(reply: string): string {
  return reply.split('\r\n').sort().join('\n')
}

/** An order that is none: sets are in byte order here, and by their hashes in Redis. */
export const UNSORTED_SETS: Difference = {
  reason: 'SORT BY nosort shows a set in its own order',
  allows(words, ours, theirs) {
    const by = words.findIndex((word) => String(word).toLowerCase() === 'by')
    const isUnsorted = by !== -1 && !String(words[by + 1]).includes('*')
    return isNamed(words, 'sort') && isUnsorted && ours.split('\r\n')[0] === theirs.split('\r\n')[0]
  },
}

/** Elements whose weights are equal texts, or all missing, have no order of their own. */
export const EQUAL_WEIGHTS: Difference = {
  reason:
    'SORT BY a pattern and ALPHA shows elements of equal weight in the order of the key, which sets have not in Redis',
  allows(words, ours, theirs) {
    const lower = words.map((word) => String(word).toLowerCase())
    const isByText = lower.includes('alpha') && lower.includes('by')
    return isNamed(words, 'sort', 'sort_ro') && isByText && ours.split('\r\n')[0] === theirs.split('\r\n')[0]
  },
}

/** Which key is a matter of chance. */
export const RANDOM_KEY: Difference = {
  reason: 'RANDOMKEY is random',
  allows: (words, ours, theirs) => isNamed(words, 'randomkey') && (ours === '$-1\r\n') === (theirs === '$-1\r\n'),
}

/** What Redis would choose for the value as it is; Redis itself goes by the history of the key. */
export const ENCODINGS: Difference = {
  reason: "Redis's encodings depend on what the key was before, and on its version; no other key shares a value",
  allows(words, ours, theirs) {
    return isNamed(words, 'object') && ours[0] === theirs[0] && (ours === '$-1\r\n') === (theirs === '$-1\r\n')
  },
}
