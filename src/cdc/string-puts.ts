/**
 * Batches that hold nothing but SETs of keys in the default namespace, as most do: they are told without an object for
 * each row. What they are told as is what `changesOf` would say.
 */

import type { Bytes } from '../bytes/bytes.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import { TYPE_STRING } from '../storage/metadata.js'
import { BATCH_HEADER_BYTES } from '../storage/write-batch.js'

const PUT_CF = 0x05
const LOG_DATA = 0x03
const CF_METADATA = 1
/** A row of a string with a wide header that never expires begins so. */
const HEAD = Buffer.from([0x80 | TYPE_STRING, 0, 0, 0, 0, 0, 0, 0, 0])
const PREFIX = Buffer.concat([Buffer.from([DEFAULT_NAMESPACE.length]), DEFAULT_NAMESPACE])
const STRING_LOG = 0x31

/** One SET: where its key and its value stand in the batch. */
class StringPut {
  key = 0
  keyEnd = 0
  value = 0
  valueEnd = 0
}

/** Reads one SET after the other. */
export class StringPuts {
  readonly put = new StringPut()
  readonly #batch: Bytes
  readonly #keyPrefixBytes: number
  #at = BATCH_HEADER_BYTES
  #isPlain = true

  constructor(batch: Bytes, slotEncoded: boolean) {
    this.#batch = batch
    this.#keyPrefixBytes = PREFIX.length + (slotEncoded ? 2 : 0)
  }

  /** How many there are; undefined if there is anything else. `next` begins with the first again. */
  count(): number | undefined {
    let count = 0
    while (this.next()) count++
    this.#at = BATCH_HEADER_BYTES
    return this.#isPlain ? count : undefined
  }

  /** False at the end, or where something else stands. */
  next(): boolean {
    const batch = this.#batch
    while (batch[this.#at] === LOG_DATA) {
      // The log data of a string is the digit 1.
      if (batch[this.#at + 1] !== 1 || batch[this.#at + 2] !== STRING_LOG) return this.#refuse()
      this.#at += 3
    }
    if (this.#at >= batch.length) return false
    if (batch[this.#at] !== PUT_CF || batch[this.#at + 1] !== CF_METADATA) return this.#refuse()
    this.#at += 2
    const { put } = this
    const keyEnd = this.#length()
    put.key = this.#at + this.#keyPrefixBytes
    put.keyEnd = keyEnd
    if (keyEnd > batch.length || put.key > keyEnd || !this.#has(PREFIX)) return this.#refuse()
    this.#at = keyEnd
    const valueEnd = this.#length()
    put.value = this.#at + HEAD.length
    put.valueEnd = valueEnd
    if (valueEnd > batch.length || put.value > valueEnd || !this.#has(HEAD)) return this.#refuse()
    this.#at = valueEnd
    return true
  }

  #refuse(): boolean {
    this.#isPlain = false
    return false
  }

  #has(expected: Bytes): boolean {
    for (let i = 0; i < expected.length; i++) if (this.#batch[this.#at + i] !== expected[i]) return false
    return true
  }

  /** Reads a length; returns the end of what has it, past the batch's end where it cannot be read. */
  #length(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#batch[this.#at++]
      if (byte === undefined) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return this.#at + value
    }
    return Number.MAX_SAFE_INTEGER
  }
}
