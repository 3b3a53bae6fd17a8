/**
 * How far an import has come, kept as a string beside the data that it has written, in the same transaction as the changes
 * before it: an import that was killed goes on there, and carries out nothing twice.
 */

import { type Bytes, latin1 } from '../../bytes/bytes.js'

/** Gone when the import has ended. */
export const POSITION_KEY = latin1('kvrocks-ts:import')

/** The history of the source, the bytes of it that are carried out, and the database that its next command is for. */
export interface Place {
  readonly id: string
  readonly offset: number
  readonly database: number
}

export interface Position {
  /** What is imported. */
  readonly source: string
  /** Undefined: the file of the source is being loaded. */
  readonly place: Place | undefined
}

export function encodePosition({ source, place }: Position): Bytes {
  return Buffer.from(JSON.stringify({ source, ...place }))
}

/** Undefined if it is none. */
export function decodePosition(text: Bytes): Position | undefined {
  let fields: unknown
  try {
    fields = JSON.parse(text.toString())
  } catch {
    return undefined
  }
  const { source, id, offset, database } = (fields ?? {}) as Partial<Record<keyof Place | 'source', unknown>>
  if (typeof source !== 'string') return undefined
  if (id === undefined) return { source, place: undefined }
  if (typeof id !== 'string' || !Number.isSafeInteger(offset) || !Number.isSafeInteger(database)) return undefined
  return { source, place: { id, offset: offset as number, database: database as number } }
}
