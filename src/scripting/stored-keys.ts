/**
 * Keys in the column family `propagate`, without a namespace. Source: Kvrocks src/server/server.h, kLuaFuncSHAPrefix,
 * kLuaFuncLibPrefix, kLuaLibCodePrefix.
 *
 *   lua_f_<sha1>              the body of a script
 *   lua_func_lib_<function>   the name of its library
 *   lua_lib_code_<library>    the code of a library, with its first line
 *   script                    a SCRIPT command, as RESP, that replicas execute
 */
import type { Bytes } from '../bytes/bytes.js'

const SCRIPT_PREFIX = 'lua_f_'
const FUNCTION_PREFIX = 'lua_func_lib_'
const LIBRARY_PREFIX = 'lua_lib_code_'

/** SCRIPT FLUSH removes from the first key to the second. */
export const SCRIPTS_BEGIN: Bytes = Buffer.from(SCRIPT_PREFIX)
export const SCRIPTS_END: Bytes = Buffer.from('lua_f`')

export const PROPAGATED_KEY: Bytes = Buffer.from('script')
export const PROPAGATED_FLUSH: Bytes = Buffer.from('*2\r\n$6\r\nscript\r\n$5\r\nflush\r\n')

export const LIBRARIES_BEGIN: Bytes = Buffer.from(LIBRARY_PREFIX)
export const LIBRARIES_END: Bytes = Buffer.from('lua_lib_code`')

/** Where the body of a script stands, by its SHA-1 in lower case. */
export function scriptKey(sha: string): Bytes {
  return Buffer.from(SCRIPT_PREFIX + sha)
}

/** Where the library of a function stands. */
export function functionKey(name: string): Bytes {
  return Buffer.from(FUNCTION_PREFIX + name)
}

/** Where the code of a library stands. */
export function libraryKey(name: string): Bytes {
  return Buffer.from(LIBRARY_PREFIX + name)
}
