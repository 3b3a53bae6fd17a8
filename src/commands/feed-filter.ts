/** The words that say which changes a reader of the feed wants: MATCH, TYPE, OP and NAMESPACE, each any number of times. */

import { type Bytes, copy } from '../bytes/bytes.js'
import { CHANGE_OPS, type ChangeOp } from '../cdc/change.js'
import type { ChangeFilter } from '../cdc/filter.js'
import { UNKNOWN_OP } from '../protocol/errors/feed.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'

export interface FilterWords {
  readonly patterns: readonly Bytes[]
  readonly types: readonly string[]
  readonly ops: readonly ChangeOp[]
  /** As they are stored. */
  readonly namespaces: readonly Bytes[]
}

export const FILTER_SYNTAX =
  '[MATCH pattern [MATCH pattern ...]] [TYPE type [TYPE type ...]] [OP op [OP op ...]] ' +
  '[NAMESPACE namespace [NAMESPACE namespace ...]]'

/** Throws a ReplyError if there is none of that name. */
export function changeOp(word: Bytes): ChangeOp {
  const name = word.latin1Slice(0).toLowerCase()
  const op = CHANGE_OPS.find((one) => one === name)
  if (op === undefined) throw UNKNOWN_OP
  return op
}

/** The stored form of a namespace; a copy. */
export function storedNamespace(word: Bytes): Bytes {
  return word.latin1Slice(0) === 'default' ? DEFAULT_NAMESPACE : copy(word)
}

/** True if not all changes are wanted. */
export function isFiltering({ patterns, types, ops, namespaces }: FilterWords): boolean {
  return patterns.length + types.length + ops.length + namespaces.length > 0
}

/** `only`: the namespace that the reader may see; undefined = all. */
export function changeFilter({ patterns, types, ops, namespaces }: FilterWords, only?: Bytes): ChangeFilter {
  return {
    ...(patterns.length > 0 ? { patterns } : {}),
    ...(types.length > 0 ? { types: new Set(types) } : {}),
    ...(ops.length > 0 ? { ops: new Set(ops) } : {}),
    ...(namespaces.length > 0 ? { namespaces } : {}),
    ...(only === undefined ? {} : { only: copy(only) }),
  }
}
