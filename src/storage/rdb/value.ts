import type { Bytes } from '../../bytes/bytes.js'
import type { Int64 } from '../../bytes/int64.js'

/** What a value is, whatever its encoding in an RDB payload. Byte strings are views into the buffer they came from. */
export type RdbValue = StringValue | ListValue | SetValue | HashValue | ZsetValue | StreamValue | ModuleValue

export type StringValue = { readonly type: 'string'; readonly value: Bytes }

export type ListValue = { readonly type: 'list'; elements: Bytes[] }

export type SetValue = { readonly type: 'set'; members: Bytes[] }

export type HashValue = { readonly type: 'hash'; entries: HashEntry[] }

/** A field, its value, and when it expires in Unix milliseconds if it does. */
export type HashEntry = readonly [field: Bytes, value: Bytes, expireMs?: number]

export type ZsetValue = { readonly type: 'zset'; entries: ZsetEntry[] }

/** Scores may be infinite and are never NaN. */
export type ZsetEntry = readonly [member: Bytes, score: number]

/** `state` is undefined only in a part of a stream that is not its last. */
export type StreamValue = { readonly type: 'stream'; entries: StreamEntry[]; state: StreamState | undefined }

export type StreamId = { readonly ms: Int64; readonly seq: Int64 }

/** `fields` alternates names and values. */
export type StreamEntry = { readonly id: StreamId; readonly fields: Bytes[] }

export type StreamState = {
  readonly lastId: StreamId
  readonly firstId: StreamId
  readonly maxDeletedId: StreamId
  readonly entriesAdded: Int64
  readonly groups: StreamGroup[]
}

export type StreamGroup = {
  readonly name: Bytes
  readonly lastId: StreamId
  /** -1 when unknown. */
  readonly entriesRead: Int64
  readonly pending: PendingEntry[]
  readonly consumers: StreamConsumer[]
}

export type PendingEntry = {
  readonly id: StreamId
  /** Undefined for an entry that was handed back and waits for a new owner (Redis 8.8, XNACK). */
  readonly consumer: Bytes | undefined
  readonly deliveredMs: Int64
  readonly deliveries: Int64
}

/** Times in Unix milliseconds; `activeMs` is -1 for a consumer that never got an entry. */
export type StreamConsumer = { readonly name: Bytes; readonly seenMs: Int64; readonly activeMs: Int64 }

/** The value of a Redis module's own type, as its module saved it: `name` has nine characters, such as ReJSON-RL. */
export type ModuleValue = {
  readonly type: 'module'
  readonly name: string
  readonly encodingVersion: number
  readonly items: ModuleItem[]
}

export type ModuleItem =
  | { readonly kind: 'signed' | 'unsigned'; readonly value: Int64 }
  | { readonly kind: 'float' | 'double'; readonly value: number }
  | { readonly kind: 'string'; readonly value: Bytes }
