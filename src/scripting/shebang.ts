/**
 * The first line of a script or a library: `#!lua flags=no-writes,allow-stale` and `#!lua name=mylib`. Source of the
 * rules: Redis's evalExtractShebangFlags and functionExtractLibMetaData; of the error texts: Kvrocks's
 * src/storage/scripting.cc, which its tests look for.
 */
import {
  BAD_LIBRARY_NAME,
  INVALID_METADATA,
  INVALID_SHEBANG,
  MISSING_METADATA,
  NO_LIBRARY_NAME,
  REDUNDANT_FLAGS,
  REDUNDANT_NAME,
  unexpectedEngine,
  unknownFlag,
  unknownShebangOption,
} from '../protocol/errors/scripting.js'
import { SCRIPT_FLAGS } from './flags.js'

/** A script without a first line of its own: it may write, and touch keys of more than one slot. */
export interface ScriptHead {
  readonly flags: number
  /** Whether there is no `#!` line. */
  readonly isLegacy: boolean
  /** Where the code begins: at the line's end, so that Lua counts lines as the user does. */
  readonly codeOffset: number
}

export interface LibraryHead {
  readonly name: string
  readonly codeOffset: number
}

const NO_HEAD: ScriptHead = { flags: 0, isLegacy: true, codeOffset: 0 }
const NUMBER_SIGN = 0x23
const EXCLAMATION_MARK = 0x21
const NEWLINE = 0x0a

/** Reads a script's first line. Throws a ReplyError. */
export function readScriptHead(body: Buffer): ScriptHead {
  if (!hasShebang(body)) return NO_HEAD
  const end = body.indexOf(NEWLINE)
  if (end < 0) throw INVALID_SHEBANG
  let flags: number | undefined
  for (const option of optionsAfterEngine(body, end)) {
    if (!option.startsWith('flags=')) throw unknownShebangOption(option)
    if (flags !== undefined) throw REDUNDANT_FLAGS
    flags = readFlags(option.slice('flags='.length).split(','))
  }
  return { flags: flags ?? 0, isLegacy: false, codeOffset: end }
}

/** Reads a library's first line, which must name the library. Throws a ReplyError. */
export function readLibraryHead(body: Buffer): LibraryHead {
  if (!hasShebang(body)) throw MISSING_METADATA
  const end = body.indexOf(NEWLINE)
  if (end < 0) throw INVALID_METADATA
  let name: string | undefined
  for (const option of optionsAfterEngine(body, end)) {
    if (!/^name=/i.test(option)) throw unknownShebangOption(option)
    if (name !== undefined) throw REDUNDANT_NAME
    name = option.slice('name='.length)
  }
  if (name === undefined) throw NO_LIBRARY_NAME
  if (!/^[A-Za-z0-9_]+$/.test(name)) throw BAD_LIBRARY_NAME
  return { name, codeOffset: end }
}

/** Bits of the named flags. Throws a ReplyError for a name that does not exist. */
export function readFlags(names: readonly string[]): number {
  let flags = 0
  for (const name of names) {
    const bit = SCRIPT_FLAGS.get(name)
    if (bit === undefined) throw unknownFlag(name)
    flags |= bit
  }
  return flags
}

function hasShebang(body: Buffer): boolean {
  return body[0] === NUMBER_SIGN && body[1] === EXCLAMATION_MARK
}

function optionsAfterEngine(body: Buffer, end: number): string[] {
  const [engine = '', ...options] = body.latin1Slice(0, end).trim().split(/\s+/)
  if (engine.toLowerCase() !== '#!lua') throw unexpectedEngine(engine.slice(2))
  return options
}
