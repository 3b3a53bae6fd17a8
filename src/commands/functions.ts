/** Functions: FCALL and FUNCTION. Source: redis src/functions.c; kvrocks src/commands/cmd_function.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { globMatch } from '../bytes/glob.js'
import type { Args } from '../protocol/args.js'
import {
  BAD_FUNCTION_PAYLOAD,
  BAD_RESTORE_POLICY,
  NO_SUCH_LIBRARY,
  unknownArgument,
} from '../protocol/errors/scripting.js'
import { SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { flagNames } from '../scripting/flags.js'
import type { Library } from '../scripting/function-libraries.js'
import type { RestorePolicy } from '../scripting/scripts.js'
import { readFunctionPayload } from '../storage/rdb/payload.js'
import { RdbError } from '../storage/rdb/rdb-error.js'
import {
  type AnyCommand,
  container,
  FAST,
  NO_SCRIPT,
  noOptions,
  OK_STALE,
  READONLY,
  serverCommand,
  WRITE,
} from './command.js'
import type { ServerContext } from './context.js'
import { OptionReader } from './options.js'
import { callCommands, killCommand, parseFlushMode } from './script-call.js'

const READS = NO_SCRIPT | READONLY | OK_STALE
const WRITES = NO_SCRIPT | WRITE

interface LoadOptions {
  readonly replace: boolean
  readonly code: Bytes
}

interface ListOptions {
  readonly pattern: Bytes | undefined
  readonly withCode: boolean
}

export const functionCommands: readonly AnyCommand[] = [
  ...callCommands(
    'fcall',
    { argument: 'function', summary: 'Invokes a function', since: '7.0.0' },
    (scripts, args, call) => scripts.callFunction(args.at(1).utf8Slice(0), call),
  ),
  container({ name: 'function', flags: NO_SCRIPT, summary: 'Manages function libraries.', since: '7.0.0' }, [
    serverCommand(
      {
        name: 'function|load',
        arity: -3,
        flags: WRITES,
        syntax: '[REPLACE] code',
        summary: 'Creates a library.',
        since: '7.0.0',
      },
      parseLoad,
      ({ server, reply }, _args, { code, replace }) => reply.bulkText(server.scripts.loadLibrary(code, replace).name),
    ),
    serverCommand(
      {
        name: 'function|delete',
        arity: 3,
        flags: WRITES,
        syntax: 'library',
        summary: 'Deletes a library and its functions.',
        since: '7.0.0',
      },
      noOptions,
      ({ server, reply }, args) => {
        server.scripts.deleteLibrary(args.at(2).utf8Slice(0))
        reply.ok()
      },
    ),
    serverCommand(
      {
        name: 'function|flush',
        arity: -2,
        flags: WRITES,
        syntax: '[ASYNC | SYNC]',
        summary: 'Deletes all libraries and functions.',
        since: '7.0.0',
      },
      parseFlushMode,
      ({ server, reply }) => {
        server.scripts.flushLibraries()
        reply.ok()
      },
    ),
    serverCommand(
      {
        name: 'function|list',
        arity: -2,
        flags: READS,
        syntax: '[LIBRARYNAME pattern] [WITHCODE]',
        summary: 'Returns information about all libraries.',
        since: '7.0.0',
      },
      parseList,
      listLibraries,
    ),
    serverCommand(
      {
        name: 'function|listfunc',
        arity: -2,
        flags: READS,
        syntax: '[FUNCNAME prefix]',
        summary: 'Returns the functions and their libraries.',
        since: '2.7.0',
      },
      parseListFunc,
      listFunctions,
    ),
    serverCommand(
      {
        name: 'function|listlib',
        arity: 3,
        flags: READS,
        syntax: 'library',
        summary: 'Returns the functions of a library.',
        since: '2.7.0',
      },
      noOptions,
      listLibrary,
    ),
    serverCommand(
      {
        name: 'function|dump',
        arity: 2,
        flags: READS,
        syntax: '',
        summary: 'Dumps all libraries into one payload.',
        since: '7.0.0',
      },
      noOptions,
      ({ server, reply }) => reply.bulk(server.scripts.dumpLibraries()),
    ),
    serverCommand(
      {
        name: 'function|restore',
        arity: -3,
        flags: WRITES,
        syntax: 'payload [FLUSH | APPEND | REPLACE]',
        summary: 'Restores all libraries from a payload.',
        since: '7.0.0',
      },
      parseRestore,
      restore,
    ),
    serverCommand(
      {
        name: 'function|stats',
        arity: 2,
        flags: READS | FAST,
        syntax: '',
        summary: 'Returns information about the running function and the engines.',
        since: '7.0.0',
      },
      noOptions,
      stats,
    ),
    killCommand('function|kill', 'function', '7.0.0'),
  ]),
]

function parseLoad(args: Args): LoadOptions {
  const replace = args.count === 4
  if (args.count > 4) throw unknownArgument(args.latin1(3))
  if (replace && !args.is(2, 'replace')) throw unknownArgument(args.latin1(2))
  return { replace, code: args.at(args.count - 1) }
}

function parseList(args: Args): ListOptions {
  const options = new OptionReader(args, 2)
  let pattern: Bytes | undefined
  let withCode = false
  while (options.hasMore) {
    if (!withCode && options.take('withcode')) withCode = true
    else if (pattern === undefined && options.take('libraryname')) pattern = options.word()
    else throw unknownArgument(args.latin1(options.index))
  }
  options.end()
  return { pattern, withCode }
}

function listLibraries({ server, reply }: ServerContext, _args: Args, { pattern, withCode }: ListOptions): void {
  const libraries = server.scripts.libraries.all.filter(
    ({ name }) => pattern === undefined || globMatch(pattern, Buffer.from(name), true),
  )
  reply.array(libraries.length)
  for (const library of libraries) writeLibrary(reply, library, withCode)
}

function writeLibrary(reply: Reply, { name, functions, code }: Library, withCode: boolean): void {
  reply.map(withCode ? 4 : 3)
  reply.bulkText('library_name')
  reply.bulkText(name)
  reply.bulkText('engine')
  reply.bulkText('LUA')
  reply.bulkText('functions')
  reply.array(functions.length)
  for (const { name: functionName, description, flags } of functions) {
    reply.map(3)
    reply.bulkText('name')
    reply.bulkText(functionName)
    reply.bulkText('description')
    if (description === undefined) reply.nil()
    else reply.bulkText(description)
    reply.bulkText('flags')
    const names = flagNames(flags)
    reply.set(names.length)
    for (const flag of names) reply.status(flag)
  }
  if (!withCode) return
  reply.bulkText('library_code')
  reply.bulk(code)
}

/** The prefix of the functions to show. */
function parseListFunc(args: Args): string {
  if (args.count === 2) return ''
  if (args.count !== 4 || !args.is(2, 'funcname')) throw SYNTAX
  return args.at(3).utf8Slice(0)
}

function listFunctions({ server, reply }: ServerContext, _args: Args, prefix: string): void {
  const functions = server.scripts.libraries.all
    .flatMap((library) => library.functions)
    .filter(({ name }) => name.startsWith(prefix))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  reply.array(functions.length)
  for (const { name, libraryName } of functions) {
    reply.map(2)
    reply.bulkText('function_name')
    reply.bulkText(name)
    reply.bulkText('from_library')
    reply.bulkText(libraryName)
  }
}

function listLibrary({ server, reply }: ServerContext, args: Args): void {
  const library = server.scripts.libraries.library(args.at(2).utf8Slice(0))
  if (library === undefined) throw NO_SUCH_LIBRARY
  reply.map(3)
  reply.bulkText('library_name')
  reply.bulkText(library.name)
  reply.bulkText('engine')
  reply.bulkText('lua')
  reply.bulkText('functions')
  reply.array(library.functions.length)
  for (const { name } of library.functions) reply.bulkText(name)
}

function parseRestore(args: Args): RestorePolicy {
  if (args.count > 4) throw SYNTAX
  if (args.count === 3 || args.is(3, 'append')) return 'append'
  if (args.is(3, 'replace')) return 'replace'
  if (args.is(3, 'flush')) return 'flush'
  throw BAD_RESTORE_POLICY
}

function restore({ server, config, reply }: ServerContext, args: Args, policy: RestorePolicy): void {
  server.scripts.restoreLibraries(readLibraries(args.at(2)), policy, config['lua-time-limit'])
  reply.ok()
}

function readLibraries(payload: Bytes): Bytes[] {
  try {
    return readFunctionPayload(payload)
  } catch (error) {
    if (error instanceof RdbError) throw BAD_FUNCTION_PAYLOAD
    throw error
  }
}

function stats({ server, reply }: ServerContext): void {
  const { libraries } = server.scripts
  reply.map(2)
  reply.bulkText('running_script')
  reply.nil()
  reply.bulkText('engines')
  reply.map(1)
  reply.bulkText('LUA')
  reply.map(2)
  reply.bulkText('libraries_count')
  reply.integer(libraries.size)
  reply.bulkText('functions_count')
  reply.integer(libraries.functionsCount)
}
