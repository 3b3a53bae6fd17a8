/**
 * The rows that the current turn has written and not yet committed, as later commands of the turn must see them.
 * Row keys are latin1 strings: a Map wants strings, and their order is that of the bytes.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { ColumnFamily } from './column-family.js'
import { COLUMN_FAMILY_NAMES } from './column-family.js'
import { readRecords } from './write-batch.js'

/** The value of a row, or null where the turn deleted it. */
export type OverlayRow = Buffer | null

interface DeletedRange {
  readonly cf: ColumnFamily
  readonly begin: string
  readonly end: string
}

export class Overlay {
  readonly #rows: Map<string, OverlayRow>[] = COLUMN_FAMILY_NAMES.map(() => new Map())
  #ranges: DeletedRange[] = []

  /** True if nothing in `cf` differs from the database. */
  isClean(cf: ColumnFamily): boolean {
    return (this.#rows[cf] as Map<string, OverlayRow>).size === 0 && this.#ranges.length === 0
  }

  size(cf: ColumnFamily): number {
    return (this.#rows[cf] as Map<string, OverlayRow>).size
  }

  /** The row as the turn left it; undefined if the turn did not touch it. */
  get(cf: ColumnFamily, key: string): OverlayRow | undefined {
    const row = (this.#rows[cf] as Map<string, OverlayRow>).get(key)
    if (row !== undefined || this.#ranges.length === 0) return row
    return this.isInDeletedRange(cf, key) ? null : undefined
  }

  set(cf: ColumnFamily, key: string, row: OverlayRow): void {
    ;(this.#rows[cf] as Map<string, OverlayRow>).set(key, row)
  }

  deleteRange(cf: ColumnFamily, begin: string, end: string): void {
    const rows = this.#rows[cf] as Map<string, OverlayRow>
    for (const key of rows.keys()) if (key >= begin && key < end) rows.set(key, null)
    this.#ranges.push({ cf, begin, end })
  }

  /** Takes the records of `batch` from `offset` on, of the families that `wanted` says yes to; keeps views of the batch. */
  replay(batch: Bytes, offset: number, wanted: (cf: ColumnFamily) => boolean): void {
    readRecords(batch, offset, {
      put: (cf, key, value) => wanted(cf) && this.set(cf, key.latin1Slice(0), value),
      delete: (cf, key) => wanted(cf) && this.set(cf, key.latin1Slice(0), null),
      deleteRange: (cf, begin, end) => wanted(cf) && this.deleteRange(cf, begin.latin1Slice(0), end.latin1Slice(0)),
      logData: () => {},
    })
  }

  /** True if the database's row `key`, when the turn did not write it since, is deleted by range. */
  isInDeletedRange(cf: ColumnFamily, key: string): boolean {
    return this.#ranges.some((range) => range.cf === cf && key >= range.begin && key < range.end)
  }

  get hasDeletedRanges(): boolean {
    return this.#ranges.length > 0
  }

  /** The touched rows from `lower` up to, not including, `upper` (undefined = no end), in ascending order. */
  between(cf: ColumnFamily, lower: string, upper: string | undefined): [string, OverlayRow][] {
    const found: [string, OverlayRow][] = []
    for (const entry of this.#rows[cf] as Map<string, OverlayRow>) {
      if (entry[0] >= lower && (upper === undefined || entry[0] < upper)) found.push(entry)
    }
    return found.sort((a, b) => (a[0] < b[0] ? -1 : 1))
  }

  clear(): void {
    // Map.clear leaves a table behind that points to the new one: once the first of them is old, all later ones outlive
    // their turns, a KiB a commit, until the collector stops everything to look at the whole heap.
    for (let cf = 0; cf < this.#rows.length; cf++) if (this.#rows[cf]?.size !== 0) this.#rows[cf] = new Map()
    if (this.#ranges.length > 0) this.#ranges = []
  }
}
