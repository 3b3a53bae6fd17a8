/** Which changes a reader wants. */

import type { Bytes } from '../bytes/bytes.js'
import { globMatch } from '../bytes/glob.js'
import type { Change, ChangeOp } from './change.js'

export interface ChangeFilter {
  /** Keys that match one of them; changes without a key pass. */
  readonly patterns?: readonly Bytes[]
  /** Changes of keys whose type the batch does not say (deletions, expiries of any type) pass. */
  readonly types?: ReadonlySet<string>
  readonly ops?: ReadonlySet<ChangeOp>
  /** As they are stored. Changes of no namespace pass. */
  readonly namespaces?: readonly Bytes[]
  /** The one namespace that the reader may see, as it is stored; what is of no namespace is hidden but FLUSHALL. */
  readonly only?: Bytes
  /** Another filter that changes have to pass as well. */
  readonly and?: ChangeFilter
}

/** True if the reader wants `change`. */
export function passes(change: Change, filter: ChangeFilter): boolean {
  const { patterns, types, ops, namespaces, only, and } = filter
  if (and !== undefined && !passes(change, and)) return false
  if (only !== undefined && !isVisible(change, only)) return false
  if (ops !== undefined && !ops.has(change.op)) return false
  if (types !== undefined && change.type !== 'none' && change.type !== 'keyspace' && !types.has(change.type))
    return false
  const { key, namespace } = change
  if (namespaces !== undefined && namespace.length > 0 && !namespaces.some((one) => one.equals(namespace))) return false
  return patterns === undefined || key === undefined || patterns.some((pattern) => globMatch(pattern, key))
}

/** True if every change passes. */
export function passesAll({ and, ...own }: ChangeFilter): boolean {
  return Object.values(own).every((part) => part === undefined) && (and === undefined || passesAll(and))
}

/** What a reader of one namespace gets of a change: not the keys of others. */
export function shownTo(change: Change, filter: ChangeFilter): Change {
  if (filter.only === undefined || change.range === undefined) return change
  const { range: _, ...shown } = change
  return shown
}

function isVisible(change: Change, only: Bytes): boolean {
  return change.namespace.length === 0 ? change.type === 'keyspace' : change.namespace.equals(only)
}
