import type { Bytes } from '../../bytes/bytes.js'
import { Crc64 } from '../../bytes/crc64.js'
import { ByteSink } from './byte-sink.js'
import { ByteSource } from './byte-source.js'
import { openValue, partSize, stepValue } from './decode.js'
import { encodingOf, hasExpiringFields, writeValue } from './encode.js'
import { FOOTER_SIZE, OPCODE_FUNCTION_2, OPCODE_FUNCTION_PRE_GA, RDB_VERSION_MAX } from './format.js'
import { RdbError } from './rdb-error.js'
import type { RdbValue } from './value.js'

/**
 * DUMP payloads.
 *
 *   type(1) value version(2) crc64(8)        footer little-endian
 *
 * Source: Redis cluster.c, createDumpPayload and verifyDumpPayload.
 */

// Redis 7.0: the oldest whose streams keep what ours do.
const DUMP_VERSION_MAX = 10

/**
 * The value of a payload, whose byte strings are views of it. Throws RdbError: faults `length`, `version` and
 * `checksum` before anything else is looked at, `type` for an unknown type, `empty` for a collection without elements.
 */
export function readPayload(payload: Bytes, versionMax = RDB_VERSION_MAX): RdbValue {
  const source = openPayload(payload, versionMax)
  const open = openValue(source, source.byte())
  while (open.left > 0) stepValue(open, source)
  if (source.left > 0) throw new RdbError('corrupt', 'bytes behind the value')
  const { value } = open
  if (value.type !== 'stream' && partSize(value) === 0) throw new RdbError('empty', 'collection without elements')
  refuseDuplicates(value)
  return value
}

/**
 * The payload of a value, in encodings that every Redis since 4.0 reads, and Kvrocks; streams since 7.0, hashes with
 * expiring fields since 7.4. The version in the footer is the lowest that has the encoding.
 */
export function createPayload(value: RdbValue): Bytes {
  const fieldsExpire = hasExpiringFields(value)
  const { type, version } = encodingOf(value.type, fieldsExpire ? RDB_VERSION_MAX : DUMP_VERSION_MAX, fieldsExpire)
  const sink = new ByteSink()
  sink.byte(type)
  writeValue(sink, value, type)
  return close(sink, version)
}

/** The source texts of the function libraries in a payload of FUNCTION DUMP. Throws RdbError as `readPayload` does. */
export function readFunctionPayload(payload: Bytes, versionMax = RDB_VERSION_MAX): Bytes[] {
  const source = openPayload(payload, versionMax)
  const libraries: Bytes[] = []
  while (source.left > 0) {
    const opcode = source.byte()
    if (opcode === OPCODE_FUNCTION_PRE_GA) throw new RdbError('feature', 'functions before their release', opcode)
    if (opcode !== OPCODE_FUNCTION_2) throw new RdbError('type', 'function library expected', opcode)
    libraries.push(source.string())
  }
  return libraries
}

/** The payload of FUNCTION DUMP for the source texts of libraries. */
export function createFunctionPayload(libraries: readonly Bytes[]): Bytes {
  const sink = new ByteSink()
  for (const library of libraries) {
    sink.byte(OPCODE_FUNCTION_2)
    sink.block(library)
  }
  return close(sink, DUMP_VERSION_MAX)
}

function openPayload(payload: Bytes, versionMax: number): ByteSource {
  if (payload.length < FOOTER_SIZE) throw new RdbError('length', 'payload is too short')
  const end = payload.length - FOOTER_SIZE
  const version = payload.readUInt16LE(end)
  if (version > versionMax) throw new RdbError('version', `unsupported version ${version}`, version)
  if (!new Crc64().update(payload, 0, end + 2).matches(payload, end + 2))
    throw new RdbError('checksum', 'wrong checksum')
  return new ByteSource(payload.subarray(0, end))
}

function close(sink: ByteSink, version: number): Bytes {
  sink.uint16(version)
  const end = sink.size
  sink.int64(0)
  const payload = sink.take()
  new Crc64().update(payload, 0, end).write(payload, end)
  return payload
}

/** The same member twice would make the stored count wrong. */
function refuseDuplicates(value: RdbValue): void {
  if (value.type !== 'set' && value.type !== 'hash' && value.type !== 'zset') return
  const seen = new Set<string>()
  if (value.type === 'set') for (const member of value.members) seen.add(member.toString('latin1'))
  else for (const [name] of value.entries) seen.add(name.toString('latin1'))
  if (seen.size !== partSize(value)) throw new RdbError('corrupt', 'element given twice')
}
