/**
 * Random elements of large collections. To draw one, the rows have to be walked up to it; so a walk draws many, and the
 * next draws take theirs from what it found, as if each had walked itself: each element that is there at that moment is
 * drawn with the same probability, whatever was drawn before.
 *
 *   base      the elements at the time of the walk, of which `kept` is the beginning of a random order that no draw has
 *             come to yet, and `shown` what draws have come to; the rest of it is not in memory
 *   written   the elements that were written since: told by the turn (SubkeyListener), those deleted again taken out
 *
 * A draw chooses among the places of the base and of `written`. A place of the base whose element is gone, or is among
 * `written`, is no place any more: it is struck out when a draw meets it, and the draw chooses again.
 */

import type { Bytes } from '../bytes/bytes.js'
import { CF_DEFAULT, type ColumnFamily } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import type { RowWalk } from '../storage/row-cursor.js'
import type { Subkeys } from '../storage/subkeys.js'
import type { Turn } from '../storage/turn.js'
import type { SubkeyListener } from '../storage/turn-listeners.js'
import { BATCH_HEADER_BYTES, readRecords } from '../storage/write-batch.js'
import { KeyBag } from './key-bag.js'
import { randomBelow, type SampledRow, sampleRows } from './sample.js'

/** Below it, walking costs less than looking up what was kept. */
const SIZE_MIN = 128
const KEPT_MAX = 8192
const KEPT_BYTES_MAX = 1024 * 1024
const COUNT_MAX = 1024
/** A walk takes a row in about a tenth of the time in which a key is looked up. */
const ROWS_PER_LOOKUP = 8
const COLLECTIONS_MAX = 16
/** A collection of which nothing is drawn for so long is forgotten: its writers should not pay for nothing. */
const IDLE_MS_MAX = 10_000

/** The elements of one collection. */
export interface DrawSource {
  readonly rows: Subkeys
  /** How many rows there are, or more, if some vanish silently. */
  readonly rowsMax: number
  /** How many elements there are; may walk the rows. */
  size(): number
  open(values: boolean): RowWalk
  /** The value in a row; undefined if the element counts as absent. */
  valueOf(row: Bytes): Bytes | undefined
}

/** The rows of a collection that are its elements, of which there are `size`. */
export function drawSource(rows: Subkeys, size: number): DrawSource {
  return { rows, rowsMax: size, size: () => size, open: (values) => rows.scan({ values }), valueOf: (row) => row }
}

/**
 * `count` > 0: so many different elements, or all; < 0: -`count` elements, each drawn from all. In random order.
 * `values` false: the values need not be right.
 */
export function drawRows(db: Database, source: DrawSource, count: number, values = true): SampledRow[] {
  const { rows, rowsMax } = source
  const wanted = Math.abs(count)
  if (wanted === 0) return []
  if (rowsMax >= SIZE_MIN && wanted <= COUNT_MAX && wanted * ROWS_PER_LOOKUP <= rowsMax) {
    const reservoirs = reservoirsOf(db.turn)
    const known = reservoirs.find(rows.prefix, db.nowMs)
    const drawn = known?.isGoodFor(wanted, rowsMax) === true ? known.draw(source, count) : undefined
    if (drawn !== undefined) return drawn
    const filled = new Reservoir(source, wanted, db.nowMs)
    reservoirs.keep(filled)
    const drawnAnew = filled.isGoodFor(wanted, rowsMax) ? filled.draw(source, count) : undefined
    if (drawnAnew !== undefined) return drawnAnew
  }
  return sampleRows(source.size(), count, () => source.open(values))
}

/** What is known of one collection. */
class Reservoir {
  readonly prefix: Buffer
  usedMs: number
  readonly #kept: Bytes[] = []
  readonly #shown: Bytes[] = []
  readonly #written = new KeyBag()
  /** Places of the base. */
  #places: number

  /** Walks the rows of `source`, so that at least `wanted` can be drawn. */
  constructor(source: DrawSource, wanted: number, nowMs: number) {
    this.prefix = Buffer.from(source.rows.prefix)
    this.usedMs = nowMs
    const size = source.size()
    this.#places = size
    let bytes = 0
    for (const { key } of sampleRows(size, Math.min(KEPT_MAX, size), () => source.open(false))) {
      bytes += key.length
      if (bytes > KEPT_BYTES_MAX && this.#kept.length >= drawsAtMost(wanted)) break
      this.#kept.push(key)
    }
  }

  /** False if what is kept may not suffice for `wanted` draws, or has too much in it that is gone. */
  isGoodFor(wanted: number, rowsMax: number): boolean {
    const hidden = this.#places - this.#shown.length - this.#kept.length
    const all = this.#places + this.#written.size
    return (hidden === 0 || this.#kept.length >= drawsAtMost(wanted)) && all >= wanted * 2 && all <= rowsMax * 2
  }

  /** Undefined if too much of what is kept is gone: it is good for nothing then. */
  draw(source: DrawSource, count: number): SampledRow[] | undefined {
    const wanted = Math.abs(count)
    const seen = count > 0 ? new Set<string>() : undefined
    const drawn: SampledRow[] = []
    for (let tries = 64 + 8 * wanted; tries > 0 && drawn.length < wanted; tries--) {
      const all = this.#places + this.#written.size
      if (all === 0) return undefined
      const place = randomBelow(all)
      const row = place < this.#places ? this.#drawBase(source, place) : this.#drawWritten(source)
      if (row === 'none left') return undefined
      if (row === undefined) continue
      const name = seen === undefined ? '' : row.key.latin1Slice(0)
      if (seen?.has(name) === true) continue
      seen?.add(name)
      drawn.push(row)
    }
    return drawn.length < wanted ? undefined : drawn
  }

  noteWritten(subKey: Bytes): boolean {
    this.#written.add(subKey.latin1Slice(0))
    return this.#written.size <= KEPT_MAX && this.#written.bytes <= KEPT_BYTES_MAX
  }

  noteDeleted(subKey: Bytes): void {
    this.#written.delete(subKey.latin1Slice(0))
  }

  #drawBase(source: DrawSource, place: number): SampledRow | 'none left' | undefined {
    const shown = this.#shown
    const isNew = place >= shown.length
    if (isNew) {
      const key = this.#kept.pop()
      if (key === undefined) return 'none left'
      shown.push(key)
    }
    const at = isNew ? shown.length - 1 : place
    const key = shown[at] as Bytes
    const row = this.#written.has(key.latin1Slice(0)) ? undefined : rowOf(source, key)
    if (row !== undefined) return row
    const last = shown.pop() as Bytes
    if (at < shown.length) shown[at] = last
    this.#places--
    return undefined
  }

  #drawWritten(source: DrawSource): SampledRow | undefined {
    const name = this.#written.at(randomBelow(this.#written.size))
    const row = rowOf(source, Buffer.from(name, 'latin1'))
    if (row === undefined) this.#written.delete(name)
    return row
  }
}

function rowOf(source: DrawSource, key: Bytes): SampledRow | undefined {
  const row = source.rows.get(key)
  const value = row === undefined ? undefined : source.valueOf(row)
  return value === undefined ? undefined : { key, value }
}

/** So many new places suffice for `wanted` draws, unless more than half of what is kept is gone. */
function drawsAtMost(wanted: number): number {
  return 32 + 3 * wanted
}

/** What is known of all collections, by the prefix of their rows: a new life of a key has another. */
class Reservoirs implements SubkeyListener {
  readonly #turn: Turn
  /** The one used last stands last. */
  readonly #byPrefix = new Map<string, Reservoir>()

  constructor(turn: Turn) {
    this.#turn = turn
  }

  find(prefix: Buffer, nowMs: number): Reservoir | undefined {
    const name = prefix.latin1Slice(0)
    const reservoir = this.#byPrefix.get(name)
    if (reservoir === undefined) return undefined
    reservoir.usedMs = nowMs
    this.#byPrefix.delete(name)
    this.#byPrefix.set(name, reservoir)
    return reservoir
  }

  keep(reservoir: Reservoir): void {
    const name = reservoir.prefix.latin1Slice(0)
    this.#byPrefix.delete(name)
    this.#byPrefix.set(name, reservoir)
    for (const oldest of this.#byPrefix.keys()) {
      if (this.#byPrefix.size <= COLLECTIONS_MAX) break
      this.#byPrefix.delete(oldest)
    }
    this.#turn.subkeyListener = this
  }

  written(prefix: Bytes, subKey: Bytes): void {
    const name = prefix.latin1Slice(0)
    const reservoir = this.#byPrefix.get(name)
    if (reservoir === undefined) return
    const isIdle = this.#turn.nowMs - reservoir.usedMs > IDLE_MS_MAX
    if (isIdle || !reservoir.noteWritten(subKey)) this.#forget(name)
  }

  deleted(prefix: Bytes, subKey: Bytes): void {
    this.#byPrefix.get(prefix.latin1Slice(0))?.noteDeleted(subKey)
  }

  rangeDeleted(prefix: Bytes): void {
    this.#forget(prefix.latin1Slice(0))
  }

  foreignBatch(batch: Bytes): void {
    const known = [...this.#byPrefix.values()]
    const tell = (cf: ColumnFamily, key: Bytes, listener: (prefix: Bytes, subKey: Bytes) => void): void => {
      if (cf !== CF_DEFAULT) return
      for (const { prefix } of known) {
        if (prefix.compare(key, 0, Math.min(prefix.length, key.length)) !== 0) continue
        listener(prefix, key.subarray(prefix.length))
      }
    }
    readRecords(batch, BATCH_HEADER_BYTES, {
      put: (cf, key) => tell(cf, key, (prefix, subKey) => this.written(prefix, subKey)),
      delete: (cf, key) => tell(cf, key, (prefix, subKey) => this.deleted(prefix, subKey)),
      deleteRange: (cf) => {
        if (cf === CF_DEFAULT) this.takenBack()
      },
      logData: () => {},
    })
  }

  takenBack(): void {
    this.#byPrefix.clear()
    this.#turn.subkeyListener = undefined
  }

  #forget(name: string): void {
    this.#byPrefix.delete(name)
    if (this.#byPrefix.size === 0) this.#turn.subkeyListener = undefined
  }
}

const ofTurns = new WeakMap<Turn, Reservoirs>()

function reservoirsOf(turn: Turn): Reservoirs {
  const known = ofTurns.get(turn)
  if (known !== undefined) return known
  const made = new Reservoirs(turn)
  ofTurns.set(turn, made)
  return made
}
