/**
 * Commands of Redis whose subject this server has not, or has in one form only: modules, users other than the default
 * one, and the modes of cluster clients. They answer what Redis answers in such a state.
 * Source: redis src/acl.c, module.c, cluster.c.
 */

import { randomBytes } from 'node:crypto'
import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import { ACL_CATEGORIES, aclCategories } from './acl-categories.js'
import {
  ADMIN,
  type AnyCommand,
  container,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { integerAt } from './options.js'

const FLAGS = NO_SCRIPT | OK_LOADING | OK_STALE

function sub<Options>(
  name: string,
  arity: number,
  flags: number,
  syntax: string,
  summary: string,
  parse: (args: Args) => Options,
  execute: (context: ServerContext, args: Args, options: Options) => void,
): AnyCommand {
  return serverCommand({ name, arity, flags: FLAGS | flags, syntax, summary, since: '6.0.0' }, parse, execute)
}

const BAD_BITS = err(
  'ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096',
)

export const aclCommands: readonly AnyCommand[] = [
  container({ name: 'acl', flags: FLAGS, summary: 'A container for access control commands.', since: '6.0.0' }, [
    sub('acl|whoami', 2, 0, '', 'Returns the username of the connection.', noOptions, ({ reply }) =>
      reply.bulkText('default'),
    ),
    sub('acl|users', 2, ADMIN, '', 'Lists all users.', noOptions, ({ reply }) => {
      reply.array(1)
      reply.bulkText('default')
    }),
    sub('acl|list', 2, ADMIN, '', 'Lists the rules of all users.', noOptions, (context) => {
      context.reply.array(1)
      const password = context.config.requirepass === '' ? ' nopass' : ''
      context.reply.bulkText(`user default on${password} ~* &* +@all`)
    }),
    sub('acl|getuser', 3, ADMIN, 'username', 'Returns the rules of a user.', noOptions, getUser),
    sub('acl|cat', -2, 0, '[category]', 'Lists the categories, or the commands of one.', noOptions, cat),
    sub('acl|genpass', -2, 0, '[bits]', 'Makes a random password.', parsePasswordBits, ({ reply }, _args, bits) => {
      const digits = Math.ceil(bits / 4)
      reply.bulkText(
        randomBytes(Math.ceil(digits / 2))
          .toString('hex')
          .slice(0, digits),
      )
    }),
  ]),
]

export const moduleCommands: readonly AnyCommand[] = [
  container({ name: 'module', flags: FLAGS, summary: 'A container for module commands.', since: '4.0.0' }, [
    sub('module|list', 2, 0, '', 'Lists the modules: there are none.', noOptions, ({ reply }) => reply.array(0)),
  ]),
]

function parsePasswordBits(args: Args): number {
  const bits = args.count === 2 ? 256 : integerAt(args, 2)
  if (bits < 1 || bits > 4096) throw BAD_BITS
  return bits
}

function getUser(context: ServerContext, args: Args): void {
  const { config, reply } = context
  if (args.latin1(2) !== 'default') {
    reply.nil()
    return
  }
  const flags = config.requirepass === '' ? ['on', 'nopass'] : ['on']
  reply.map(6)
  reply.bulkText('flags')
  reply.set(flags.length)
  for (const flag of flags) reply.bulkText(flag)
  reply.bulkText('passwords')
  reply.array(0)
  for (const [name, rule] of [
    ['commands', '+@all'],
    ['keys', '~*'],
    ['channels', '&*'],
  ] as const) {
    reply.bulkText(name)
    reply.bulkText(rule)
  }
  reply.bulkText('selectors')
  reply.array(0)
}

function cat({ reply, server }: ServerContext, args: Args): void {
  if (args.count > 3) throw SYNTAX
  const names = args.count === 2 ? ACL_CATEGORIES : commandsOf(server.commands, args.latin1(2).toLowerCase())
  reply.array(names.length)
  for (const name of names) reply.bulkText(name)
}

function commandsOf(commands: ServerContext['server']['commands'], category: string): readonly string[] {
  if (!ACL_CATEGORIES.includes(category)) throw err(`Unknown category '${category}'`)
  return commands
    .all()
    .filter((command) => aclCategories(command).includes(category))
    .map(({ calledAs }) => calledAs)
}
