/**
 * A change as one JSON object, in UTF-8. Members, those without a value left out:
 *
 *   sequence, batch        numbers: the sequence of the change, and of the first of its batch
 *   replid                 the history that they belong to
 *   namespace, type, key, subkey, op
 *   command                an array of words
 *   value                  of opaque changes
 *   expire                 Unix milliseconds
 *   fresh                  true: the key begins anew with this change
 *   range                  [begin, end) of stored keys
 *
 * A byte string is a JSON string where it is valid UTF-8, else {"base64":"…"}.
 */

import { isUtf8 } from 'node:buffer'
import type { Bytes } from '../bytes/bytes.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Change } from './change.js'

const DEFAULT = '"default"'

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
  if (expireMs !== undefined) text += `,"expire":${expireMs}`
  if (change.isFresh === true) text += ',"fresh":true'
  if (range !== undefined) text += `,"range":[${byteText(range[0])},${byteText(range[1])}]`
  return `${text}}`
}

function byteText(bytes: Bytes): string {
  return isUtf8(bytes) ? quoted(bytes.utf8Slice(0)) : `{"base64":"${bytes.toString('base64')}"}`
}

/** JSON.stringify costs thrice as much for the short plain words that most are. */
function quoted(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x22 || code === 0x5c || code >= 0xd800) return JSON.stringify(text)
  }
  return `"${text}"`
}
