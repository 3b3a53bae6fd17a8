/**
 * A change: one row of a write batch in the words of Redis. Carrying out, in the order of their sequences, the commands of
 * all changes of a feed on an empty server gives the same keys; `commandsOf` says which.
 */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { decimal } from '../bytes/int64.js'

/**
 *   put         a key or an element of it has a new value
 *   remove      an element of a key is gone
 *   move        an element went from one list to another
 *   delete      a key is gone
 *   expire      a key, or a field of a hash, is gone because its time was over, and the server has noticed it
 *   ttl         the expiry of a key has changed, nothing else
 *   invalidate  a range of keys is gone
 *   publish     a message was published; nothing is stored
 *   opaque      something that no command says: `value` is what is stored now, undefined if it is gone
 *   unknown     bytes that this server does not understand, as they are
 */
export type ChangeOp =
  | 'put'
  | 'remove'
  | 'move'
  | 'delete'
  | 'expire'
  | 'ttl'
  | 'invalidate'
  | 'publish'
  | 'opaque'
  | 'unknown'

export const CHANGE_OPS: readonly ChangeOp[] = [
  'put',
  'remove',
  'move',
  'delete',
  'expire',
  'ttl',
  'invalidate',
  'publish',
  'opaque',
  'unknown',
]

/**
 * Before a change: a value, or several; undefined for nothing; `unknown` where it cannot be read any more, or has no plain
 * form, as a whole collection has none.
 */
export type OldValue = Bytes | readonly Bytes[] | undefined | 'unknown'

/** All byte strings are views of the batch. */
export interface Change {
  /** That of its row. */
  sequence: number
  /** That of the first row of its batch. */
  batchSequence: number
  /** As it is stored; empty for what belongs to no namespace. */
  namespace: Bytes
  /** A type that TYPE answers, or `none` for keys without one; or `keyspace`, `script`, `search` and their like. */
  type: string
  key?: Bytes
  /** A field, a member, an index, an id; of moves, the list that the element came to. */
  subKey?: Bytes
  op: ChangeOp
  /** What does the same on another server. */
  command?: readonly Bytes[]
  /** Of opaque changes what is stored, of moves the element. */
  value?: Bytes
  /** What it held before, where that was asked for. */
  old?: OldValue
  /** Unix milliseconds at which the key expires after the change, where the batch says so. */
  expireMs?: number
  /** The key begins anew with this change: what it held before is gone, whatever the batch says of it. */
  isFresh?: true
  /** First key, inclusive, and end, exclusive, of an invalidated range, as they are stored. */
  range?: readonly [begin: Bytes, end: Bytes]
  /** The history that the batch belongs to, with use-rsid-psync. */
  replicationId?: string
}

const DEL = latin1('DEL')
const PEXPIREAT = latin1('PEXPIREAT')

/** The commands that make the change on another server, in order; none for what no command says. */
export function commandsOf(change: Change): (readonly Bytes[])[] {
  const { command, key, expireMs } = change
  if (command === undefined) return []
  const commands: (readonly Bytes[])[] = []
  if (change.isFresh === true && key !== undefined) commands.push([DEL, key])
  commands.push(command)
  if (expireMs !== undefined && key !== undefined) commands.push([PEXPIREAT, key, decimal(expireMs)])
  return commands
}
