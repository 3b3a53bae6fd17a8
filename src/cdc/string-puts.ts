/**
 * Batches that hold nothing but SETs of keys in the default namespace, as most do: they are told without an object for
 * each row. What they are told as is what `changesOf` would say.
 */

import type { Bytes } from '../bytes/bytes.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import { TYPE_STRING } from '../storage/metadata.js'
import { BATCH_HEADER_BYTES } from '../storage/write-batch.js'

/** A put in a column family: 05, and that of metadata: 01. */
const PUT = 0x0105
/** Log data: 03. That of a string is one byte, the digit 1. */
const LOG_DATA = 0x03
const STRING_LOG = 0x3101
/** A row of a string with a wide header that never expires begins so. */
const HEAD = Buffer.from([0x80 | TYPE_STRING, 0, 0, 0, 0, 0, 0, 0, 0])
/** The length of the namespace, and the namespace: 12 bytes, which are whole words. */
const PREFIX = Buffer.concat([Buffer.from([DEFAULT_NAMESPACE.length]), DEFAULT_NAMESPACE])
const HEAD_WORDS = wordsOf(HEAD)
const PREFIX_WORDS = wordsOf(PREFIX)
/** What two bytes tell: longer keys and values are few. */
const LENGTH_MAX = 0x3fff
/** Nothing is read beyond the end: a SET takes no less, however short its key and value are. */
const PUT_BYTES_MIN = 2 + 1 + PREFIX.length + 1 + HEAD.length

/** One SET: where its key and its value stand in the batch. */
export class StringPut {
  key = 0
  keyEnd = 0
  value = 0
  valueEnd = 0
}

/** Reads one SET after the other, by words: byte by byte it takes three times as long. */
export class StringPuts {
  readonly put = new StringPut()
  readonly batch: DataView
  readonly #size: number
  readonly #keyPrefixBytes: number
  #at = BATCH_HEADER_BYTES
  /** False once something else was found. */
  isPlain = true

  constructor(batch: Bytes, slotEncoded: boolean) {
    this.batch = new DataView(batch.buffer, batch.byteOffset, batch.length)
    this.#size = batch.length
    this.#keyPrefixBytes = PREFIX.length + (slotEncoded ? 2 : 0)
  }

  /** False at the end, or where something else stands. */
  next(): boolean {
    const { batch, put } = this
    const size = this.#size
    let at = this.#at
    while (at + 3 <= size && batch.getUint8(at) === LOG_DATA) {
      if (batch.getUint16(at + 1, true) !== STRING_LOG) return this.#refuse()
      at += 3
    }
    if (at >= size) return false
    if (at + PUT_BYTES_MIN > size || batch.getUint16(at, true) !== PUT) return this.#refuse()
    at += 2
    let length = batch.getUint8(at++)
    if (length >= 0x80) length = (length & 0x7f) | (batch.getUint8(at++) << 7)
    put.key = at + this.#keyPrefixBytes
    put.keyEnd = at + length
    if (length > LENGTH_MAX || put.key > put.keyEnd || put.keyEnd + 1 + HEAD.length > size) return this.#refuse()
    if (!begins(batch, at, PREFIX_WORDS)) return this.#refuse()
    at = put.keyEnd
    length = batch.getUint8(at++)
    if (length >= 0x80) length = (length & 0x7f) | (batch.getUint8(at++) << 7)
    put.value = at + HEAD.length
    put.valueEnd = at + length
    if (length > LENGTH_MAX || put.value > put.valueEnd || put.valueEnd > size) return this.#refuse()
    if (!begins(batch, at, HEAD_WORDS) || batch.getUint8(at + HEAD.length - 1) !== 0) return this.#refuse()
    this.#at = put.valueEnd
    return true
  }

  #refuse(): boolean {
    this.isPlain = false
    return false
  }
}

function begins(batch: DataView, at: number, words: Int32Array): boolean {
  for (let i = 0; i < words.length; i++) if (batch.getInt32(at + i * 4, true) !== words[i]) return false
  return true
}

/** The whole words of 4 bytes. */
function wordsOf(bytes: Bytes): Int32Array {
  return Int32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readInt32LE(i * 4))
}
