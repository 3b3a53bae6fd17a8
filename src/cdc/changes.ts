/**
 * Write batches as changes: what each row means in the words of Redis. What no command says is opaque, and what is not
 * understood is unknown, but nothing is left out: only rows that belong to another row's change have none of their own
 * (metadata rows beside elements, the second rows of sorted sets, list elements that were shifted).
 *
 * Source: kvrocks src/storage/redis_metadata.cc, src/types/*.cc for the rows.
 */

import { type Bytes, EMPTY, latin1 } from '../bytes/bytes.js'
import { decimal } from '../bytes/int64.js'
import { CF_DEFAULT, CF_METADATA, CF_STREAM, CF_ZSET_SCORE } from '../storage/column-family.js'
import { parseInternalKey, parseNsKey } from '../storage/keys.js'
import { beginsCopy, isEmptyRemoval, isFieldExpiry, LOG_EXPIRE } from '../storage/log-data.js'
import {
  checkRow,
  expireMsOf,
  headerSize,
  isEmptyable,
  isSingleRow,
  type Metadata,
  MetadataFormatError,
  rowType,
  sizeOf,
  TYPE_BITMAP,
  TYPE_JSON,
  TYPE_NAMES,
  TYPE_STREAM,
  TYPE_STRING,
} from '../storage/metadata.js'
import { bitmapLengthChange } from './bitmap-rows.js'
import type { Change } from './change.js'
import { elementChange, isRewritten } from './elements.js'
import { jsonText } from './json-document.js'
import {
  factsOf,
  isCopy,
  type KeyFacts,
  nsKeyOf,
  type Operation,
  type OperationFacts,
  type Row,
  readOperations,
} from './operations.js'
import { type RowChange, unknownRow } from './row-change.js'
import { serverChange } from './server-rows.js'
import { streamRestore } from './stream-copy.js'
import { isRewrittenStream, isSetId, streamChange, streamMetadataChange } from './stream-rows.js'

const DEL = latin1('DEL')
const SET = latin1('SET')
const PXAT = latin1('PXAT')
const PERSIST = latin1('PERSIST')
const PEXPIREAT = latin1('PEXPIREAT')
const JSON_SET = latin1('JSON.SET')
const ROOT = latin1('$')

/** The changes of a serialized batch, in the order of their sequences; views of it. Never throws on its contents. */
export function changesOf(batch: Bytes, slotEncoded: boolean): Change[] {
  const content = readOperations(batch)
  const changes: Change[] = []
  const scribe = new Scribe(content.batchSequence, content.replicationId, slotEncoded, changes)
  for (const operation of content.operations) scribe.describe(operation)
  if (content.isCut) {
    const sequence = Math.max(content.nextSequence, content.batchSequence)
    changes.push({
      sequence,
      batchSequence: content.batchSequence,
      namespace: EMPTY,
      type: 'none',
      op: 'unknown',
      value: batch,
    })
  }
  return changes
}

class Scribe {
  readonly #batchSequence: number
  readonly #replicationId: string | undefined
  readonly #slotEncoded: boolean
  readonly #changes: Change[]

  constructor(batchSequence: number, replicationId: string | undefined, slotEncoded: boolean, changes: Change[]) {
    this.#batchSequence = batchSequence
    this.#replicationId = replicationId
    this.#slotEncoded = slotEncoded
    this.#changes = changes
  }

  describe(operation: Operation): void {
    const start = this.#changes.length
    const facts = isAlone(operation) ? NO_FACTS : factsOf(operation, this.#slotEncoded)
    for (const row of operation.rows) {
      const change = this.#change(row, operation, facts)
      if (change === undefined) continue
      const whole: Change = { sequence: row.sequence, batchSequence: this.#batchSequence, ...change }
      if (this.#replicationId !== undefined) whole.replicationId = this.#replicationId
      this.#changes.push(whole)
    }
    for (const [nsKey, keyFacts] of facts) this.#finish(nsKey, keyFacts, operation, start)
  }

  #change(row: Row, operation: Operation, facts: OperationFacts): RowChange | undefined {
    switch (row.cf) {
      case CF_METADATA:
        return row.kind === 'range' ? serverChange(row, this.#slotEncoded) : this.#keyChange(row, operation, facts)
      case CF_DEFAULT:
      case CF_STREAM:
        return row.kind === 'range' ? serverChange(row, this.#slotEncoded) : this.#elementChange(row, operation, facts)
      case CF_ZSET_SCORE:
        return row.kind === 'range' ? serverChange(row, this.#slotEncoded) : undefined
      default:
        return serverChange(row, this.#slotEncoded)
    }
  }

  #keyChange(row: Row, operation: Operation, facts: OperationFacts): RowChange | undefined {
    const parsed = parseNsKey(row.key, this.#slotEncoded)
    if (parsed === undefined) return unknownRow(row)
    const { namespace, key } = parsed
    if (row.kind === 'delete') {
      if (isEmptyRemoval(operation.log)) return undefined
      return { namespace, type: 'none', key, op: isExpiry(operation) ? 'expire' : 'delete', command: [DEL, key] }
    }
    // What a hash has left when fields have expired is no change.
    if (isFieldExpiry(operation.log)) return undefined
    const stored = row.value
    try {
      checkRow(stored)
    } catch (error) {
      if (error instanceof MetadataFormatError) return unknownRow(row)
      throw error
    }
    const expireMs = expireMsOf(stored)
    const type = TYPE_NAMES[rowType(stored)] ?? 'none'
    const base = { namespace, type, key }
    if (isExpiry(operation)) {
      return expiry(base, expireMs)
    }
    if (isSingleRow(rowType(stored))) return singleRow(base, stored, expireMs)
    const keyFacts = facts.get(row.key.latin1Slice(0))
    const hasElements = keyFacts !== undefined && keyFacts.puts.length + keyFacts.removes.length > 0
    if (rowType(stored) === TYPE_STREAM && keyFacts !== undefined && !isSetId(operation)) {
      const command = this.#restoreOf(key, keyFacts)
      if (command !== undefined) return { ...base, op: 'put', command }
    }
    if (rowType(stored) === TYPE_STREAM) return streamMetadataChange(base, keyFacts?.metadata, operation, hasElements)
    if (isEmptyable(rowType(stored))) return opaque(base, stored, expireMs)
    if (rowType(stored) === TYPE_BITMAP && keyFacts !== undefined) {
      const length = bitmapLengthChange(base, operation, keyFacts)
      if (length !== undefined) return length
    }
    if (hasElements) return undefined
    return sizeOf(stored) === 0 ? { ...base, op: 'delete', command: [DEL, key] } : expiry(base, expireMs)
  }

  #elementChange(row: Row, operation: Operation, facts: OperationFacts): RowChange | undefined {
    const parsed = parseInternalKey(row.key, this.#slotEncoded)
    const nsKey = nsKeyOf(row.key, this.#slotEncoded)
    if (parsed === undefined || nsKey === undefined) return unknownRow(row)
    const keyFacts = facts.get(nsKey) as KeyFacts
    if (row.cf === CF_STREAM) {
      if (this.#restoreOf(parsed.key, keyFacts) !== undefined) return undefined
      const change = streamChange(row, parsed, keyFacts) ?? unknownRow(row)
      return change === 'covered' ? undefined : change
    }
    // What a copy clears away first is gone with the key that begins anew.
    if (row.kind === 'delete' && isCopy(keyFacts)) return undefined
    return elementChange(row, parsed, operation, keyFacts)
  }

  #restoreOf(key: Bytes, facts: KeyFacts): readonly Bytes[] | undefined {
    facts.restore ??= streamRestore(key, facts, this.#slotEncoded) ?? 'none'
    return facts.restore === 'none' ? undefined : facts.restore
  }

  /** Says of the key's first change that it begins anew, and of its last when it expires. */
  #finish(nsKey: string, facts: KeyFacts, { log }: Operation, start: number): void {
    const { metadata } = facts
    if (metadata === undefined || (facts.puts.length === 0 && !isRestored(facts))) return
    // Its expiry only hides it until the last part has come, which says the true one.
    const isFirstPart = beginsCopy(log)
    const expireMs = isFirstPart ? 0 : metadata.expireMs
    const isFresh = isFirstPart || this.#isAnew(facts, metadata)
    if (!isFresh && expireMs === 0) return
    const key = parseNsKey(latin1(nsKey), this.#slotEncoded)?.key
    if (key === undefined) return
    const own = this.#changes.slice(start).filter((change) => change.op === 'put' && change.key?.equals(key) === true)
    const [first] = own
    const last = own.at(-1)
    if (isFresh && first !== undefined) first.isFresh = true
    if (expireMs !== 0 && last !== undefined) last.expireMs = expireMs
  }

  #isAnew(facts: KeyFacts, metadata: Metadata): boolean {
    if (metadata.type !== TYPE_STREAM) return isRewritten(facts, metadata)
    return isRestored(facts) || isRewrittenStream(facts, this.#slotEncoded)
  }
}

const NO_FACTS: OperationFacts = new Map()

/** True of one row that holds all of its key, as writes of strings are: nothing beside it says more. */
function isAlone({ rows }: Operation): boolean {
  const row = rows[0]
  if (row === undefined || rows.length > 1) return false
  return row.cf === CF_METADATA && row.kind === 'put' && row.value.length > 0 && isSingleRow(rowType(row.value))
}

function isRestored({ restore }: KeyFacts): boolean {
  return restore !== undefined && restore !== 'none'
}

/** True of EXPIRE and its kin, and of the deletion of a key whose time is over. */
function isExpiry({ log }: Operation): boolean {
  return log?.type === 0 && Number(log.words[0]?.latin1Slice(0)) === LOG_EXPIRE
}

interface Base {
  readonly namespace: Bytes
  readonly type: string
  readonly key: Bytes
}

function expiry(base: Base, expireMs: number): RowChange {
  if (expireMs === 0) return { ...base, op: 'ttl', command: [PERSIST, base.key] }
  return { ...base, op: 'ttl', command: [PEXPIREAT, base.key, decimal(expireMs)], expireMs }
}

function singleRow(base: Base, stored: Bytes, expireMs: number): RowChange {
  const value = stored.subarray(headerSize(stored))
  const { namespace, type, key } = base
  if (rowType(stored) === TYPE_STRING) {
    // Most changes are such; spreading objects is slow.
    if (expireMs === 0) return { namespace, type, key, op: 'put', command: [SET, key, value] }
    return { namespace, type, key, op: 'put', command: [SET, key, value, PXAT, decimal(expireMs)], expireMs }
  }
  const expires = expireMs === 0 ? {} : { expireMs }
  const text = rowType(stored) === TYPE_JSON ? jsonText(value) : undefined
  if (text === undefined) return opaque(base, stored, expireMs)
  return { ...base, op: 'put', command: [JSON_SET, base.key, ROOT, text], ...expires }
}

function opaque(base: Base, value: Bytes, expireMs: number): RowChange {
  return { ...base, op: 'opaque', value, ...(expireMs === 0 ? {} : { expireMs }) }
}
