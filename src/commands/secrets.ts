/** Words of requests that nobody but the server is to see. Source: redis src/networking.c, redactClientCommandArgument. */

import { Args } from '../protocol/args.js'
import type { CommandSpec } from './command.js'

const REDACTED = Buffer.from('(redacted)')

/** `args` as MONITOR and the slow log show them: the words that the command's record calls secrets are hidden. */
export function withoutSecrets(command: Pick<CommandSpec, 'secrets'>, args: Args): Args {
  const secrets = command.secrets?.(args) ?? []
  if (secrets.length === 0) return args
  return Args.of(args.rest(0).map((word, index) => (secrets.includes(index) ? REDACTED : word)))
}

/** Indexes of the words of AUTH: all but the name of the one user, for others may be passwords in the wrong place. */
export function authSecrets(args: Args): readonly number[] {
  return secretsBetween(args, 1, args.count)
}

/** Those after the word AUTH of HELLO. */
export function helloSecrets(args: Args): readonly number[] {
  for (let at = 2; at < args.count; at += 2) {
    if (args.is(at, 'auth')) return secretsBetween(args, at + 1, Math.min(args.count, at + 3))
  }
  return []
}

function secretsBetween(args: Args, from: number, end: number): readonly number[] {
  const indexes = Array.from({ length: end - from }, (_, offset) => from + offset)
  return indexes.filter((index) => index === end - 1 || !args.is(index, 'default'))
}
