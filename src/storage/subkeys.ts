/** The rows that one life of a collection has in one column family, addressed by sub-key. */

import { type Bytes, concat, EMPTY } from '../bytes/bytes.js'
import { CF_DEFAULT, CF_ZSET_SCORE, type ColumnFamily } from './column-family.js'
import type { Database } from './database.js'
import { prefixEnd } from './keys.js'
import type { RowCursor } from './row-cursor.js'

export interface SubkeyScan {
  /** First sub-key, inclusive; undefined = from the first. */
  readonly from?: Bytes
  /** End, exclusive; undefined = to the last. */
  readonly to?: Bytes
  /** From the last sub-key of the range to the first. */
  readonly reverse?: boolean
  /** False if the values are not wanted. */
  readonly values?: boolean
  /** How many rows the caller expects to take; more can be taken. */
  readonly rowsExpected?: number
}

export class Subkeys {
  readonly #db: Database
  readonly #cf: ColumnFamily
  readonly #key: Bytes
  readonly #prefix: Buffer

  /** `prefix` is the part of the internalKey before the sub-key. */
  constructor(db: Database, cf: ColumnFamily, key: Bytes, prefix: Buffer) {
    this.#db = db
    this.#cf = cf
    this.#key = key
    this.#prefix = prefix
  }

  /** The rows of the same life in another column family. */
  inFamily(cf: ColumnFamily): Subkeys {
    return new Subkeys(this.#db, cf, this.#key, this.#prefix)
  }

  /** What all internal keys of these rows begin with; not to be changed. */
  get prefix(): Buffer {
    return this.#prefix
  }

  /** The value, valid until the command returns and not to be changed. */
  get(subKey: Bytes): Buffer | undefined {
    const { turn } = this.#db
    return turn.read(this.#cf, turn.compose(this.#prefix, subKey))
  }

  has(subKey: Bytes): boolean {
    return this.get(subKey) !== undefined
  }

  /** Values in the order of `subKeys`, in one read. */
  getMany(subKeys: readonly Bytes[]): (Buffer | undefined)[] {
    return this.#db.turn.readMany(
      this.#cf,
      subKeys.map((subKey) => concat(this.#prefix, subKey)),
    )
  }

  put(subKey: Bytes, value: Bytes = EMPTY): void {
    const { turn } = this.#db
    turn.put(this.#cf, turn.compose(this.#prefix, subKey), value)
    if (turn.touched.isObserved) this.#db.touch(this.#key)
    if (this.#cf !== CF_DEFAULT) return
    turn.derived.written(this.#prefix)
    turn.subkeyListener?.written(this.#prefix, subKey)
  }

  delete(subKey: Bytes): void {
    const { turn } = this.#db
    turn.delete(this.#cf, turn.compose(this.#prefix, subKey))
    if (turn.touched.isObserved) this.#db.touch(this.#key)
    if (this.#cf !== CF_DEFAULT) return
    turn.derived.written(this.#prefix)
    turn.subkeyListener?.deleted(this.#prefix, subKey)
  }

  /** Deletes the rows from `from` up to, not including, `to` by one record: for many rows. */
  deleteRange(from: Bytes, to: Bytes): void {
    const { turn } = this.#db
    turn.deleteRows(this.#cf, concat(this.#prefix, from), concat(this.#prefix, to))
    this.#db.touch(this.#key)
    if (this.#cf !== CF_DEFAULT) return
    turn.derived.written(this.#prefix)
    turn.subkeyListener?.rangeDeleted(this.#prefix)
  }

  /** The sub-keys of the `count` first rows, or last ones in reverse, of the zset_score column family. */
  outermost(count: number, reverse: boolean): Bytes[] {
    const { length } = this.#prefix
    const range = { lower: this.#prefix, upper: prefixEnd(this.#prefix), reverse, values: false, fillCache: false }
    const { turn } = this.#db
    const keys = turn.gaps.outermost(range, count, (wanted) => turn.scan(CF_ZSET_SCORE, wanted))
    return keys.map((key) => Buffer.from(key.slice(length), 'latin1'))
  }

  /** Walks rows in order of sub-key; the cursor's key is the sub-key. Close it, or declare it with `using`. */
  scan(range: SubkeyScan = {}): RowCursor {
    const { from = EMPTY, to, reverse = false, values = true, rowsExpected } = range
    return this.#db.turn.scan(this.#cf, {
      lower: concat(this.#prefix, from),
      upper: to === undefined ? prefixEnd(this.#prefix) : concat(this.#prefix, to),
      reverse,
      values,
      keySkip: this.#prefix.length,
      fillCache: false,
      rowsExpected,
    })
  }
}
