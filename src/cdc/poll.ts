/** One look at the feed: the batches or changes that follow a sequence. */

import type { Bytes } from '../bytes/bytes.js'
import { POLL_AHEAD, POLL_NO_DATA, sequenceMismatch, walGap, walUnreadable } from '../protocol/errors/feed.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { WalBatch } from '../rocksdb/wal-iterator.js'
import type { Store } from '../storage/store.js'
import { changesOf } from './changes.js'
import { type ChangeFilter, passes, passesAll, shownTo } from './filter.js'
import { writeChange } from './json-format.js'
import { JsonTexts } from './json-texts.js'
import type { OldValueReader } from './old-values.js'
import { StringPutWriter } from './string-put-writer.js'
import { StringPuts } from './string-puts.js'

export interface PollRange {
  /** The sequence of the last change that the reader has; -1 = none, and the log is read from its beginning. */
  readonly after: number
  readonly batchesMax: number
  /** A gap, or a batch that begins before the wanted sequence, is an error. */
  readonly isStrict: boolean
  /** Of changes in JSON; undefined = as many as there are. */
  readonly changesMax?: number
  /** Of changes in JSON: tells what they replaced. */
  readonly oldValues?: OldValueReader
  /** Of changes in JSON: what stands before each in the reply. */
  readonly frame?: Bytes
}

/** Bytes of batches that one look takes; a turn's batch may make it one more. */
const RAW_BYTES_MAX = 4 * 1024 * 1024
/** A batch is some ten times as long in JSON; so much is decoded in some 10 ms, for which all other clients wait. */
const DECODED_BYTES_MAX = 128 * 1024
/** So many looks in vain, all changes being filtered out, end a poll with what it has: nothing, and progress. */
const VAIN_LOOKS_MAX = 8

/** The batches from the one that contains the wanted sequence. Throws a ReplyError. */
export function pollBatches(store: Store, range: PollRange, bytesMax = RAW_BYTES_MAX): WalBatch[] {
  const { wal } = store
  const next = range.after + 1
  const { latest } = wal
  if (next === latest + 1) return []
  if (next > latest + 1) throw POLL_AHEAD
  const batches = readLog(store, next, range, bytesMax)
  const [first] = batches
  if (first === undefined) throw range.isStrict ? walGap(next, latest + 1) : POLL_NO_DATA
  if (!range.isStrict) return batches
  if (first.sequence > next) throw walGap(next, first.sequence)
  return withoutGaps(batches)
}

/** STRICT for whole batches: the first must begin with the wanted sequence. */
export function checkAligned(batches: readonly WalBatch[], range: PollRange): void {
  const [first] = batches
  if (first === undefined || first.sequence === range.after + 1) return
  throw sequenceMismatch(range.after + 1, first.sequence)
}

/** The sequence to ask for after these batches. */
export function positionAfter(batches: readonly WalBatch[], range: PollRange): number {
  const last = batches.at(-1)
  return last === undefined ? range.after : last.sequence + last.count - 1
}

export interface ChangePage {
  /** Valid until the next page is made. */
  readonly changes: JsonTexts
  /** The sequence after which the next page begins. */
  readonly position: number
}

/** The changes after a sequence that pass `filter`, in up to `bytesMax` bytes but at least one. */
export function pollChanges(store: Store, range: PollRange, filter: ChangeFilter, bytesMax: number): ChangePage {
  let { after } = range
  for (let look = 0; look < VAIN_LOOKS_MAX; look++) {
    const here = { ...range, after }
    const batches = pollBatches(store, here, DECODED_BYTES_MAX)
    if (batches.length === 0) break
    const page = pageOf(batches, here, filter, bytesMax, store.slotEncoded)
    after = page.position
    if (page.changes.count > 0) return page
  }
  TEXTS.clear()
  return { changes: TEXTS, position: after }
}

function pageOf(
  batches: readonly WalBatch[],
  range: PollRange,
  filter: ChangeFilter,
  bytesMax: number,
  slotEncoded: boolean,
): ChangePage {
  const page = new PageWriter(range, filter, bytesMax)
  for (const batch of batches) if (!page.add(batch, slotEncoded)) break
  return { changes: TEXTS, position: page.position }
}

/** Of the page that was made last: polls run one after another. */
const TEXTS = new JsonTexts()

class PageWriter {
  position: number
  readonly #range: PollRange
  readonly #filter: ChangeFilter
  readonly #bytesMax: number
  readonly #takesPlain: boolean

  constructor(range: PollRange, filter: ChangeFilter, bytesMax: number) {
    this.position = range.after
    this.#range = range
    this.#filter = filter
    this.#bytesMax = bytesMax
    this.#takesPlain = passesAll(filter) && range.oldValues === undefined
    TEXTS.clear(range.frame)
  }

  /** False if the page is full before the end of the batch. */
  add(batch: WalBatch, slotEncoded: boolean): boolean {
    const isRoom =
      (this.#takesPlain ? this.#addPlain(batch, slotEncoded) : undefined) ?? this.#addChanges(batch, slotEncoded)
    if (isRoom) this.position = Math.max(this.position, batch.sequence + batch.count - 1)
    return isRoom
  }

  /** The same of a batch of SETs alone; undefined, and nothing written, if it is another. */
  #addPlain({ data, sequence: first, count }: WalBatch, slotEncoded: boolean): boolean | undefined {
    const puts = new StringPuts(data, slotEncoded)
    const writer = new StringPutWriter(TEXTS, data, puts.batch, first)
    const { position } = this
    const mark = TEXTS.mark()
    let isFull = false
    let sequence = first
    for (; puts.next(); sequence++) {
      if (isFull || sequence <= this.#range.after) continue
      writer.write(sequence, puts.put)
      isFull = !this.#take(sequence)
    }
    if (puts.isPlain && sequence === first + count) return !isFull
    TEXTS.returnTo(mark)
    this.position = position
    return undefined
  }

  #addChanges({ data }: WalBatch, slotEncoded: boolean): boolean {
    const { after, oldValues } = this.#range
    const told = changesOf(data, slotEncoded)
    const old = oldValues?.ofBatch(data, told)
    for (const change of told) {
      if (change.sequence <= after) continue
      if (old !== undefined) change.old = old.get(change.sequence)
      if (passes(change, this.#filter)) {
        writeChange(TEXTS, shownTo(change, this.#filter))
        if (!this.#take(change.sequence)) return false
      }
      this.position = change.sequence
    }
    return true
  }

  /** Takes the text that was written; false if the page has no place for it. */
  #take(sequence: number): boolean {
    const isFull = TEXTS.count === this.#range.changesMax || (TEXTS.count > 0 && TEXTS.length > this.#bytesMax)
    if (isFull) {
      TEXTS.drop()
      return false
    }
    TEXTS.end()
    this.position = sequence
    return true
  }
}

function readLog(store: Store, next: number, { batchesMax, isStrict }: PollRange, bytesMax: number): WalBatch[] {
  try {
    return store.wal.read(next, batchesMax, store.turn.nowMs, bytesMax)
  } catch (error) {
    if (!(error instanceof RocksDBError)) throw error
    if (isStrict && error.code === 'NotFound') throw walGap(next, store.wal.range(store.turn.nowMs).oldest)
    throw walUnreadable(error.message)
  }
}

/** The batches up to the first hole: writes that went past the log leave one. */
function withoutGaps(batches: WalBatch[]): WalBatch[] {
  for (let i = 1; i < batches.length; i++) {
    const before = batches[i - 1] as WalBatch
    if ((batches[i] as WalBatch).sequence !== before.sequence + before.count) return batches.slice(0, i)
  }
  return batches
}

/** Serialized batches alone. */
export function dataOf(batches: readonly WalBatch[]): Bytes[] {
  return batches.map(({ data }) => data)
}
