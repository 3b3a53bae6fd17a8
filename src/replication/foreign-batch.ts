/**
 * A write batch of another server, and what it means besides its rows: messages to publish, scripts, functions and
 * namespaces that have changed. Every record counts, for a batch may carry several.
 * Source: kvrocks src/cluster/replication.cc, parseWriteBatch, which looks at the last record only.
 */

import type { Bytes } from '../bytes/bytes.js'
import { nsKeyOf } from '../cdc/operations.js'
import {
  CF_DEFAULT,
  CF_METADATA,
  CF_PROPAGATE,
  CF_PUBSUB,
  CF_STREAM,
  type ColumnFamily,
} from '../storage/column-family.js'
import { prefixEnd } from '../storage/keys.js'
import type { Store } from '../storage/store.js'
import { readBatch } from '../storage/write-batch.js'

export interface ForeignBatch {
  /** Views of the batch. */
  readonly messages: readonly (readonly [channel: Bytes, message: Bytes])[]
  /** Function libraries, or all scripts. */
  readonly changesScripts: boolean
  readonly changesNamespaces: boolean
}

/** Records, by their key, for which an engine that has run scripts or functions must read them again. */
const SCRIPT_KEYS = /^(?:script$|lua_lib_code_|lua_func_lib_)/
const NAMESPACE_KEY = '__namespace_keys__'

/**
 * Reads a batch before it is written. Where somebody observes keys, the turn notes those that it changes. Throws
 * BatchFormatError.
 */
export function readForeignBatch(batch: Bytes, { turn, slotEncoded }: Store): ForeignBatch {
  const messages: (readonly [Bytes, Bytes])[] = []
  let changesScripts = false
  let changesNamespaces = false
  const touch = (cf: ColumnFamily, key: Bytes): void => {
    if (cf === CF_PROPAGATE) {
      const name = key.latin1Slice(0)
      changesScripts ||= SCRIPT_KEYS.test(name)
      changesNamespaces ||= name === NAMESPACE_KEY
    }
    if (!turn.touched.isObserved) return
    const nsKey = keyOf(cf, key, slotEncoded)
    if (nsKey !== undefined) turn.touched.note(nsKey)
  }
  readBatch(batch, {
    put(cf, key, value) {
      if (cf === CF_PUBSUB) messages.push([key, value])
      else touch(cf, key)
    },
    delete: touch,
    deleteRange(cf, begin, end) {
      if (cf === CF_PROPAGATE) changesScripts = true
      else if (cf !== CF_METADATA) touch(cf, begin)
      else turn.touched.notePrefix(commonPrefix(begin, end))
    },
    logData() {},
  })
  return { messages, changesScripts, changesNamespaces }
}

/** What all keys from `begin` up to `end` begin with, as far as that is plain. */
function commonPrefix(begin: Bytes, end: Bytes): string {
  return prefixEnd(begin)?.equals(end) === true ? begin.latin1Slice(0) : ''
}

/** The stored form of the key that a row belongs to. */
function keyOf(cf: ColumnFamily, key: Bytes, slotEncoded: boolean): string | undefined {
  if (cf === CF_METADATA) return key.latin1Slice(0)
  return cf === CF_DEFAULT || cf === CF_STREAM ? nsKeyOf(key, slotEncoded) : undefined
}
