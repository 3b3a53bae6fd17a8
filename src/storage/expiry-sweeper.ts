/**
 * Deletes keys and fields of hashes that have expired, a few at a time, round and round through all namespaces. Readers
 * never see them anyway; the sweep is what frees their space before a compaction does, tells followers of the log, and
 * notifies `expired` and `hexpired`. Kvrocks leaves this to compactions.
 */

import { type Bytes, copy, EMPTY } from '../bytes/bytes.js'
import { CF_METADATA } from './column-family.js'
import { type DroppedFields, deleteExpired, dropExpiredFields } from './expired-fields.js'
import { namespacePrefix, parseNsKey, subkeyPrefix } from './keys.js'
import { EMPTY_LOG_DATA, FIELDS_EXPIRED_LOG_DATA } from './log-data.js'
import {
  decodeMetadata,
  earliestFieldMs,
  encodeMetadata,
  expiredPart,
  fieldExpiryOf,
  fieldExpiryTail,
  isExpired,
  isReadable,
  type Metadata,
  nextExpiryMs,
  rowType,
  TYPE_HASH,
} from './metadata.js'
import type { Store } from './store.js'
import type { ExpiryListener } from './turn-listeners.js'

/** A step ends after this time … */
const BUDGET_MS = 1
/** … unless at least every fourth row of it was expired: then there is much to do. */
const BUSY_BUDGET_MS = 10
const BUSY_SHARE = 1 / 4
/**
 * … and after so many steps in succession of which that is true, this. Where keys expire as fast as they can be written the
 * sweep has to keep up, for compactions leave them to it: it deletes 50,000 a second within the former time.
 */
const BUSY_STEPS_MAX = 20
const LONG_BUDGET_MS = 25
/** Where nobody tells of them, expired rows are left so long. */
const UNTOLD_MS = 3_600_000
/** Rows between two looks at the clock. */
const CHUNK_ROWS = 64
const CHUNK_FIELDS = 1024

/** A hash whose fields are being looked through. */
interface HashPass {
  readonly nsKey: Bytes
  readonly version: Bytes
  readonly prefix: Bytes
  /** The field at which it goes on. */
  from: Bytes
  /** When the first field expires that was seen and is left; infinite if none does. */
  earliestMs: number
  /** Fields were deleted. */
  hasDropped: boolean
}

interface Found {
  readonly isLast: boolean
  readonly rowCount: number
  readonly expired: Bytes[]
  /** Hashes with fields that may have expired. */
  readonly hashes: Bytes[]
}

export class ExpirySweeper {
  /** DEBUG SET-ACTIVE-EXPIRE. */
  isEnabled = true
  /** Keys deleted so far. */
  expiredCount = 0
  readonly #store: Store
  readonly #onExpired: ExpiryListener
  /** The row at which the next step begins; empty: the first. */
  #next: Bytes = EMPTY
  /** Hashes to look through before the next rows. */
  readonly #hashes: Bytes[] = []
  /** The last row was read, and the round ends with the hashes. */
  #hasReadAll = false
  /** How many steps in succession have ended with much left to do. */
  #busySteps = 0
  #pass: HashPass | undefined

  constructor(store: Store, onExpired: ExpiryListener) {
    this.#store = store
    this.#onExpired = onExpired
  }

  /** No round has ended since the start: writes are dearer until one has, so its steps should follow fast. */
  get isFirstRound(): boolean {
    return this.#store.turn.expiries.earliestMs === 0
  }

  /**
   * Says what compactions may drop at `nowMs` because its time is over. Where the sweep goes round (`isTelling`): nothing,
   * for it comes to every row, deletes it, and the feed tells of the deletion, while a row that a compaction drops is told
   * to nobody. Elsewhere nobody would ever delete it: on a replica of a Kvrocks, which leaves that to the compactions of
   * each, and while the sweep is stopped. But a replica may become the master, and has to tell then what its master did
   * not come to; so rows are left for an hour.
   */
  limitReclaim(isTelling: boolean, nowMs: number): void {
    if (this.#store.rocks.isOpen) this.#store.rocks.setReclaimBefore(isTelling ? 0 : nowMs - UNTOLD_MS)
  }

  /**
   * Looks at the next rows and deletes those that are expired at `nowMs`. What it deletes belongs to the turn, whose end
   * the caller sees to. True if it came to the last row.
   */
  step(nowMs: number): boolean {
    const startMs = performance.now()
    let seen = 0
    let deleted = 0
    for (;;) {
      if (this.#pass !== undefined || this.#hashes.length > 0) {
        deleted += this.#sweepHash(nowMs)
      } else {
        const found = this.#readChunk(nowMs)
        this.#hasReadAll = found.isLast
        seen += found.rowCount
        for (const nsKey of found.expired) if (this.#delete(nsKey, nowMs)) deleted++
        this.#hashes.push(...found.hashes)
      }
      const isLast = this.#hasReadAll && this.#pass === undefined && this.#hashes.length === 0
      if (isLast) this.#store.turn.expiries.endRound()
      const isBusy = deleted >= seen * BUSY_SHARE
      const budgetMs = isBusy ? this.#busyBudgetMs : BUDGET_MS
      if (!isLast && performance.now() - startMs < budgetMs) continue
      this.#busySteps = isBusy && !isLast ? this.#busySteps + 1 : 0
      return isLast
    }
  }

  get #busyBudgetMs(): number {
    return this.#busySteps < BUSY_STEPS_MAX ? BUSY_BUDGET_MS : LONG_BUDGET_MS
  }

  #readChunk(nowMs: number): Found {
    const { turn } = this.#store
    if (this.#next.length === 0) turn.expiries.beginRound(this.#isCommitted)
    using rows = this.#store.rocks.iterator({ cf: CF_METADATA, lower: this.#next, fillCache: false })
    const expired: Bytes[] = []
    const hashes: Bytes[] = []
    let rowCount = 0
    for (; rows.next(); rowCount++) {
      if (rowCount === CHUNK_ROWS) {
        this.#next = copy(rows.key)
        return { isLast: false, rowCount, expired, hashes }
      }
      const { value } = rows
      // What cannot be read is not ours to delete.
      if (!isReadable(value)) continue
      if (hasExpiredFields(value, nowMs)) hashes.push(copy(rows.key))
      else if (isExpired(value, nowMs)) expired.push(copy(rows.key))
      else turn.expiries.note(nextExpiryMs(value))
    }
    this.#next = EMPTY
    return { isLast: true, rowCount, expired, hashes }
  }

  /** Nothing is written that an iterator does not see. */
  get #isCommitted(): boolean {
    const { turn } = this.#store
    return !turn.isDirty && !turn.isFlying
  }

  /** The iterator shows what is committed; the turn may have changed the row since. */
  #delete(nsKey: Bytes, nowMs: number): boolean {
    const { turn } = this.#store
    const row = turn.read(CF_METADATA, turn.compose(EMPTY, nsKey))
    if (row === undefined || !isReadable(row) || !isExpired(row, nowMs) || hasExpiredFields(row, nowMs)) return false
    const part = expiredPart(row, nowMs)
    if (part === undefined) {
      turn.aside(EMPTY_LOG_DATA, () => turn.delete(CF_METADATA, turn.compose(EMPTY, nsKey)))
      return true
    }
    deleteExpired(turn, turn.compose(EMPTY, nsKey))
    if (part === 'key') this.expiredCount++
    this.#tell(nsKey, part)
    return true
  }

  #tell(nsKey: Bytes, part: Parameters<ExpiryListener>[2]): void {
    const parsed = parseNsKey(nsKey, this.#store.slotEncoded)
    if (parsed !== undefined) this.#onExpired(parsed.namespace, parsed.key, part)
  }

  /** Looks through the next fields of a hash. Returns how many it deleted. */
  #sweepHash(nowMs: number): number {
    const { turn } = this.#store
    const pass = this.#pass ?? this.#beginPass(this.#hashes.shift() as Bytes, nowMs)
    this.#pass = undefined
    if (pass === undefined) return 0
    const metadata = this.#hashOf(pass)
    if (metadata === undefined) return 0
    const { prefix, from } = pass
    const isWhole = from.length === 0 && this.#isCommitted
    const dropped = dropExpiredFields(turn, { prefix, from, rowsMax: CHUNK_FIELDS }, nowMs)
    const { count, next } = dropped
    pass.earliestMs = Math.min(pass.earliestMs, dropped.earliestMs)
    pass.hasDropped ||= count > 0
    if (next === undefined || count > 0) this.#noteLeft(pass, metadata, dropped, isWhole)
    if (next === undefined) return count
    pass.from = next
    this.#pass = pass
    return count
  }

  #beginPass(nsKey: Bytes, nowMs: number): HashPass | undefined {
    const { turn, slotEncoded } = this.#store
    const row = turn.read(CF_METADATA, turn.compose(EMPTY, nsKey))
    const parsed = parseNsKey(nsKey, slotEncoded)
    if (row === undefined || parsed === undefined || !isReadable(row) || !hasExpiredFields(row, nowMs)) return undefined
    const version = copy(decodeMetadata(row).version)
    const prefix = subkeyPrefix(namespacePrefix(parsed.namespace), slotEncoded, parsed.key, version)
    turn.expiries.beginHash(this.#isCommitted)
    return { nsKey, version, prefix, from: EMPTY, earliestMs: Number.POSITIVE_INFINITY, hasDropped: false }
  }

  /** Undefined if it is not the same hash any more. */
  #hashOf({ nsKey, version }: HashPass): Metadata | undefined {
    const { turn } = this.#store
    const row = turn.read(CF_METADATA, turn.compose(EMPTY, nsKey))
    if (row === undefined || !isReadable(row) || rowType(row) !== TYPE_HASH) return undefined
    const metadata = decodeMetadata(copy(row))
    return metadata.version.equals(version) ? metadata : undefined
  }

  /** Writes what is left of the hash; deletes it if that is nothing. `isWhole`: the range began with the first field. */
  #noteLeft(pass: HashPass, metadata: Metadata, dropped: DroppedFields, isWhole: boolean): void {
    const { nsKey, earliestMs, hasDropped } = pass
    const { turn } = this.#store
    const expiry = fieldExpiryOf(metadata)
    if (expiry === undefined) return
    const hasEnded = dropped.next === undefined
    // Of a small hash the numbers are exact from now on.
    metadata.size = isWhole && hasEnded ? dropped.left : Math.max(0, metadata.size - dropped.count)
    if (isWhole && hasEnded) expiry.persistent = dropped.persistent
    if (hasEnded) {
      const firstMs = Math.min(earliestMs, turn.expiries.fieldMs)
      expiry.earliestMs = Number.isFinite(firstMs) ? firstMs : 0
    }
    expiry.persistent = Math.min(expiry.persistent, metadata.size)
    if (expiry.persistent === metadata.size) Object.assign(expiry, { earliestMs: 0, latestMs: 0 })
    metadata.tail = fieldExpiryTail(expiry)
    const row = encodeMetadata(metadata)
    turn.expiries.note(nextExpiryMs(row))
    const isGone = hasEnded && metadata.size === 0
    if (isGone) deleteExpired(turn, turn.compose(EMPTY, nsKey))
    else turn.aside(FIELDS_EXPIRED_LOG_DATA, () => turn.put(CF_METADATA, turn.compose(EMPTY, nsKey), row))
    if (isGone) this.#tell(nsKey, 'fields')
    else if (hasEnded && hasDropped) this.#tell(nsKey, 'some fields')
  }
}

/** True of a hash that is alive but for fields that may have expired. */
function hasExpiredFields(row: Bytes, nowMs: number): boolean {
  if (rowType(row) !== TYPE_HASH || expiredPart(row, nowMs) !== 'fields') return false
  const fieldMs = earliestFieldMs(row)
  return fieldMs !== 0 && fieldMs < nowMs
}
