/** SORT: the elements of a list, set or sorted set in the order of numbers or texts. Source: redis src/sort.c. */

import { type Bytes, compare, EMPTY } from '../bytes/bytes.js'
import { parseDouble } from '../bytes/double.js'
import { BAD_SORT_SCORE, WRONG_TYPE } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import { TYPE_HASH, TYPE_LIST, TYPE_NONE, TYPE_SET, TYPE_ZSET } from '../storage/metadata.js'
import type { RowCursor } from '../storage/row-cursor.js'
import * as hashes from './hash.js'
import * as keys from './key.js'
import * as lists from './list/list.js'
import * as sets from './set.js'
import * as strings from './string.js'
import * as zsets from './zset.js'

export interface SortOrder {
  /** Pattern of the keys whose values order the elements; undefined = the elements themselves. */
  readonly by: Bytes | undefined
  readonly isDescending: boolean
  /** Compare bytes, not numbers. */
  readonly isAlpha: boolean
  readonly offset: number
  /** Negative = all. */
  readonly count: number
}

const STAR = 0x2a

/** The elements that SORT gives, before GET. A BY pattern without `*` leaves their order. Throws WRONG_TYPE. */
export function sortedElements(db: Database, key: Bytes, order: SortOrder, isStored: boolean): Bytes[] {
  const type = keys.typeOf(db, key)
  const keepsOrder = order.by !== undefined && !order.by.includes(STAR)
  const elements = elementsOf(db, key, type, keepsOrder && order.isDescending)
  if (!keepsOrder) sortElements(db, elements, order)
  // What is stored must not depend on an order that is none.
  else if (type === TYPE_SET && isStored) sortElements(db, elements, { ...order, by: undefined, isAlpha: true })
  const start = Math.min(Math.max(order.offset, 0), elements.length)
  return elements.slice(start, order.count < 0 ? undefined : start + order.count)
}

function elementsOf(db: Database, key: Bytes, type: number, isReversed: boolean): Bytes[] {
  switch (type) {
    case TYPE_NONE:
      return []
    case TYPE_LIST: {
      const elements = copies(lists.range(db, key, 0, -1)?.open(), (rows) => rows.value)
      return isReversed ? elements.reverse() : elements
    }
    case TYPE_SET:
      return copies(sets.scan(db, key)?.open(), (rows) => rows.key)
    case TYPE_ZSET: {
      const rows = zsets.open(db, key)?.scores.scan({ values: false, reverse: isReversed })
      return copies(rows, (row) => zsets.memberOfRow(row.key))
    }
    default:
      throw WRONG_TYPE
  }
}

function copies(rows: RowCursor | undefined, element: (rows: RowCursor) => Bytes): Bytes[] {
  const found: Bytes[] = []
  if (rows === undefined) return found
  using cursor = rows
  while (cursor.next()) found.push(Buffer.from(element(cursor)))
  return found
}

function sortElements(db: Database, elements: Bytes[], { by, isAlpha, isDescending }: SortOrder): void {
  const weights = elements.map((element) => (by === undefined ? element : lookUp(db, by, element)))
  const ranked = isAlpha ? rankTexts(elements, weights) : rankNumbers(elements, weights)
  if (isDescending) ranked.reverse()
  ranked.forEach((element, index) => {
    elements[index] = element
  })
}

/** A missing weight comes first. */
function rankTexts(elements: readonly Bytes[], weights: readonly (Bytes | undefined)[]): Bytes[] {
  const items = elements.map((element, index) => ({ element, weight: weights[index] }))
  items.sort((a, b) => {
    if (a.weight === undefined || b.weight === undefined) {
      return (a.weight === undefined ? 0 : 1) - (b.weight === undefined ? 0 : 1)
    }
    return compare(a.weight, b.weight)
  })
  return items.map(({ element }) => element)
}

/** A missing weight is 0; elements of equal weight are in the order of their bytes. */
function rankNumbers(elements: readonly Bytes[], weights: readonly (Bytes | undefined)[]): Bytes[] {
  const items = elements.map((element, index) => ({ element, weight: toNumber(weights[index]) }))
  items.sort((a, b) => (a.weight === b.weight ? compare(a.element, b.element) : a.weight < b.weight ? -1 : 1))
  return items.map(({ element }) => element)
}

const SPACE = 0x20

function toNumber(text: Bytes | undefined): number {
  if (text === undefined || text.length === 0) return 0
  let start = 0
  // Numbers are read as by strtod, which skips leading spaces.
  while (text[start] === SPACE) start++
  const number = parseDouble(text.subarray(start))
  if (number === undefined || Number.isNaN(number)) throw BAD_SORT_SCORE
  return number
}

const SELF = 0x23

/**
 * The value that `pattern` names for `element`: `#` the element itself, `key_*` the string there with `*` replaced,
 * `key_*->field` a field of the hash there. Undefined if there is none.
 */
export function lookUp(db: Database, pattern: Bytes, element: Bytes): Bytes | undefined {
  if (pattern.length === 1 && pattern[0] === SELF) return element
  const star = pattern.indexOf(STAR)
  if (star === -1) return undefined
  const arrow = pattern.indexOf('->', star + 1)
  const hasField = arrow !== -1 && arrow + 2 < pattern.length
  const tail = hasField ? pattern.subarray(star + 1, arrow) : pattern.subarray(star + 1)
  const key = Buffer.concat([pattern.subarray(0, star), element, tail])
  if (!hasField) return strings.inspect(db, key).value
  return keys.typeOf(db, key) === TYPE_HASH ? hashes.get(db, key, pattern.subarray(arrow + 2)) : undefined
}

/** Makes a list of `values` at `key`, in the place of whatever is there; missing ones are empty. None deletes the key. */
export function storeSorted(db: Database, key: Bytes, values: readonly (Bytes | undefined)[]): void {
  lists.replace(
    db,
    key,
    values.map((value) => value ?? EMPTY),
  )
}
