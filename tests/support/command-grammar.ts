/**
 * Commands made by chance from what a redis-server tells of their syntax (COMMAND DOCS): every option of every command,
 * in the order of its grammar, with now and then a word too many, too few, or out of place.
 */

import type { Choose, CommandMaker } from './differential.js'
import type { Word } from './server.js'

/** An argument as COMMAND DOCS tells it. */
export interface Argument {
  readonly name: string
  readonly type: string
  readonly token?: string
  readonly flags?: readonly string[]
  readonly arguments?: readonly Argument[]
}

export interface Syntax {
  /** The command, and its subcommand if it has some, as `['xgroup', 'create']`. */
  readonly words: readonly string[]
  readonly group: string
  readonly arguments: readonly Argument[]
}

/** Gives a word for an argument that is neither a token nor a group of others. */
export type Filler = (choose: Choose, argument: Argument, syntax: Syntax) => Word

/** What COMMAND DOCS answers over RESP2: maps are lists of names and values in turn. */
export function readSyntaxes(docs: unknown): Syntax[] {
  return Object.entries(mapOf(docs)).flatMap(([name, told]) => {
    const { subcommands, ...plain } = mapOf(told)
    const forms = subcommands === undefined ? [[name, plain] as const] : Object.entries(mapOf(subcommands))
    return forms.map(([fullName, form]) => {
      const { arguments: args = [] } = mapOf(form)
      return {
        words: fullName.split('|'),
        group: String(mapOf(form)['group']),
        arguments: (args as []).map(argumentOf),
      }
    })
  })
}

function mapOf(value: unknown): Record<string, unknown> {
  if (!Array.isArray(value)) return value as Record<string, unknown>
  const pairs = Array.from({ length: value.length / 2 }, (_, index) => value.slice(2 * index, 2 * index + 2))
  return Object.fromEntries(pairs)
}

function argumentOf(told: unknown): Argument {
  const { arguments: inner, ...rest } = mapOf(told)
  return {
    ...(rest as unknown as Argument),
    ...(inner === undefined ? {} : { arguments: (inner as []).map(argumentOf) }),
  }
}

/** Makes commands of `syntax`; one of twenty or so is misshapen. */
export function makerOf(syntax: Syntax, fill: Filler): CommandMaker {
  return (choose) => {
    const words: Word[] = [...syntax.words, ...sequence(choose, syntax.arguments, (one) => fill(choose, one, syntax))]
    const place = 1 + choose([...words.keys()])
    return choose<() => Word[]>([
      ...Array.from({ length: 40 }, () => () => words),
      () => words.toSpliced(place, 0, choose(['foo', 'limit', 'nx', 'count', '1', ''])),
      () => words.slice(0, -1),
    ])()
  }
}

function sequence(choose: Choose, args: readonly Argument[], fill: (one: Argument) => Word): Word[] {
  let keyCount: number | undefined
  return args.flatMap((one) => {
    if (one.name === 'numkeys') {
      keyCount = choose([1, 1, 2, 2, 3])
      return [choose([...Array.from({ length: 20 }, () => keyCount as number), 0, -1, 'x'])]
    }
    if (keyCount !== undefined && one.type === 'key') return Array.from({ length: keyCount }, () => fill(one))
    return occurrences(choose, one, fill)
  })
}

function occurrences(choose: Choose, one: Argument, fill: (one: Argument) => Word): Word[] {
  const flags = one.flags ?? []
  if (flags.includes('optional') && choose([true, true, false])) return []
  const count = flags.includes('multiple') ? choose([1, 1, 2, 3]) : 1
  return Array.from({ length: count }, (_, index) => {
    const isNamed = one.token !== undefined && (index === 0 || flags.includes('multiple_token'))
    return [...(isNamed ? [one.token as string] : []), ...content(choose, one, fill)]
  }).flat()
}

function content(choose: Choose, one: Argument, fill: (one: Argument) => Word): Word[] {
  const inner = one.arguments ?? []
  if (one.type === 'pure-token') return []
  if (one.type === 'block') return sequence(choose, inner, fill)
  if (one.type === 'oneof') return occurrences(choose, { ...choose(inner), flags: [] }, fill)
  return [fill(one)]
}
