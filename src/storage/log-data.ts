/**
 * The log data that precedes the rows of one operation in a write batch, from which Kvrocks's tools and the change feed
 * tell what the operation was: the type's number, then words parted by spaces, all in text.
 * Source: kvrocks src/storage/redis_db.h, WriteBatchLogData; RedisCommand in src/storage/redis_metadata.h.
 */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import type { DataType } from './metadata.js'

export const LOG_LSET = 0
export const LOG_LINSERT = 1
export const LOG_LTRIM = 2
export const LOG_LPOP = 3
export const LOG_RPOP = 4
export const LOG_LREM = 5
export const LOG_LPUSH = 6
export const LOG_RPUSH = 7
export const LOG_EXPIRE = 8
export const LOG_SETBIT = 9
export const LOG_BITOP = 10
export const LOG_BITFIELD = 11
export const LOG_LMOVE = 12
/** Of hashes: its word is the mode of the values that follow. */
export const LOG_HASH_MODE = 13
/** The first part of a copy that comes in several batches. Of this server alone: Kvrocks's readers pass over it. */
export const LOG_COPY = 1000

const SPACE = Buffer.from(' ')

/** The blob of an operation on `type` with `words`: numbers and texts as they are, bytes unescaped. */
export function logData(type: DataType, ...words: readonly (number | string | Bytes)[]): Buffer {
  // Bytes are rare, and one text is turned into bytes several times as fast as its parts are joined.
  if (words.every((word) => typeof word !== 'object')) return latin1(words.reduce<string>(joinWord, String(type)))
  const parts: Buffer[] = [latin1(String(type))]
  for (const word of words) parts.push(SPACE, Buffer.isBuffer(word) ? word : latin1(String(word)))
  return Buffer.concat(parts)
}

function joinWord(text: string, word: number | string | Bytes): string {
  return `${text} ${word}`
}

/** The blob of operations that say nothing but their type. Shared: not to be changed. */
export const TYPE_LOG_DATA: readonly Buffer[] = Array.from({ length: 16 }, (_, type) => logData(type))

/** The blob of EXPIRE and its kin. */
export const EXPIRE_LOG_DATA = logData(0, LOG_EXPIRE)

/** The blob of operations on hashes whose fields may expire. Source: kvrocks src/storage/redis_db.h, WriteBatchLogData. */
export const FIELD_EXPIRY_LOG_DATA = logData(2, LOG_HASH_MODE, 1)

/** The blob of the deletion of fields whose time is over, and of what the metadata say of those that are left. */
export const FIELDS_EXPIRED_LOG_DATA = logData(2, LOG_HASH_MODE, 1, LOG_EXPIRE)

/** The blob of the first part of a copy of a hash whose fields may expire. */
export const FIELD_EXPIRY_COPY_LOG_DATA = logData(2, LOG_HASH_MODE, 1, LOG_COPY)

/** True of the first part of a copy that comes in several batches: the key has expired until the last one. */
export function beginsCopy(log: LogData | undefined): boolean {
  const word = hasFieldExpiry(log) ? log?.words[2] : log?.words[0]
  return word !== undefined && word.latin1Slice(0) === String(LOG_COPY)
}

/** True if the operation deletes fields whose time is over, and nothing else. */
export function isFieldExpiry(log: LogData | undefined): boolean {
  return hasFieldExpiry(log) && Number(log?.words[2]?.latin1Slice(0)) === LOG_EXPIRE
}

/** The blob of the deletion of a metadata row without elements: the end of its key was told with that of the last one. */
export const EMPTY_LOG_DATA = logData(0, LOG_EXPIRE, 0)

/** True if the operation deletes what its reader does not see any more. */
export function isEmptyRemoval(log: LogData | undefined): boolean {
  return isOperation(log, 0, LOG_EXPIRE) && log.words[1] !== undefined
}

/** True if the values of hashes in this operation begin with their expiry. */
export function hasFieldExpiry(log: LogData | undefined): boolean {
  return isOperation(log, 2, LOG_HASH_MODE) && log.words[1]?.latin1Slice(0) === '1'
}

function isOperation(log: LogData | undefined, type: DataType, command: number): log is LogData {
  return log?.type === type && Number(log.words[0]?.latin1Slice(0)) === command
}

export interface LogData {
  readonly type: DataType
  readonly words: readonly Bytes[]
}

/** The id of the history that a batch belongs to, if `blob` is such a mark (`r ` and 16 characters). */
export function replicationIdOf(blob: Bytes): string | undefined {
  return blob.length === 18 && blob[0] === 0x72 && blob[1] === 0x20 ? blob.latin1Slice(2) : undefined
}

/** Undefined if the blob is not that of an operation. Empty words vanish, as Kvrocks's decoder drops them. */
export function parseLogData(blob: Bytes): LogData | undefined {
  const words: Bytes[] = []
  let start = 0
  for (let at = 0; at <= blob.length; at++) {
    if (at < blob.length && blob[at] !== 0x20) continue
    if (at > start) words.push(blob.subarray(start, at))
    start = at + 1
  }
  const type = Number(words.shift()?.latin1Slice() ?? Number.NaN)
  return Number.isInteger(type) ? { type, words } : undefined
}
