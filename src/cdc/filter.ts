/** Which changes a reader wants, and what of them. */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { globMatch } from '../bytes/glob.js'
import type { Change, ChangeOp } from './change.js'

export interface ChangeFilter {
  /** Keys that match one of them; changes without a key pass, and moves from or to a list that matches. */
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

const LPUSH = latin1('LPUSH')
const RPUSH = latin1('RPUSH')
const LPOP = latin1('LPOP')
const RPOP = latin1('RPOP')

/** True if the reader wants `change`. */
export function passes(change: Change, filter: ChangeFilter): boolean {
  if (!suits(change, filter)) return false
  const { key, subKey, op } = change
  if (key === undefined || isWanted(key, filter)) return true
  return op === 'move' && subKey !== undefined && isWanted(subKey, filter)
}

/** True if the reader wants changes of this kind, whatever their key. */
function suits(change: Change, { types, ops, namespaces, only, and }: ChangeFilter): boolean {
  if (and !== undefined && !suits(change, and)) return false
  if (only !== undefined && !isVisible(change, only)) return false
  if (ops !== undefined && !ops.has(change.op)) return false
  if (types !== undefined && change.type !== 'none' && change.type !== 'keyspace' && !types.has(change.type))
    return false
  const { namespace } = change
  return namespaces === undefined || namespace.length === 0 || namespaces.some((one) => one.equals(namespace))
}

function isWanted(key: Bytes, { patterns, and }: ChangeFilter): boolean {
  if (patterns !== undefined && !patterns.some((pattern) => globMatch(pattern, key))) return false
  return and === undefined || isWanted(key, and)
}

/** True if every change passes. */
export function passesAll({ and, ...own }: ChangeFilter): boolean {
  return Object.values(own).every((part) => part === undefined) && (and === undefined || passesAll(and))
}

/** What a reader gets of a change that passes: of one namespace alone, not the keys of others. */
export function shownTo(change: Change, filter: ChangeFilter): Change {
  if (change.op === 'move') return moveShownTo(change, filter)
  if (filter.only === undefined || change.range === undefined) return change
  const { range: _, ...shown } = change
  return shown
}

/** A move of which the reader wants one list alone does to that list what the move did, and leaves the other one alone. */
function moveShownTo(change: Change, filter: ChangeFilter): Change {
  const { key, subKey, command, value } = change
  const [, , , from, to] = command ?? []
  if (key === undefined || subKey === undefined || value === undefined || from === undefined || to === undefined)
    return change
  const [wantsSource, wantsTarget] = [isWanted(key, filter), isWanted(subKey, filter)]
  if (wantsSource && wantsTarget) return change
  if (wantsSource) return { ...change, command: [isLeft(from) ? LPOP : RPOP, key] }
  return { ...change, command: [isLeft(to) ? LPUSH : RPUSH, subKey, value] }
}

/** Of a side as a client or the log names it. */
function isLeft(side: Bytes): boolean {
  return side.latin1Slice(0).toLowerCase() === 'left'
}

function isVisible(change: Change, only: Bytes): boolean {
  return change.namespace.length === 0 ? change.type === 'keyspace' : change.namespace.equals(only)
}
