/**
 * Batches as the commands that Kvrocks translates them to, byte for byte, with what that translation leaves out: groups of
 * streams, bitmaps' own rows, sorted integers, opaque types, ranges, expiry of copies. The JSON format leaves nothing out.
 *
 * One difference: where Kvrocks says an operation once a batch, it is said once an operation here, for a batch of this
 * server holds all operations of a turn.
 *
 * Source: kvrocks src/storage/batch_extractor.cc; src/commands/cmd_server.cc, CommandPollUpdates::ToRespFormat.
 */

import { type Bytes, compare, latin1 } from '../bytes/bytes.js'
import { formatFixed6, readSortableDouble } from '../bytes/double.js'
import { decimal, readUint64 } from '../bytes/int64.js'
import { CF_DEFAULT, CF_METADATA, CF_STREAM } from '../storage/column-family.js'
import { DEFAULT_NAMESPACE, type InternalKey, parseInternalKey, parseNsKey } from '../storage/keys.js'
import {
  hasFieldExpiry,
  LOG_BITFIELD,
  LOG_BITOP,
  LOG_EXPIRE,
  LOG_LINSERT,
  LOG_LMOVE,
  LOG_LPOP,
  LOG_LPUSH,
  LOG_LREM,
  LOG_LSET,
  LOG_LTRIM,
  LOG_RPOP,
  LOG_RPUSH,
  LOG_SETBIT,
} from '../storage/log-data.js'
import {
  checkRow,
  expireMsOf,
  fieldExpireMs,
  fieldValue,
  headerSize,
  MetadataFormatError,
  rowType,
  TYPE_BITMAP,
  TYPE_HASH,
  TYPE_JSON,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../storage/metadata.js'
import { jsonText } from './json-document.js'
import { type Operation, type Row, readOperations } from './operations.js'
import { entryStrings, idText } from './stream-rows.js'

export type RespCommand = readonly Bytes[]

export interface NamespaceCommands {
  /** `default` for the default namespace. */
  readonly name: Bytes
  readonly commands: RespCommand[]
}

const DEFAULT = latin1('default')
const word = latin1

/** The commands of several batches, gathered by namespace, in the order of the namespaces' bytes. */
export function respCommands(batches: readonly Bytes[], slotEncoded: boolean): NamespaceCommands[] {
  const byNamespace = new Map<string, { name: Bytes; commands: RespCommand[] }>()
  for (const batch of batches) {
    for (const operation of readOperations(batch).operations) {
      const translator = new Translator(operation, slotEncoded)
      for (const row of operation.rows) {
        for (const { namespace, command } of translator.translate(row)) {
          const id = namespace.latin1Slice(0)
          const found = byNamespace.get(id)
          if (found === undefined) byNamespace.set(id, { name: namespace, commands: [command] })
          else found.commands.push(command)
        }
      }
    }
  }
  return [...byNamespace.values()]
    .sort((a, b) => compare(a.name, b.name))
    .map(({ name, commands }) => ({ name: name.equals(DEFAULT_NAMESPACE) ? DEFAULT : name, commands }))
}

interface Translated {
  readonly namespace: Bytes
  readonly command: RespCommand
}

const NONE: readonly Translated[] = []

/** A put of a field whose value begins with its expiry. */
function expiringField(stored: Bytes, { namespace, key, subKey }: InternalKey): readonly Translated[] {
  if (stored.length < EXPIRY_BYTES) return NONE
  const expireMs = fieldExpireMs(stored)
  const set = { namespace, command: [word('HSET'), key, subKey, fieldValue(stored)] }
  if (expireMs === 0) return [set]
  const expire = [word('HPEXPIREAT'), key, decimal(expireMs), word('FIELDS'), word('1'), subKey]
  return [set, { namespace, command: expire }]
}

const EXPIRY_BYTES = 8

/** Translates the rows of one operation, in order. */
class Translator {
  readonly #type: number
  readonly #words: readonly Bytes[]
  readonly #slotEncoded: boolean
  readonly #fieldsExpire: boolean
  #isFirst = true
  readonly #acknowledged = new Set<string>()

  constructor({ log }: Operation, slotEncoded: boolean) {
    this.#type = log?.type ?? 0
    this.#words = log?.words ?? []
    this.#slotEncoded = slotEncoded
    this.#fieldsExpire = hasFieldExpiry(log)
  }

  translate(row: Row): readonly Translated[] {
    if (row.kind === 'range') return NONE
    if (row.cf === CF_METADATA) return this.#key(row)
    if (row.cf !== CF_DEFAULT && row.cf !== CF_STREAM) return NONE
    const parsed = parseInternalKey(row.key, this.#slotEncoded)
    if (parsed === undefined) return NONE
    if (this.#type === TYPE_HASH && this.#fieldsExpire && row.cf === CF_DEFAULT && row.kind === 'put') {
      return expiringField(row.value, parsed)
    }
    const command = row.cf === CF_STREAM ? this.#stream(row, parsed) : this.#element(row, parsed)
    return command === undefined ? NONE : [{ namespace: parsed.namespace, command }]
  }

  #key(row: Row): readonly Translated[] {
    const parsed = parseNsKey(row.key, this.#slotEncoded)
    if (parsed === undefined) return NONE
    const { namespace, key } = parsed
    if (row.kind === 'delete') return [{ namespace, command: [word('DEL'), key] }]
    try {
      checkRow(row.value)
    } catch (error) {
      if (error instanceof MetadataFormatError) return NONE
      throw error
    }
    const expireMs = expireMsOf(row.value)
    const type = rowType(row.value)
    const value = row.value.subarray(headerSize(row.value))
    const commands: RespCommand[] = []
    if (type === TYPE_STRING) commands.push([word('SET'), key, value])
    else if (type === TYPE_JSON) commands.push([word('JSON.SET'), key, word('$'), jsonText(value) ?? word('null')])
    const expires = type === TYPE_STRING || type === TYPE_JSON || this.#command === LOG_EXPIRE
    if (expireMs > 0 && expires) commands.push([word('PEXPIREAT'), key, decimal(expireMs)])
    if (type === TYPE_STREAM && this.#words[0]?.latin1Slice(0) === 'XSETID') commands.push(setId(key, value))
    return commands.map((command) => ({ namespace, command }))
  }

  get #command(): number {
    return Number(this.#words[0]?.latin1Slice(0) ?? Number.NaN)
  }

  #element({ kind, value }: Row, { key, subKey }: InternalKey): RespCommand | undefined {
    const isPut = kind === 'put'
    switch (this.#type) {
      case TYPE_HASH:
        return isPut ? [word('HSET'), key, subKey, value] : [word('HDEL'), key, subKey]
      case TYPE_SET:
        return [word(isPut ? 'SADD' : 'SREM'), key, subKey]
      case TYPE_ZSET:
        if (!isPut) return [word('ZREM'), key, subKey]
        return value.length === 8
          ? [word('ZADD'), key, word(formatFixed6(readSortableDouble(value, 0))), subKey]
          : undefined
      case TYPE_LIST:
        return isPut ? this.#listPut(key, value) : this.#listDelete(key)
      case TYPE_BITMAP:
        return isPut ? this.#bitmapPut(key, value) : undefined
      default:
        return undefined
    }
  }

  #listPut(key: Bytes, value: Bytes): RespCommand | undefined {
    const words = this.#words
    switch (this.#command) {
      case LOG_LSET:
        return words[1] === undefined ? undefined : [word('LSET'), key, words[1], value]
      case LOG_LINSERT: {
        if (words.length < 4 || !this.#takeFirst()) return undefined
        const side = word(words[1]?.latin1Slice(0) === '1' ? 'before' : 'after')
        return [word('LINSERT'), key, side, words[2] as Bytes, words[3] as Bytes]
      }
      case LOG_LPUSH:
        return [word('LPUSH'), key, value]
      case LOG_RPUSH:
        return [word('RPUSH'), key, value]
      default:
        return undefined
    }
  }

  #listDelete(key: Bytes): RespCommand | undefined {
    const words = this.#words
    switch (this.#command) {
      case LOG_LTRIM:
        if (words.length < 3 || !this.#takeFirst()) return undefined
        return [word('LTRIM'), key, words[1] as Bytes, words[2] as Bytes]
      case LOG_LREM:
        if (words.length < 3 || !this.#takeFirst()) return undefined
        return [word('LREM'), key, words[1] as Bytes, words[2] as Bytes]
      case LOG_LPOP:
        return [word('LPOP'), key]
      case LOG_RPOP:
        return [word('RPOP'), key]
      case LOG_LMOVE:
        if (words.length < 5 || !this.#takeFirst()) return undefined
        return [word('LMOVE'), ...words.slice(1, 5)]
      default:
        return undefined
    }
  }

  #bitmapPut(key: Bytes, value: Bytes): RespCommand | undefined {
    const words = this.#words
    switch (this.#command) {
      case LOG_SETBIT: {
        if (words[1] === undefined) return undefined
        const offset = Number(words[1].latin1Slice(0))
        const bit = ((value[Math.floor(offset / 8) % 1024] ?? 0) >> (offset % 8)) & 1
        return [word('SETBIT'), key, words[1], word(String(bit))]
      }
      case LOG_BITOP:
        if (words.length < 4 || !this.#takeFirst()) return undefined
        return [word('BITOP'), words[1] as Bytes, key, ...words.slice(2)]
      case LOG_BITFIELD:
        return [word('BITFIELD'), key, ...words.slice(1)]
      default:
        return undefined
    }
  }

  #stream(row: Row, { key, subKey }: InternalKey): RespCommand | undefined {
    if (subKey.length < 16) return undefined
    const isGroup = readUint64(subKey, 0) === 0xffff_ffff_ffff_ffffn
    if (row.kind === 'put') {
      if (isGroup) return undefined
      const strings = entryStrings(row.value)
      return strings === undefined ? undefined : [word('XADD'), key, idText(subKey, 0), ...strings]
    }
    const isAcknowledged = this.#words.length >= 3 && this.#words[0]?.latin1Slice(0) === 'XACKDEL'
    const id = isGroup ? pendingId(subKey) : idText(subKey, 0)
    if (!isAcknowledged) return isGroup || id === undefined ? undefined : [word('XDEL'), key, id]
    if (id === undefined) return undefined
    const said = `${key.latin1Slice(0)}\0${id.latin1Slice(0)}`
    if (this.#acknowledged.has(said)) return undefined
    this.#acknowledged.add(said)
    return [...this.#words.slice(0, 1), key, ...this.#words.slice(1, 3), word('IDS'), word('1'), id]
  }

  /** True once an operation. */
  #takeFirst(): boolean {
    const isFirst = this.#isFirst
    this.#isFirst = false
    return isFirst
  }
}

/** The id of a pending entry's key; undefined for keys of groups and consumers. */
function pendingId(subKey: Bytes): Bytes | undefined {
  if (subKey[8] !== 3 || subKey.length < 17) return undefined
  const at = 17 + Number(readUint64(subKey, 9))
  return subKey.length >= at + 16 ? idText(subKey, at) : undefined
}

/** `value` begins with the version and the size; see stream-rows.ts for the tail. */
function setId(key: Bytes, value: Bytes): RespCommand {
  const tail = value.subarray(16)
  if (tail.length < 88) return [word('XSETID'), key, word('0-0')]
  const added = decimal(readUint64(tail, 80))
  return [word('XSETID'), key, idText(tail, 64), word('ENTRIESADDED'), added, word('MAXDELETEDID'), idText(tail, 32)]
}
