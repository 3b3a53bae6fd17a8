/**
 * Errors of scripts and functions. Source of the texts: Redis src/eval.c, src/script.c, src/functions.c; where Kvrocks's
 * tests look for another text, its src/storage/scripting.cc.
 */
import { err, ReplyError } from '../errors.js'

/**
 * Why a script or a library could not be compiled or did not end. A script that returns an error table has ended, so
 * that is a reply and not this.
 */
export class ScriptError extends ReplyError {
  /**
   * @param text as of a ReplyError
   * @param stopped whether the script was stopped from outside: out of time, or out of memory for its reply
   */
  constructor(
    text: string,
    readonly stopped = false,
  ) {
    super(text)
  }
}

/** True if an error ended a script whose writes stay, as in Redis and Kvrocks: it was not stopped from outside. */
export function keepsWrites(error: unknown): boolean {
  return error instanceof ScriptError && !error.stopped
}

/** A command that the script may not run, whatever the command: an error that speaks of the script and names its line. */
export class ScriptRefusal extends ReplyError {}

export const UNKNOWN_IN_SCRIPT = err('Unknown Redis command called from script')
export const WRONG_ARITY_IN_SCRIPT = err('Wrong number of args calling Redis command from script')
export const NOT_IN_SCRIPT = err('This Redis command is not allowed from script')
export const WRITE_IN_READ_ONLY = new ScriptRefusal('ERR Write commands are not allowed from read-only scripts.')
export const STALE_IN_SCRIPT = err('Can not execute the command on a stale replica')
export const NEGATIVE_KEYS = err("Number of keys can't be negative")
export const TOO_MANY_KEYS = err("Number of keys can't be greater than number of args")
export const BAD_RESTORE_POLICY = err('Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.')
export const BAD_FUNCTION_PAYLOAD = err('DUMP payload version or checksum are wrong')
export const NO_DEBUGGER = err('SCRIPT DEBUG is not supported')

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

export function undeclaredKey(key: string): ScriptRefusal {
  return new ScriptRefusal(`ERR Script attempted to access key '${key}', which is not in the allowed keys`)
}

export function unknownArgument(word: string): ReplyError {
  return err(`Unknown argument ${word}`)
}

export function libraryExists(name: string): ReplyError {
  return err(`Library ${name} already exists`)
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

/** A reply's error is one line: its line ends show as spaces, as in Redis. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, ' ')
}
