/**
 * The JSON of batches that hold nothing but SETs, as most do. One text differs from the one before in a digit, its key and
 * its value: copying it and writing these takes a third of the time of writing it anew. The texts are those of
 * `writeChange`.
 */

import type { Bytes } from '../bytes/bytes.js'
import { BACKSLASH, copyWords, FixedText, isPlain, type JsonTexts, putText, QUOTE, WORD_BYTES } from './json-texts.js'
import type { StringPut } from './string-puts.js'

const SEQUENCE = new FixedText('{"sequence":')
const BATCH = new FixedText(',"batch":')
const KEY = new FixedText(',"namespace":"default","type":"string","key":')
const PUT = new FixedText(',"op":"put","command":["SET",')
const COMMA = new FixedText(',')
const END = new FixedText(']}')
/** More than all of these take. */
const FIXED_BYTES = 128
/** Longer keys and values are not looked at twice. */
const PLAIN_BYTES_MAX = 1024

export class StringPutWriter {
  readonly #texts: JsonTexts
  readonly #batch: Bytes
  readonly #view: DataView
  readonly #batchSequence: number
  /** Of the text before: what it says up to its key, and where in it the last digit of its sequence stands. */
  #headBytes = 0
  #digitAt = 0
  #sequence = -1

  /** `view`: of the batch. */
  constructor(texts: JsonTexts, batch: Bytes, view: DataView, batchSequence: number) {
    this.#texts = texts
    this.#batch = batch
    this.#view = view
    this.#batchSequence = batchSequence
  }

  write(sequence: number, put: StringPut): void {
    const isNext = sequence === this.#sequence + 1 && sequence % 10 !== 0
    this.#sequence = sequence
    if (isNext && this.#writeLike(put)) return
    const texts = this.#texts
    texts.put(SEQUENCE)
    texts.number(sequence)
    this.#digitAt = texts.begunBytes - 1
    texts.put(BATCH)
    texts.number(this.#batchSequence)
    texts.put(KEY)
    this.#headBytes = texts.begunBytes
    const from = texts.position
    texts.bytes(this.#batch, put.key, put.keyEnd)
    const end = texts.position
    texts.put(PUT)
    texts.repeat(from, end)
    texts.put(COMMA)
    texts.bytes(this.#batch, put.value, put.valueEnd)
    texts.put(END)
  }

  /** Writes a text whose sequence is the next one. False, and nothing written, if anything in a word has to be escaped. */
  #writeLike({ key, keyEnd, value, valueEnd }: StringPut): boolean {
    const texts = this.#texts
    const wordsBytes = keyEnd - key + valueEnd - value
    if (wordsBytes > PLAIN_BYTES_MAX) return false
    texts.reserve(this.#headBytes + FIXED_BYTES + wordsBytes * 2)
    const { view, position } = texts
    const keyAt = position + this.#headBytes
    copyWords(view, position, texts.before, this.#headBytes)
    view.setUint8(position + this.#digitAt, view.getUint8(position + this.#digitAt) + 1)
    const keyTextEnd = writeWord(view, keyAt, this.#view, key, keyEnd)
    if (keyTextEnd < 0) return false
    let at = putText(view, keyTextEnd, PUT)
    copyWords(view, at, keyAt, keyTextEnd - keyAt)
    at = putText(view, at + keyTextEnd - keyAt, COMMA)
    at = writeWord(view, at, this.#view, value, valueEnd)
    if (at < 0) return false
    texts.position = putText(view, at, END)
    return true
  }
}

/** Writes a byte string as JSON. Returns where it ends, or -1 if anything in it has to be escaped. */
function writeWord(view: DataView, start: number, source: DataView, from: number, end: number): number {
  let at = start
  view.setUint8(at++, QUOTE)
  let i = from
  for (; i + WORD_BYTES <= end; i += WORD_BYTES, at += WORD_BYTES) {
    const word = source.getInt32(i, true)
    if (!isPlain(word)) return -1
    view.setInt32(at, word, true)
  }
  for (; i < end; i++) {
    const byte = source.getUint8(i)
    if (byte < 0x20 || byte > 0x7f || byte === QUOTE || byte === BACKSLASH) return -1
    view.setUint8(at++, byte)
  }
  view.setUint8(at++, QUOTE)
  return at
}
