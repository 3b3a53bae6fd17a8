/** INFO. Source: kvrocks src/server/server.cc, Server::GetInfo; redis src/server.c. */

import type { Args } from '../protocol/args.js'
import { SYNTAX } from '../protocol/errors.js'
import { type AnyCommand, OK_LOADING, OK_STALE, READONLY, serverCommand } from './command.js'
import type { ServerContext } from './context.js'
import { INFO_SECTIONS, type InfoField, type InfoSection, type InfoValue } from './info-sections.js'

export const infoCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'info',
      arity: -1,
      flags: READONLY | OK_LOADING | OK_STALE,
      syntax: '[section [section ...]] [FORMAT <TXT | JSON>]',
      summary: 'Returns information and statistics about the server.',
      since: '1.0.0',
    },
    parseInfo,
    info,
  ),
]

interface InfoOptions {
  readonly sections: readonly InfoSection[]
  readonly isJson: boolean
}

/** Names of several sections at once. */
const GROUPS = new Set(['all', 'everything', 'default'])

function parseInfo(args: Args): InfoOptions {
  const wanted = new Set<string>()
  let isJson = false
  for (let at = 1; at < args.count; at++) {
    if (!args.is(at, 'format')) {
      wanted.add(args.latin1(at).toLowerCase())
      continue
    }
    at++
    isJson = args.is(at, 'json')
    if (!isJson && !args.is(at, 'txt')) throw SYNTAX
  }
  const takesAll = wanted.size === 0 || [...wanted].some((name) => GROUPS.has(name))
  return { sections: INFO_SECTIONS.filter(({ title }) => takesAll || wanted.has(title.toLowerCase())), isJson }
}

function info(context: ServerContext, _args: Args, { sections, isJson }: InfoOptions): void {
  const shown = sections.filter(({ needsDatabase }) => !(needsDatabase && context.server.isLoading))
  context.reply.verbatim('txt', Buffer.from(isJson ? toJson(context, shown) : toText(context, shown)))
}

function toText(context: ServerContext, sections: readonly InfoSection[]): string {
  return sections.map(({ title, fields }) => `# ${title}\r\n${fields(context).map(line).join('')}`).join('\r\n')
}

function line(field: InfoField): string {
  if ('comment' in field) return `${field.comment}\r\n`
  return `${field[0]}:${text(field[1])}\r\n`
}

function text(value: InfoValue): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value)
}

function toJson(context: ServerContext, sections: readonly InfoSection[]): string {
  const object = sections.map(({ title, fields }) => [
    title,
    Object.fromEntries(fields(context).filter((field) => !('comment' in field)) as [string, InfoValue][]),
  ])
  return JSON.stringify(Object.fromEntries(object))
}
