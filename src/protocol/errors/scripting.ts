/**
 * Errors of scripts and functions. Source of the texts: Redis src/eval.c, src/script.c, src/functions.c; where Kvrocks's
 * tests look for another text, its src/storage/scripting.cc.
 */
import { err, ReplyError } from '../errors.js'

/**
 * Why a script or a library could not be compiled or did not end, and the reason to roll back what the script wrote. A
 * script that returns an error table has ended, so that is a reply and not this.
 */
export class ScriptError extends ReplyError {
  /**
   * @param text as of a ReplyError, one character a byte (latin1)
   * @param stopped whether the script was stopped from outside: out of time, or out of memory for its reply
   */
  constructor(
    text: string,
    readonly stopped = false,
  ) {
    super(text)
  }
}

export const NO_SCRIPT = new ReplyError('NOSCRIPT No matching script. Please use EVAL.')
export const NOT_BUSY = new ReplyError('NOTBUSY No scripts in execution right now.')
export const NO_SUCH_FUNCTION = err('Function not found: No such function name')
export const NO_SUCH_LIBRARY = err('Library not found')
export const LIBRARY_EXISTS = err('library already exists, please specify REPLACE to force load')
export const NO_FUNCTIONS = err('No functions registered')
export const BAD_LIBRARY_NAME = err(
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long',
)
export const NO_LIBRARY_NAME = err('Library name was not given')
export const MISSING_METADATA = err('Missing library metadata')
export const INVALID_METADATA = err('Invalid library metadata')
export const INVALID_SHEBANG = err('Invalid script shebang')
export const REDUNDANT_FLAGS = err('Redundant flags in script shebang')
export const REDUNDANT_NAME = err('Redundant library name in script shebang')

export function unknownShebangOption(option: string): ReplyError {
  return err(`Unknown lua shebang option: ${option}`)
}

export function unknownFlag(name: string): ReplyError {
  return err(`Unknown flag given: ${name}`)
}

export function unexpectedEngine(name: string): ReplyError {
  return err(`Unexpected engine in script shebang: ${name}`)
}

export function functionExists(name: string): ReplyError {
  return err(`Function ${name} already exists`)
}

/** The script does not compile. */
export function notCompiled(reason: string): ScriptError {
  return new ScriptError(oneLine(`ERR Error compiling script (new function): ${reason}`))
}

/** The library does not compile, or registering its functions failed. `text` brings its code. */
export function notLoaded(text: string, stopped: boolean): ScriptError {
  if (text.startsWith('ERR Error compiling')) return new ScriptError(oneLine(text))
  return new ScriptError(oneLine(`ERR Error registering functions: ${text.replace(/^ERR /, '')}`), stopped)
}

/** The script `name` raised an error at a line of the source, which is below 0 when it is not known. */
export function raised(text: string, stopped: boolean, name: string, source: string, line: number): ScriptError {
  const place = line < 0 ? '' : ` script: ${name}, on ${source}:${line}.`
  return new ScriptError(oneLine(text + place), stopped)
}

/** A reply's error is one line. Kvrocks drops the characters where Redis puts spaces, and its test expects so. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, '')
}
