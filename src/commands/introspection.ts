/** COMMAND and its subcommands. Source: redis src/server.c; kvrocks src/commands/cmd_server.cc, CommandCommand. */

import { globMatch } from '../bytes/glob.js'
import { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { aclCategories } from './acl-categories.js'
import {
  ADMIN,
  type AnyCommand,
  BLOCKING,
  container,
  fitsArity,
  hasFlag,
  keyIndexes,
  NO_AUTH_NEEDED,
  NO_MONITOR,
  NO_MULTI,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  PUBSUB,
  READONLY,
  SCRIPTING,
  serverCommand,
  WRITE,
} from './command.js'
import type { BoundCommand, CommandTable } from './command-table.js'
import type { ServerContext } from './context.js'
import { parseSyntax, type SyntaxArgument } from './syntax.js'

const FLAGS = READONLY | OK_LOADING | OK_STALE

const INVALID_COMMAND = err('Invalid command specified')
const NO_KEYS = err('The command has no key arguments')
const INVALID_COUNT = err('Invalid number of arguments specified for command')
const INVALID_ARGUMENTS = err('Invalid arguments specified for command')

function sub(
  name: string,
  arity: number,
  syntax: string,
  summary: string,
  since: string,
  execute: (context: ServerContext, args: Args) => void,
): AnyCommand {
  const spec = { name: `command|${name}`, arity, flags: FLAGS, syntax, summary, since }
  return serverCommand(spec, noOptions, execute)
}

export const introspectionCommands: readonly AnyCommand[] = [
  container(
    { name: 'command', flags: FLAGS, summary: 'Returns detailed information about all commands.', since: '2.8.13' },
    [
      sub('count', 2, '', 'Returns a count of commands.', '2.8.13', ({ reply, server }) =>
        reply.integer(server.commands.size),
      ),
      sub('info', -2, '[command-name [command-name ...]]', 'Returns information about commands.', '2.8.13', info),
      sub('docs', -2, '[command-name [command-name ...]]', 'Returns documentary information.', '7.0.0', docs),
      sub('getkeys', -3, 'command [arg [arg ...]]', 'Extracts the key names from a command.', '2.8.13', getKeys),
      sub(
        'getkeysandflags',
        -3,
        'command [arg [arg ...]]',
        'Extracts the key names and access flags of a command.',
        '7.0.0',
        getKeysAndFlags,
      ),
      sub(
        'list',
        -2,
        '[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]',
        'Returns a list of command names.',
        '7.0.0',
        list,
      ),
    ],
    all,
  ),
]

function all({ reply, server }: ServerContext): void {
  const commands = server.commands.all()
  reply.array(commands.length)
  for (const command of commands) describe(reply, command)
}

function named(commands: CommandTable, args: Args): (BoundCommand | undefined)[] {
  return args.rest(2).map((name) => commands.get(name.latin1Slice(0)))
}

function info({ reply, server }: ServerContext, args: Args): void {
  const found = args.count === 2 ? server.commands.all() : named(server.commands, args)
  reply.array(found.length)
  for (const command of found) {
    if (command === undefined) reply.nilArray()
    else describe(reply, command)
  }
}

/**
 * Six elements, as Redis had before 7 and Kvrocks has: its tests count them, and clients take either form. Of the flags
 * the first is the only one of plain data commands.
 */
function describe(reply: Reply, command: BoundCommand): void {
  const flags = FLAG_NAMES.filter(([flag]) => hasFlag(command, flag)).map(([, name]) => name)
  if (typeof command.keys === 'function') flags.push('movablekeys')
  reply.array(6)
  reply.bulkText(command.name)
  reply.integer(command.arity)
  reply.set(flags.length)
  for (const flag of flags) reply.status(flag)
  const range = typeof command.keys === 'object' ? command.keys : { first: 0, last: 0, step: 0 }
  reply.integer(range.first)
  reply.integer(range.last)
  reply.integer(range.step)
}

const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [WRITE, 'write'],
  [READONLY, 'readonly'],
  [ADMIN, 'admin'],
  [PUBSUB, 'pubsub'],
  [BLOCKING, 'blocking'],
  [NO_SCRIPT, 'noscript'],
  [OK_LOADING, 'loading'],
  [OK_STALE, 'stale'],
  [NO_AUTH_NEEDED, 'no_auth'],
  [NO_MONITOR, 'skip_monitor'],
  [NO_MULTI, 'no_multi'],
]

/** The command that words 2 and following are, as a request of its own. */
function inner({ server }: ServerContext, args: Args): { command: BoundCommand; request: Args } {
  const request = Args.of(args.rest(2))
  let command = server.commands.lookup(request)
  if (command?.subcommands !== undefined && request.count > 1) {
    command = command.subcommands.get(request.latin1(1).toLowerCase())
  }
  if (command === undefined) throw INVALID_COMMAND
  return { command, request }
}

function innerKeys(context: ServerContext, args: Args): { command: BoundCommand; keys: readonly Buffer[] } {
  const { command, request } = inner(context, args)
  if (command.keys === undefined) throw NO_KEYS
  if (!fitsArity(command, request.count)) throw INVALID_COUNT
  const indexes = keyIndexes(command, request)
  // Scripts and functions may have none.
  if (indexes.length === 0 && !hasFlag(command, SCRIPTING)) throw INVALID_ARGUMENTS
  return { command, keys: indexes.map((index) => request.at(index)) }
}

function getKeys(context: ServerContext, args: Args): void {
  const { keys } = innerKeys(context, args)
  context.reply.array(keys.length)
  for (const key of keys) context.reply.bulk(key)
}

/** All keys of a command get the same flags: what it may do with any of them. */
function getKeysAndFlags(context: ServerContext, args: Args): void {
  const { command, keys } = innerKeys(context, args)
  const flags = hasFlag(command, WRITE) ? ['RW', 'access', 'update'] : ['RO', 'access']
  context.reply.array(keys.length)
  for (const key of keys) {
    context.reply.array(2)
    context.reply.bulk(key)
    context.reply.set(flags.length)
    for (const flag of flags) context.reply.status(flag)
  }
}

function list({ reply, server }: ServerContext, args: Args): void {
  const matches = args.count === 2 ? () => true : filterOf(args)
  const names = server.commands
    .all()
    .flatMap((command) => [command, ...(command.subcommands?.values() ?? [])])
    .filter(matches)
    .map((command) => command.calledAs)
  reply.array(names.length)
  for (const name of names) reply.bulkText(name)
}

function filterOf(args: Args): (command: BoundCommand) => boolean {
  if (args.count !== 5 || !args.is(2, 'filterby')) throw SYNTAX
  const value = args.at(4)
  if (args.is(3, 'module')) return () => false
  if (args.is(3, 'pattern')) return ({ calledAs }) => globMatch(value, Buffer.from(calledAs), true)
  if (!args.is(3, 'aclcat')) throw SYNTAX
  const category = value.latin1Slice(0).toLowerCase()
  return (command) => aclCategories(command).includes(category)
}

function docs({ reply, server }: ServerContext, args: Args): void {
  const found = args.count === 2 ? server.commands.all() : named(server.commands, args)
  const known = found.filter((command) => command !== undefined)
  reply.map(known.length)
  for (const command of known) {
    reply.bulkText(command.calledAs)
    document(reply, command)
  }
}

function document(reply: Reply, command: BoundCommand): void {
  const parts = parseSyntax(command.syntax)
  const subcommands = [...(command.subcommands?.values() ?? [])]
  reply.map(3 + (parts.length > 0 ? 1 : 0) + (subcommands.length > 0 ? 1 : 0))
  reply.bulkText('summary')
  reply.bulkText(command.summary)
  reply.bulkText('since')
  reply.bulkText(command.since)
  reply.bulkText('group')
  reply.bulkText(command.group)
  if (parts.length > 0) {
    reply.bulkText('arguments')
    documentArguments(reply, parts)
  }
  if (subcommands.length === 0) return
  reply.bulkText('subcommands')
  reply.map(subcommands.length)
  for (const subcommand of subcommands) {
    reply.bulkText(subcommand.calledAs)
    document(reply, subcommand)
  }
}

function documentArguments(reply: Reply, parts: readonly SyntaxArgument[]): void {
  reply.array(parts.length)
  for (const part of parts) documentArgument(reply, part)
}

function documentArgument(reply: Reply, part: SyntaxArgument): void {
  const flags = [
    ...(part.isOptional ? ['optional'] : []),
    ...(part.isMultiple ? ['multiple'] : []),
    ...(part.isTokenMultiple ? ['multiple_token'] : []),
  ]
  const fields: (readonly [name: string, write: () => void])[] = [
    ['name', () => reply.bulkText(part.name)],
    ['type', () => reply.bulkText(part.type)],
  ]
  if (part.parts === undefined && part.type !== 'pure-token')
    fields.push(['display_text', () => reply.bulkText(part.name)])
  if (part.type === 'key') fields.push(['key_spec_index', () => reply.integer(0)])
  const { token, parts } = part
  if (token !== undefined) fields.push(['token', () => reply.bulkText(token)])
  if (flags.length > 0) fields.push(['flags', () => writeFlags(reply, flags)])
  if (parts !== undefined) fields.push(['arguments', () => documentArguments(reply, parts)])
  reply.map(fields.length)
  for (const [name, write] of fields) {
    reply.bulkText(name)
    write()
  }
}

function writeFlags(reply: Reply, flags: readonly string[]): void {
  reply.set(flags.length)
  for (const flag of flags) reply.status(flag)
}
