/**
 * Where slots survive a restart: one JSON file beside the database, replaced as a whole. Rows of the database would be
 * the other place, but each of them takes a sequence, is replicated to every replica, and would be seen by a Kvrocks that
 * opens the directory: a slot is of one server alone.
 *
 *   {"version":1,"slots":[{"name", "namespace", "position", "filter":{"patterns", "types", "ops", "namespaces"},
 *     "bytesMax", "ageMsMax", "createdMs", "activeMs", "loss":{"reason", "sequence", "atMs"}}]}
 *
 * Byte strings are in base64.
 */

import { readFileSync } from 'node:fs'
import { replaceFile } from '../files/replace-file.js'
import { CHANGE_OPS } from './change.js'
import { SLOT_LOSS_TEXTS, type SlotLoss } from './slot.js'

export interface SlotRecord {
  readonly name: string
  /** Base64 of the stored form. */
  readonly namespace: string
  readonly position: number
  readonly filter: {
    readonly patterns: readonly string[]
    readonly types: readonly string[]
    readonly ops: readonly string[]
    readonly namespaces: readonly string[]
  }
  readonly bytesMax: number
  readonly ageMsMax: number
  readonly createdMs: number
  readonly activeMs: number
  readonly loss?: SlotLoss
}

const VERSION = 1

export class SlotFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** None if there is no file. Throws an Error that names the file if it is not what write() wrote. */
  read(): SlotRecord[] {
    let text: string
    try {
      text = readFileSync(this.path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    try {
      const { version, slots } = JSON.parse(text) as { version: unknown; slots: unknown }
      if (version !== VERSION || !Array.isArray(slots) || !slots.every(isRecord)) throw new Error('unknown content')
      return slots
    } catch (error) {
      throw new Error(
        `${this.path} holds no slots; without it the server starts with none: ${(error as Error).message}`,
      )
    }
  }

  /** Resolves when they are on the disk. One at a time. */
  async write(slots: readonly SlotRecord[]): Promise<void> {
    await replaceFile(this.path, `${JSON.stringify({ version: VERSION, slots })}\n`, 0o600)
  }
}

function isRecord(value: unknown): value is SlotRecord {
  const { name, namespace, position, filter, bytesMax, ageMsMax, createdMs, activeMs, loss } = value as SlotRecord
  const numbers = [position, bytesMax, ageMsMax, createdMs, activeMs]
  return (
    [name, namespace].every((text) => typeof text === 'string') &&
    numbers.every(Number.isSafeInteger) &&
    [filter.patterns, filter.types, filter.ops, filter.namespaces].every(isTexts) &&
    filter.ops.every((op) => CHANGE_OPS.some((known) => known === op)) &&
    (loss === undefined || (Object.hasOwn(SLOT_LOSS_TEXTS, loss.reason) && Number.isSafeInteger(loss.sequence)))
  )
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}
