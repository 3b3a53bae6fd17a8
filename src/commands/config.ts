/** CONFIG. Source: redis src/config.c; kvrocks src/commands/cmd_server.cc, CommandConfig. */

import { isUtf8 } from 'node:buffer'
import { refuse } from '../config/config.js'
import { OptionError } from '../config/option.js'
import type { Args } from '../protocol/args.js'
import { utf8Err, wrongArity } from '../protocol/errors.js'
import {
  ADMIN,
  type AnyCommand,
  container,
  NO_MONITOR,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

const FLAGS = ADMIN | NO_SCRIPT | OK_LOADING | OK_STALE

export const configCommands: readonly AnyCommand[] = [
  container(
    { name: 'config', flags: FLAGS, summary: 'A container for server configuration commands.', since: '2.0.0' },
    [
      serverCommand(
        {
          name: 'config|get',
          arity: -3,
          flags: FLAGS,
          syntax: 'parameter [parameter ...]',
          summary: 'Returns the effective values of configuration parameters.',
          since: '2.0.0',
        },
        noOptions,
        get,
      ),
      serverCommand(
        {
          name: 'config|set',
          arity: -4,
          // Its arguments may be passwords.
          flags: FLAGS | NO_MONITOR,
          syntax: 'parameter value [parameter value ...]',
          summary: 'Sets configuration parameters in-flight.',
          since: '2.0.0',
        },
        (args) => {
          if (args.count % 2 !== 0) throw wrongArity('config|set')
        },
        set,
      ),
      serverCommand(
        {
          name: 'config|rewrite',
          arity: 2,
          flags: FLAGS,
          syntax: '',
          summary: 'Persists the effective configuration to file.',
          since: '2.8.0',
        },
        noOptions,
        rewrite,
      ),
      serverCommand(
        {
          name: 'config|resetstat',
          arity: 2,
          flags: FLAGS,
          syntax: '',
          summary: "Resets the server's statistics.",
          since: '2.0.0',
        },
        noOptions,
        ({ reply, server }) => {
          server.resetStats()
          reply.ok()
        },
      ),
    ],
  ),
]

function get({ reply, settings }: ServerContext, args: Args): void {
  const found = settings.get(args.rest(2))
  reply.map(found.length)
  for (const [name, text] of found) {
    reply.bulkText(name)
    reply.bulkText(text)
  }
}

function set({ reply, settings }: ServerContext, args: Args): void {
  const pairs: [string, string][] = []
  refusing(() => {
    for (let at = 2; at < args.count; at += 2) {
      const [name, value] = [args.at(at).utf8Slice(0), args.at(at + 1)]
      // The file is UTF-8, and what is decoded with replacement characters is another password.
      if (!isUtf8(value)) throw refuse(name, 'the value is not UTF-8')
      pairs.push([name, value.utf8Slice(0)])
    }
    settings.set(pairs)
  })
  reply.ok()
}

function rewrite({ reply, server, settings }: ServerContext): void {
  refusing(() => settings.rewrite())
  server.log.info('# CONFIG REWRITE executed with success')
  reply.ok()
}

function refusing(step: () => void): void {
  try {
    step()
  } catch (error) {
    throw error instanceof OptionError ? utf8Err(error.reply) : error
  }
}
