import type { ByteSink } from './byte-sink.js'
import { moduleId } from './decode-module.js'
import { cutNodes, writeStreamNode, writeStreamState } from './encode-stream.js'
import {
  MODULE_DOUBLE,
  MODULE_EOF,
  MODULE_FLOAT,
  MODULE_SIGNED,
  MODULE_STRING,
  MODULE_UNSIGNED,
  TYPE_HASH,
  TYPE_HASH_METADATA,
  TYPE_LIST,
  TYPE_MODULE_2,
  TYPE_SET,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STRING,
  TYPE_ZSET_2,
} from './format.js'
import { RdbError } from './rdb-error.js'
import type { HashEntry, ModuleItem, ModuleValue, RdbValue, StreamValue, ZsetEntry } from './value.js'

/** How a value is written: its object type, and the lowest RDB version that has it. */
export type Encoding = { readonly type: number; readonly version: number }

const PLAIN_VERSION = 6
const BINARY_SCORES_VERSION = 8
const STREAM_VERSION = 10
const STREAM_ACTIVE_TIME_VERSION = 11
const FIELD_EXPIRY_VERSION = 12

/**
 * The encoding for a reader of RDB version `versionMax`. Collections are written element by element, in the forms that
 * every Redis reads, so that nothing has to be known of an element before it is written. Throws RdbError 'feature' if
 * that reader has no encoding for the value.
 */
export function encodingOf(type: RdbValue['type'], versionMax: number, fieldsExpire = false): Encoding {
  switch (type) {
    case 'string':
      return { type: TYPE_STRING, version: PLAIN_VERSION }
    case 'list':
      return { type: TYPE_LIST, version: PLAIN_VERSION }
    case 'set':
      return { type: TYPE_SET, version: PLAIN_VERSION }
    case 'hash':
      if (!fieldsExpire) return { type: TYPE_HASH, version: PLAIN_VERSION }
      return checkVersion({ type: TYPE_HASH_METADATA, version: FIELD_EXPIRY_VERSION }, versionMax)
    case 'zset':
      return checkVersion({ type: TYPE_ZSET_2, version: BINARY_SCORES_VERSION }, versionMax)
    case 'module':
      return checkVersion({ type: TYPE_MODULE_2, version: BINARY_SCORES_VERSION }, versionMax)
    case 'stream':
      return versionMax >= STREAM_ACTIVE_TIME_VERSION
        ? { type: TYPE_STREAM_LISTPACKS_3, version: STREAM_ACTIVE_TIME_VERSION }
        : checkVersion({ type: TYPE_STREAM_LISTPACKS_2, version: STREAM_VERSION }, versionMax)
  }
}

function checkVersion(encoding: Encoding, versionMax: number): Encoding {
  if (encoding.version <= versionMax) return encoding
  throw new RdbError('feature', `RDB version ${versionMax} cannot hold this value`, encoding.type)
}

/** Whether a field of the hash expires. */
export function hasExpiringFields(value: RdbValue): boolean {
  return value.type === 'hash' && value.entries.some((entry) => entry[2] !== undefined)
}

/** Writes a whole value behind its type byte. `type` is from `encodingOf`. */
export function writeValue(sink: ByteSink, value: RdbValue, type: number): void {
  switch (value.type) {
    case 'string':
      sink.string(value.value)
      break
    case 'list':
      sink.length(value.elements.length)
      for (const element of value.elements) sink.string(element)
      break
    case 'set':
      sink.length(value.members.length)
      for (const member of value.members) sink.string(member)
      break
    case 'zset':
      sink.length(value.entries.length)
      for (const entry of value.entries) writeZsetEntry(sink, entry)
      break
    case 'hash':
      writeHashStart(sink, value.entries.length, type)
      for (const entry of value.entries) writeHashEntry(sink, entry, type)
      break
    case 'stream':
      writeStream(sink, value, type)
      break
    case 'module':
      writeModule(sink, value)
      break
  }
}

function writeStream(sink: ByteSink, { entries, state }: StreamValue, type: number): void {
  if (state === undefined) throw new TypeError('part of a stream where a whole one is expected')
  const nodes = cutNodes(entries)
  sink.length(nodes.length)
  for (const node of nodes) writeStreamNode(sink, node)
  writeStreamState(sink, type, entries.length, state)
}

// Redis subtracts the earliest expiry of the hash from each; any earlier time serves, and is known beforehand.
const EARLIEST_MS = 1

/** Writes what stands before the fields of a hash. */
export function writeHashStart(sink: ByteSink, count: number, type: number): void {
  if (type === TYPE_HASH_METADATA) sink.int64(EARLIEST_MS)
  sink.length(count)
}

/** Writes a field and its value, behind the expiry if the type has one. */
export function writeHashEntry(sink: ByteSink, [field, value, expireMs]: HashEntry, type: number): void {
  if (type === TYPE_HASH_METADATA) sink.length(expireMs === undefined ? 0 : expireMs - EARLIEST_MS + 1)
  else if (expireMs !== undefined) throw new TypeError('expiring field in a hash without expiries')
  sink.string(field)
  sink.string(value)
}

/** Writes a member and its score. */
export function writeZsetEntry(sink: ByteSink, [member, score]: ZsetEntry): void {
  sink.string(member)
  sink.double(score)
}

function writeModule(sink: ByteSink, value: ModuleValue): void {
  sink.length(moduleId(value.name, value.encodingVersion))
  for (const item of value.items) writeModuleItem(sink, item)
  sink.length(MODULE_EOF)
}

function writeModuleItem(sink: ByteSink, item: ModuleItem): void {
  sink.length(MODULE_OPCODES[item.kind])
  switch (item.kind) {
    case 'signed':
    case 'unsigned':
      sink.length(item.value)
      break
    case 'float':
      sink.float(item.value)
      break
    case 'double':
      sink.double(item.value)
      break
    case 'string':
      sink.string(item.value)
      break
  }
}

const MODULE_OPCODES = {
  signed: MODULE_SIGNED,
  unsigned: MODULE_UNSIGNED,
  float: MODULE_FLOAT,
  double: MODULE_DOUBLE,
  string: MODULE_STRING,
} as const
