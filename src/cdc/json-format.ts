/**
 * A change as one JSON object, in UTF-8. Members, those without a value left out:
 *
 *   sequence, batch        numbers: the sequence of the change, and of the first of its batch
 *   replid                 the history that they belong to
 *   namespace, type, key, subkey, op
 *   command                an array of words
 *   value                  of opaque changes
 *   old                    what it held before: null for nothing, an array of several; or oldunknown: true (with OLDVALUE)
 *   expire                 Unix milliseconds
 *   fresh                  true: the key begins anew with this change
 *   range                  [begin, end) of stored keys
 *
 * A byte string is a JSON string where it is valid UTF-8, else {"base64":"…"}.
 */

import { isUtf8 } from 'node:buffer'
import type { Bytes } from '../bytes/bytes.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Change, OldValue } from './change.js'

const DEFAULT = '"default"'
const PLAIN_BYTES_MAX = 64

/** The text of a change, without a line end. */
export function changeJson(change: Change): string {
  const { replicationId, namespace, key, subKey, command, value, expireMs, range } = change
  let text = `{"sequence":${change.sequence},"batch":${change.batchSequence}`
  if (replicationId !== undefined) text += `,"replid":"${replicationId}"`
  if (namespace.length > 0)
    text += `,"namespace":${namespace.equals(DEFAULT_NAMESPACE) ? DEFAULT : byteText(namespace)}`
  text += `,"type":"${change.type}"`
  if (key !== undefined) text += `,"key":${byteText(key)}`
  if (subKey !== undefined) text += `,"subkey":${byteText(subKey)}`
  text += `,"op":"${change.op}"`
  if (command !== undefined) text += `,"command":[${command.map(byteText).join(',')}]`
  if (value !== undefined) text += `,"value":${byteText(value)}`
  if ('old' in change) {
    const { old } = change
    if (old === 'unknown') text += ',"oldunknown":true'
    else text += `,"old":${oldText(old)}`
  }
  if (expireMs !== undefined) text += `,"expire":${expireMs}`
  if (change.isFresh === true) text += ',"fresh":true'
  if (range !== undefined) text += `,"range":[${byteText(range[0])},${byteText(range[1])}]`
  return `${text}}`
}

function oldText(old: Exclude<OldValue, 'unknown'>): string {
  if (old === undefined) return 'null'
  return Buffer.isBuffer(old) ? byteText(old) : `[${old.map(byteText).join(',')}]`
}

function byteText(bytes: Bytes): string {
  if (isPlain(bytes)) return `"${bytes.latin1Slice(0)}"`
  return isUtf8(bytes) ? JSON.stringify(bytes.utf8Slice(0)) : `{"base64":"${bytes.toString('base64')}"}`
}

/** True of short printable ASCII that JSON does not escape, as most words are: then half of the time is saved. */
function isPlain(bytes: Bytes): boolean {
  const { length } = bytes
  if (length > PLAIN_BYTES_MAX) return false
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false
  }
  return true
}
