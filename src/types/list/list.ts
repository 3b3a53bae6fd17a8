/** Operations on lists. Source: kvrocks src/types/redis_list.cc. */

import type { Bytes } from '../../bytes/bytes.js'
import { INDEX_OUT_OF_RANGE, NO_SUCH_KEY } from '../../protocol/errors.js'
import type { Database } from '../../storage/database.js'
import * as log from '../../storage/log-data.js'
import { logData } from '../../storage/log-data.js'
import { TYPE_LIST } from '../../storage/metadata.js'
import type { RowCursor } from '../../storage/row-cursor.js'
import { readAnyRow, readMetadata } from '../../storage/rows.js'
import {
  briefIndexKey,
  indexKey,
  newList,
  type OpenList,
  openList,
  openOrNewList,
  readIndex,
  saveList,
  scanElements,
} from './rows.js'

export type Side = 'left' | 'right'

const PUSH_LOG = { left: logData(TYPE_LIST, log.LOG_LPUSH), right: logData(TYPE_LIST, log.LOG_RPUSH) }
const POP_LOG = { left: logData(TYPE_LIST, log.LOG_LPOP), right: logData(TYPE_LIST, log.LOG_RPOP) }
/** LTRIM removes more elements than this at one end by one range record. */
const SINGLE_DELETES_MAX = 1024
/** The last `stop` that Kvrocks's LTRIM takes; readers of the log need not know others. */
const STOP_TOLD_MAX = 2 ** 31 - 1

/** Number of elements. Throws WRONG_TYPE, as all functions here do. */
export function size(db: Database, key: Bytes): number {
  return readMetadata(db, key, TYPE_LIST)?.size ?? 0
}

/** Adds elements one after the other at an end. Returns the new size; 0 if `onlyExisting` and there is no list. */
export function push(db: Database, key: Bytes, side: Side, elements: readonly Bytes[], onlyExisting = false): number {
  const list = onlyExisting ? openList(db, key) : openOrNewList(db, key)
  if (list === undefined) return 0
  db.logData(PUSH_LOG[side])
  for (const element of elements) list.rows.put(briefIndexKey(side === 'left' ? --list.head : list.tail++), element)
  list.metadata.size += elements.length
  saveList(list)
  return list.metadata.size
}

/** Takes up to `count` elements from an end, the outermost first; undefined if the key is absent. */
export function pop(db: Database, key: Bytes, side: Side, count: number): Bytes[] | undefined {
  const list = openList(db, key)
  if (list === undefined) return undefined
  const taken = readEnd(list, side, Math.min(count, list.metadata.size))
  if (taken.length === 0) return taken
  db.logData(POP_LOG[side])
  for (const _element of taken) list.rows.delete(briefIndexKey(side === 'left' ? list.head++ : --list.tail))
  list.metadata.size -= taken.length
  saveOrDelete(list)
  return taken
}

function readEnd(list: OpenList, side: Side, count: number): Bytes[] {
  const { rows, head, tail } = list
  if (count === 1) {
    const element = rows.get(briefIndexKey(side === 'left' ? head : tail - 1))
    return element === undefined ? [] : [element]
  }
  if (count === 0) return []
  const [from, to] = side === 'left' ? [head, head + count] : [tail - count, tail]
  const elements: Bytes[] = []
  using cursor = scanElements(list, from, to, side === 'right')
  while (cursor.next()) elements.push(Buffer.from(cursor.value))
  return elements
}

function saveOrDelete(list: OpenList): void {
  if (list.metadata.size > 0) saveList(list)
  else list.db.deleteMetadata(list.key)
}

/** The element at `position`, from the end if negative. */
export function get(db: Database, key: Bytes, position: number): Bytes | undefined {
  const list = openList(db, key)
  const index = list === undefined ? undefined : indexAt(list, position)
  return list === undefined || index === undefined ? undefined : list.rows.get(indexKey(index))
}

function indexAt({ metadata, head }: OpenList, position: number): number | undefined {
  const offset = position < 0 ? metadata.size + position : position
  return offset < 0 || offset >= metadata.size ? undefined : head + offset
}

/** Replaces the element at `position`. Throws NO_SUCH_KEY, INDEX_OUT_OF_RANGE. */
export function set(db: Database, key: Bytes, position: number, element: Bytes): void {
  const list = openList(db, key)
  if (list === undefined) throw NO_SUCH_KEY
  const index = indexAt(list, position)
  if (index === undefined) throw INDEX_OUT_OF_RANGE
  if (list.rows.get(indexKey(index))?.equals(element)) return
  db.logData(logData(TYPE_LIST, log.LOG_LSET, index - list.head))
  list.rows.put(indexKey(index), element)
}

export interface ElementScan {
  readonly size: number
  open(): RowCursor
}

/** The elements from `start` to `stop`, both inclusive and counted from the end where negative; undefined if none. */
export function range(db: Database, key: Bytes, start: number, stop: number): ElementScan | undefined {
  const list = openList(db, Buffer.from(key))
  if (list === undefined) return undefined
  const { size: length } = list.metadata
  const from = Math.max(0, start < 0 ? length + start : start)
  const to = Math.min(length - 1, stop < 0 ? length + stop : stop)
  if (from > to) return undefined
  return { size: to - from + 1, open: () => scanElements(list, list.head + from, list.head + to + 1) }
}

/** Keeps the elements from `start` to `stop`, as `range` counts them. Returns false if none is left or there was none. */
export function trim(db: Database, key: Bytes, start: number, stop: number): boolean {
  const list = openList(db, key)
  if (list === undefined) return false
  const { size: length } = list.metadata
  const first = start < 0 ? length + start : start
  const last = stop < 0 ? Math.max(-1, length + stop) : stop
  if (first > last || first >= length) {
    db.deleteMetadata(key)
    return false
  }
  const from = Math.max(0, first)
  const to = Math.min(last, length - 1)
  const removed = from + (length - 1 - to)
  db.logData(logData(TYPE_LIST, log.LOG_LTRIM, from, last > STOP_TOLD_MAX ? to : last))
  deleteElements(list, list.head, list.head + from)
  deleteElements(list, list.head + to + 1, list.tail)
  list.tail = list.head + to + 1
  list.head += from
  list.metadata.size -= removed
  saveList(list)
  return true
}

function deleteElements({ rows }: OpenList, from: number, to: number): void {
  if (to - from > SINGLE_DELETES_MAX) {
    rows.deleteRange(indexKey(from), indexKey(to))
    return
  }
  for (let index = from; index < to; index++) rows.delete(indexKey(index))
}

/** Removes elements equal to `element`: all (0), or the first `count`, from the end if negative. Returns how many. */
export function remove(db: Database, key: Bytes, count: number, element: Bytes): { removed: number; isEmpty: boolean } {
  const list = openList(db, key)
  if (list === undefined) return { removed: 0, isEmpty: false }
  const found = findEqual(list, count, element)
  if (found.length === 0) return { removed: 0, isEmpty: false }
  db.logData(logData(TYPE_LIST, log.LOG_LREM, count, element))
  const { metadata } = list
  if (found.length === metadata.size) {
    db.deleteMetadata(key)
    return { removed: found.length, isEmpty: true }
  }
  closeGaps(list, found)
  metadata.size -= found.length
  saveList(list)
  return { removed: found.length, isEmpty: false }
}

/** Indexes of the elements to remove, ascending. */
function findEqual(list: OpenList, count: number, element: Bytes): number[] {
  const found: number[] = []
  const wanted = count === 0 ? list.metadata.size : Math.abs(count)
  using cursor = scanElements(list, list.head, list.tail, count < 0)
  while (found.length < wanted && cursor.next()) if (cursor.value.equals(element)) found.push(readIndex(cursor.key, 0))
  return count < 0 ? found.reverse() : found
}

/** Moves the shorter side over the removed elements, then deletes its outermost rows. */
function closeGaps(list: OpenList, removed: readonly number[]): void {
  const first = removed[0] as number
  const last = removed[removed.length - 1] as number
  const movesLeftPart = last - list.head <= list.tail - 1 - first
  const gaps = new Set(removed)
  const moved: Bytes[] = []
  using cursor = movesLeftPart ? scanElements(list, list.head, last + 1, true) : scanElements(list, first, list.tail)
  while (cursor.next()) if (!gaps.has(readIndex(cursor.key, 0))) moved.push(Buffer.from(cursor.value))
  let to = movesLeftPart ? last : first
  for (const element of moved) list.rows.put(indexKey(movesLeftPart ? to-- : to++), element)
  for (const _index of removed) list.rows.delete(indexKey(movesLeftPart ? list.head++ : --list.tail))
}

/** Puts `element` beside the first `pivot`. Returns the new size, -1 without a pivot, 0 without a list. */
export function insert(db: Database, key: Bytes, before: boolean, pivot: Bytes, element: Bytes): number {
  const list = openList(db, key)
  if (list === undefined) return 0
  const [pivotAt] = findEqual(list, 1, pivot)
  if (pivotAt === undefined) return -1
  db.logData(logData(TYPE_LIST, log.LOG_LINSERT, before ? 1 : 0, pivot, element))
  const leftLength = pivotAt - list.head + (before ? 0 : 1)
  const rightLength = list.tail - 1 - pivotAt + (before ? 1 : 0)
  const movesLeftPart = leftLength <= rightLength
  const from = movesLeftPart ? list.head : before ? pivotAt : pivotAt + 1
  const moved: Bytes[] = []
  // The row nearest to the new element first, as Kvrocks writes them.
  using cursor = scanElements(list, from, from + (movesLeftPart ? leftLength : rightLength), movesLeftPart)
  while (cursor.next()) moved.push(Buffer.from(cursor.value))
  let to = movesLeftPart ? list.head + leftLength - 2 : from + 1
  for (const kept of moved) list.rows.put(indexKey(movesLeftPart ? to-- : to++), kept)
  if (movesLeftPart) list.head--
  else list.tail++
  list.rows.put(indexKey(movesLeftPart ? list.head + leftLength : from), element)
  list.metadata.size++
  saveList(list)
  return list.metadata.size
}

/** Takes an element from an end of one list and puts it at an end of another, or of the same; undefined if none. */
export function move(db: Database, source: Bytes, destination: Bytes, from: Side, to: Side): Bytes | undefined {
  if (source.equals(destination)) return rotate(db, source, from, to)
  const sourceList = openList(db, source)
  if (sourceList === undefined) return undefined
  const destinationList = openOrNewList(db, destination)
  const [element] = readEnd(sourceList, from, 1)
  if (element === undefined) return undefined
  db.logData(logData(TYPE_LIST, log.LOG_LMOVE, source, destination, from, to))
  sourceList.rows.delete(indexKey(from === 'left' ? sourceList.head++ : --sourceList.tail))
  sourceList.metadata.size--
  saveOrDelete(sourceList)
  destinationList.rows.put(indexKey(to === 'left' ? --destinationList.head : destinationList.tail++), element)
  destinationList.metadata.size++
  saveList(destinationList)
  return element
}

function rotate(db: Database, key: Bytes, from: Side, to: Side): Bytes | undefined {
  const list = openList(db, key)
  if (list === undefined) return undefined
  const [element] = readEnd(list, from, 1)
  if (element === undefined || from === to || list.metadata.size === 1) return element
  db.logData(logData(TYPE_LIST, log.LOG_LMOVE, key, key, from, to))
  list.rows.delete(indexKey(from === 'left' ? list.head++ : --list.tail))
  list.rows.put(indexKey(from === 'left' ? list.tail++ : --list.head), element)
  saveList(list)
  return element
}

export interface PositionSearch {
  /** The first match that counts: 1 = the first, -1 = the last. */
  readonly rank: number
  /** Matches wanted; 0 = all. */
  readonly count: number
  /** Elements to look at; 0 = all. */
  readonly lengthMax: number
}

/** Positions of elements equal to `element`, in the order of the search. */
export function positions(db: Database, key: Bytes, element: Bytes, search: PositionSearch): number[] {
  const list = openList(db, key)
  if (list === undefined) return []
  const { rank, count, lengthMax } = search
  const found: number[] = []
  let toSkip = Math.abs(rank) - 1
  using cursor = scanElements(list, list.head, list.tail, rank < 0)
  for (let looked = 0; (lengthMax === 0 || looked < lengthMax) && cursor.next(); looked++) {
    if (!cursor.value.equals(element)) continue
    if (toSkip-- > 0) continue
    found.push(readIndex(cursor.key, 0) - list.head)
    if (found.length === count) break
  }
  return found
}

/** Puts a list of `elements` in the place of whatever is at `key`; none deletes the key. */
export function replace(db: Database, key: Bytes, elements: Iterable<Bytes>): number {
  const list = newList(db, key)
  db.logData(PUSH_LOG.right)
  for (const element of elements) list.rows.put(indexKey(list.tail++), element)
  list.metadata.size = list.tail
  if (list.metadata.size > 0) saveList(list)
  else if (readAnyRow(db, key) !== undefined) db.deleteMetadata(key)
  return list.metadata.size
}
