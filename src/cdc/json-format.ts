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

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Change, OldValue } from './change.js'
import { JsonTexts } from './json-texts.js'

const SEQUENCE = latin1('{"sequence":')
const BATCH = latin1(',"batch":')
const NAMESPACE = latin1(',"namespace":')
const IN_DEFAULT = latin1(',"namespace":"default"')
const TYPE = latin1(',"type":"')
const KEY = latin1(',"key":')
const SUBKEY = latin1(',"subkey":')
const OP = latin1(',"op":"')
const COMMAND = latin1(',"command":[')
const VALUE = latin1(',"value":')
const OLD = latin1(',"old":')
const OLD_UNKNOWN = latin1(',"oldunknown":true')
const EXPIRE = latin1(',"expire":')
const FRESH = latin1(',"fresh":true')
const RANGE = latin1(',"range":[')
const REPLICATION_ID = latin1(',"replid":"')
const NULL = latin1('null')
const COMMA = latin1(',')
const QUOTE = latin1('"')
const LIST_END = latin1(']')
const END = latin1('}')
/** Of a change of a string in the default namespace: between its head and its key, and so on. */
const STRING_KEY = latin1(',"namespace":"default","type":"string","key":')
const STRING_PUT = latin1(',"op":"put","command":["SET",')

/** Writes the text of a change, without a line end. */
export function writeChange(texts: JsonTexts, change: Change): void {
  const { namespace, key, subKey, command, value, expireMs, range } = change
  writeHead(texts, change.sequence, change.batchSequence, change.replicationId)
  if (namespace.length > 0) {
    if (namespace.equals(DEFAULT_NAMESPACE)) texts.put(IN_DEFAULT)
    else writeMember(texts, NAMESPACE, namespace)
  }
  texts.put(TYPE)
  texts.putText(change.type)
  texts.put(QUOTE)
  if (key !== undefined) writeMember(texts, KEY, key)
  if (subKey !== undefined) writeMember(texts, SUBKEY, subKey)
  texts.put(OP)
  texts.putText(change.op)
  texts.put(QUOTE)
  if (command !== undefined) writeList(texts, COMMAND, command)
  if (value !== undefined) writeMember(texts, VALUE, value)
  if ('old' in change) writeOld(texts, change.old)
  if (expireMs !== undefined) {
    texts.put(EXPIRE)
    texts.number(expireMs)
  }
  if (change.isFresh === true) texts.put(FRESH)
  if (range !== undefined) writeList(texts, RANGE, range)
  texts.put(END)
}

/** The same text for SET in the default namespace, of a key and a value that stand in `batch`; it never expires. */
export function writeStringPut(
  texts: JsonTexts,
  sequence: number,
  batchSequence: number,
  batch: Bytes,
  at: { readonly key: number; readonly keyEnd: number; readonly value: number; readonly valueEnd: number },
): void {
  writeHead(texts, sequence, batchSequence, undefined)
  texts.put(STRING_KEY)
  texts.bytes(batch, at.key, at.keyEnd)
  texts.put(STRING_PUT)
  texts.bytes(batch, at.key, at.keyEnd)
  texts.put(COMMA)
  texts.bytes(batch, at.value, at.valueEnd)
  texts.put(LIST_END)
  texts.put(END)
}

/** The text of a change, without a line end. */
export function changeJson(change: Change): string {
  SCRATCH.clear()
  writeChange(SCRATCH, change)
  return SCRATCH.begunText()
}

const SCRATCH = new JsonTexts()

function writeHead(texts: JsonTexts, sequence: number, batchSequence: number, replicationId: string | undefined): void {
  texts.put(SEQUENCE)
  texts.number(sequence)
  texts.put(BATCH)
  texts.number(batchSequence)
  if (replicationId === undefined) return
  texts.put(REPLICATION_ID)
  texts.putText(replicationId)
  texts.put(QUOTE)
}

function writeMember(texts: JsonTexts, name: Bytes, value: Bytes): void {
  texts.put(name)
  texts.bytes(value)
}

/** `start` ends with the bracket. */
function writeList(texts: JsonTexts, start: Bytes, words: readonly Bytes[]): void {
  texts.put(start)
  for (let i = 0; i < words.length; i++) {
    if (i > 0) texts.put(COMMA)
    texts.bytes(words[i] as Bytes)
  }
  texts.put(LIST_END)
}

function writeOld(texts: JsonTexts, old: OldValue): void {
  if (old === 'unknown') {
    texts.put(OLD_UNKNOWN)
    return
  }
  if (Array.isArray(old)) {
    writeList(texts, OLD_LIST, old)
    return
  }
  texts.put(OLD)
  if (old === undefined) texts.put(NULL)
  else texts.bytes(old as Bytes)
}

const OLD_LIST = latin1(',"old":[')
