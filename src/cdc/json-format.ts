/**
 * A change as one JSON object, in UTF-8. Members, those without a value left out:
 *
 *   sequence, batch        numbers: the sequence of the change, and of the first of its batch
 *   replid                 the history that they belong to
 *   namespace, type, key, subkey, op
 *   command                an array of words
 *   value                  of opaque changes, and of moves: the element
 *   old                    what it held before: null for nothing, an array of several; or oldunknown: true (with OLDVALUE)
 *   expire                 Unix milliseconds
 *   fresh                  true: the key begins anew with this change
 *   range                  [begin, end) of stored keys
 *
 * A byte string is a JSON string where it is valid UTF-8, else {"base64":"…"}.
 */

import type { Bytes } from '../bytes/bytes.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Change, OldValue } from './change.js'
import { FixedText, JsonTexts } from './json-texts.js'

const SEQUENCE = new FixedText('{"sequence":')
const BATCH = new FixedText(',"batch":')
const NAMESPACE = new FixedText(',"namespace":')
const IN_DEFAULT = new FixedText(',"namespace":"default"')
const TYPE = new FixedText(',"type":"')
const KEY = new FixedText(',"key":')
const SUBKEY = new FixedText(',"subkey":')
const OP = new FixedText(',"op":"')
const COMMAND = new FixedText(',"command":[')
const VALUE = new FixedText(',"value":')
const OLD = new FixedText(',"old":')
const OLD_UNKNOWN = new FixedText(',"oldunknown":true')
const EXPIRE = new FixedText(',"expire":')
const FRESH = new FixedText(',"fresh":true')
const RANGE = new FixedText(',"range":[')
const REPLICATION_ID = new FixedText(',"replid":"')
const NULL = new FixedText('null')
const COMMA = new FixedText(',')
const QUOTE = new FixedText('"')
const LIST_END = new FixedText(']')
const END = new FixedText('}')

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

function writeMember(texts: JsonTexts, name: FixedText, value: Bytes): void {
  texts.put(name)
  texts.bytes(value)
}

/** `start` ends with the bracket. */
function writeList(texts: JsonTexts, start: FixedText, words: readonly Bytes[]): void {
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

const OLD_LIST = new FixedText(',"old":[')
