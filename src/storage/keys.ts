/**
 * Keys of rows. Source: kvrocks src/storage/redis_metadata.cc, ComposeNamespaceKey and InternalKey::Encode.
 *
 *   nsKey        len(ns)(1) ns [slot(2)] key
 *   internalKey  len(ns)(1) ns [slot(2)] len(key)(4) key version(8) subKey
 *
 * Numbers are big-endian. The slot stands there with cluster-enabled alone.
 */

import { type Bytes, put } from '../bytes/bytes.js'
import { keySlot } from '../bytes/crc16.js'

export const DEFAULT_NAMESPACE = Buffer.from('__namespace')
const SLOT_BYTES = 2
const KEY_LENGTH_BYTES = 4
export const VERSION_BYTES = 8

/** The namespace that holds database `index` of SELECT. Source: kvrocks redis-databases. */
export function databaseNamespace(index: number): Buffer {
  return index === 0 ? DEFAULT_NAMESPACE : Buffer.from(`db${index}`)
}

/** len(ns) ns: what all rows of a namespace begin with. */
export function namespacePrefix(namespace: Bytes): Buffer {
  return Buffer.concat([Buffer.from([namespace.length]), namespace])
}

/** The smallest key greater than all keys that begin with `prefix`; undefined if there is none. */
export function prefixEnd(prefix: Bytes): Buffer | undefined {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const byte = prefix[at] as number
    if (byte === 0xff) continue
    const end = Buffer.from(prefix.subarray(0, at + 1))
    end[at] = byte + 1
    return end
  }
  return undefined
}

/** The part of an internalKey before the sub-key. `prefix` is that of the namespace. */
export function subkeyPrefix(prefix: Bytes, slotEncoded: boolean, key: Bytes, version: Bytes): Buffer {
  const slotBytes = slotEncoded ? SLOT_BYTES : 0
  const made = Buffer.allocUnsafe(prefix.length + slotBytes + KEY_LENGTH_BYTES + key.length + VERSION_BYTES)
  let at = put(made, 0, prefix)
  if (slotEncoded) at = made.writeUInt16BE(keySlot(key), at)
  at = made.writeUInt32BE(key.length, at)
  put(made, put(made, at, key), version)
  return made
}

/** Whether `prefix` is what `subkeyPrefix` would make of a key, which stands at `keyAt` there, and `version`. */
export function isSubkeyPrefix(prefix: Bytes, keyAt: number, key: Bytes, version: Bytes): boolean {
  const versionAt = keyAt + key.length
  if (prefix.length !== versionAt + VERSION_BYTES) return false
  for (let i = 0; i < VERSION_BYTES; i++) if (prefix[versionAt + i] !== version[i]) return false
  for (let i = 0; i < key.length; i++) if (prefix[keyAt + i] !== key[i]) return false
  return true
}

export interface NsKey {
  readonly namespace: Bytes
  readonly key: Bytes
}

/** Takes an nsKey apart; views of it. Undefined if it is too short to be one. */
export function parseNsKey(nsKey: Bytes, slotEncoded: boolean): NsKey | undefined {
  const namespaceEnd = 1 + (nsKey[0] ?? 0)
  const keyAt = namespaceEnd + (slotEncoded ? SLOT_BYTES : 0)
  if (nsKey.length < keyAt || nsKey.length === 0) return undefined
  return { namespace: nsKey.subarray(1, namespaceEnd), key: nsKey.subarray(keyAt) }
}

/** The same of an nsKey that is text, one character a byte. */
export function parseNsKeyText(nsKey: string, slotEncoded: boolean): { namespace: string; key: string } | undefined {
  const namespaceEnd = 1 + nsKey.charCodeAt(0)
  const keyAt = keyOffset(nsKey, slotEncoded)
  if (nsKey === '' || nsKey.length < keyAt) return undefined
  return { namespace: nsKey.slice(1, namespaceEnd), key: nsKey.slice(keyAt) }
}

/** Where the key begins in an nsKey that is text; NaN if that is empty. */
export function keyOffset(nsKey: string, slotEncoded: boolean): number {
  return 1 + nsKey.charCodeAt(0) + (slotEncoded ? SLOT_BYTES : 0)
}

export interface InternalKey extends NsKey {
  readonly version: Bytes
  readonly subKey: Bytes
}

/** Takes an internalKey apart; views of it. Undefined if it is too short to be one. */
export function parseInternalKey(internalKey: Bytes, slotEncoded: boolean): InternalKey | undefined {
  const namespaceEnd = 1 + (internalKey[0] ?? 0)
  const keyAt = namespaceEnd + (slotEncoded ? SLOT_BYTES : 0) + KEY_LENGTH_BYTES
  if (internalKey.length < keyAt) return undefined
  const keyEnd = keyAt + internalKey.readUInt32BE(keyAt - KEY_LENGTH_BYTES)
  if (internalKey.length < keyEnd + VERSION_BYTES) return undefined
  return {
    namespace: internalKey.subarray(1, namespaceEnd),
    key: internalKey.subarray(keyAt, keyEnd),
    version: internalKey.subarray(keyEnd, keyEnd + VERSION_BYTES),
    subKey: internalKey.subarray(keyEnd + VERSION_BYTES),
  }
}
