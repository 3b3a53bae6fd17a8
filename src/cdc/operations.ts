/** A write batch taken apart into operations: the rows that follow one log data, which says what they are. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { ColumnFamily } from '../storage/column-family.js'
import { CF_METADATA } from '../storage/column-family.js'
import { parseInternalKey } from '../storage/keys.js'
import { type LogData, parseLogData, replicationIdOf } from '../storage/log-data.js'
import {
  checkRow,
  type DataType,
  decodeMetadata,
  isSingleRow,
  type Metadata,
  MetadataFormatError,
  rowType,
} from '../storage/metadata.js'
import { BatchFormatError, batchSequence, readBatch } from '../storage/write-batch.js'

export interface Row {
  readonly kind: 'put' | 'delete' | 'range'
  readonly cf: ColumnFamily
  /** Of a range, its first key. */
  readonly key: Bytes
  /** Of a range, its end. */
  readonly value: Bytes
  readonly sequence: number
}

export interface Operation {
  /** Undefined where the batch says nothing of the rows. */
  readonly log: LogData | undefined
  /** The log data as it stands, for words with spaces. */
  readonly logBlob: Bytes
  readonly rows: Row[]
}

export interface BatchContent {
  readonly batchSequence: number
  readonly operations: readonly Operation[]
  readonly replicationId: string | undefined
  /** True if the batch was not understood to its end; then `operations` holds what came before. */
  readonly isCut: boolean
  /** The sequence after the last row that was understood. */
  readonly nextSequence: number
}

/** Views of `batch`. */
export function readOperations(batch: Bytes): BatchContent {
  const operations: Operation[] = []
  const first = batch.length >= 8 ? batchSequence(batch) : 0
  let current: Operation | undefined
  let replicationId: string | undefined
  let sequence = first
  const add = (kind: Row['kind'], cf: ColumnFamily, key: Bytes, value: Bytes): void => {
    if (current === undefined) {
      current = { log: undefined, logBlob: EMPTY, rows: [] }
      operations.push(current)
    }
    current.rows.push({ kind, cf, key, value, sequence: sequence++ })
  }
  let isCut = false
  try {
    readBatch(batch, {
      put: (cf, key, value) => add('put', cf, key, value),
      delete: (cf, key) => add('delete', cf, key, EMPTY),
      deleteRange: (cf, begin, end) => add('range', cf, begin, end),
      logData(blob) {
        const id = replicationIdOf(blob)
        if (id !== undefined) {
          replicationId = id
          return
        }
        current = { log: parseLogData(blob), logBlob: blob, rows: [] }
        operations.push(current)
      },
    })
  } catch (error) {
    if (!(error instanceof BatchFormatError)) throw error
    isCut = true
  }
  return { batchSequence: first, operations, replicationId, isCut, nextSequence: sequence }
}

/** What one operation does to one key. */
export interface KeyFacts {
  /** The last metadata row of the key; undefined if there is none, or none that can be read. */
  metadata: Metadata | undefined
  /** The sequence of that row. */
  metadataSequence: number
  /** The type by its metadata row. */
  type: DataType | undefined
  /** Rows of elements that were put, without those of the second column family of sorted sets. */
  readonly puts: Row[]
  readonly removes: Row[]
  /** Of a stream that the operation writes as a whole: the command that does; undefined until it was asked for. */
  restore?: readonly Bytes[] | 'none'
  /** Of a stream: the groups that go, once it was asked for them. */
  removedGroups?: ReadonlySet<string>
}

/** What an operation does to each of its keys, by nsKey in latin1. */
export type OperationFacts = ReadonlyMap<string, KeyFacts>

const CF_ZSET_SCORE = 2

/** `nsKeyOf` gives the stored form of the user key that a sub-key row belongs to. */
export function factsOf(operation: Operation, slotEncoded: boolean): OperationFacts {
  const facts = new Map<string, KeyFacts>()
  const of = (nsKey: string): KeyFacts => {
    let found = facts.get(nsKey)
    if (found === undefined) {
      found = { metadata: undefined, metadataSequence: 0, type: undefined, puts: [], removes: [] }
      facts.set(nsKey, found)
    }
    return found
  }
  for (const row of operation.rows) {
    if (row.cf === CF_METADATA) {
      if (row.kind === 'put') addMetadata(of(row.key.latin1Slice(0)), row)
      continue
    }
    if (row.kind === 'range' || row.cf === CF_ZSET_SCORE || (row.cf !== 0 && row.cf !== 5)) continue
    const nsKey = nsKeyOf(row.key, slotEncoded)
    if (nsKey === undefined) continue
    const found = of(nsKey)
    if (row.kind === 'put') found.puts.push(row)
    else found.removes.push(row)
  }
  return facts
}

function addMetadata(facts: KeyFacts, { value, sequence }: Row): void {
  try {
    checkRow(value)
  } catch (error) {
    if (error instanceof MetadataFormatError) return
    throw error
  }
  facts.type = rowType(value)
  facts.metadataSequence = sequence
  if (!isSingleRow(facts.type)) facts.metadata = decodeMetadata(value)
}

/**
 * True of what COPY writes alone: the metadata row before all elements, and before it at most the removal of elements
 * that the former key would leave behind, for copies keep the version.
 */
export function isCopy({ metadata, metadataSequence, puts, removes }: KeyFacts): boolean {
  const [first] = puts
  if (metadata === undefined || first === undefined || metadataSequence > first.sequence) return false
  return removes.every(({ sequence }) => sequence < metadataSequence)
}

/** The nsKey, latin1, of the key that an internalKey belongs to; undefined if it is none. */
export function nsKeyOf(internalKey: Bytes, slotEncoded: boolean): string | undefined {
  const parsed = parseInternalKey(internalKey, slotEncoded)
  if (parsed === undefined) return undefined
  const head = 1 + parsed.namespace.length + (slotEncoded ? 2 : 0)
  return internalKey.latin1Slice(0, head) + parsed.key.latin1Slice(0)
}
