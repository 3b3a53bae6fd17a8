/**
 * The `syntax` of a command as a tree, for COMMAND DOCS: redis-cli shows hints from it.
 *
 *   word        an argument               WORD        a literal, or the token in front of the next argument
 *   [a]         optional                  <a | b>     one of both
 *   [a | b]     at most one of both       a [a ...]   one or more
 *   [a ...]     any number
 *
 * Source: redis src/commands.h, redisCommandArg; src/redis-cli.c, which reads it.
 */

export type ArgumentType =
  | 'string'
  | 'integer'
  | 'double'
  | 'key'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block'

export interface SyntaxArgument {
  readonly name: string
  readonly type: ArgumentType
  token?: string
  isOptional?: boolean
  isMultiple?: boolean
  /** The token is repeated with the argument. */
  isTokenMultiple?: boolean
  readonly parts?: SyntaxArgument[]
}

/** Reads a syntax; what is not well formed ends the list, for the text is ours and tests look at it. */
export function parseSyntax(syntax: string): SyntaxArgument[] {
  const words = syntax.match(/[[\]<>|]|\.\.\.|"[^"]*"|[^\s[\]<>|]+/g) ?? []
  return new Parser(words).sequence()
}

const KEYS = new Set(['key', 'newkey', 'destination', 'source', 'destkey', 'key1', 'key2', 'dstkey', 'srckey'])
const INTEGERS = new Set([
  'seconds',
  'milliseconds',
  'count',
  'offset',
  'index',
  'numkeys',
  'start',
  'stop',
  'end',
  'cursor',
  'limit',
  'id',
  'client-id',
  'length',
  'len',
  'rank',
  'bit',
  'db',
  'slot',
  'port',
  'numlocal',
  'numfields',
])
const DOUBLES = new Set(['score', 'timeout', 'weight', 'longitude', 'latitude', 'radius', 'width', 'height'])

function typeOf(name: string): ArgumentType {
  if (KEYS.has(name)) return 'key'
  if (INTEGERS.has(name)) return 'integer'
  if (DOUBLES.has(name)) return 'double'
  if (name === 'pattern') return 'pattern'
  return name.startsWith('unix-time') ? 'unix-time' : 'string'
}

const isToken = (word: string): boolean => /^"|^[^a-z]*[A-Z][^a-z]*$|^[^a-zA-Z]+$/.test(word)

class Parser {
  readonly #words: readonly string[]
  #at = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  /** Up to a closing bracket or a bar. */
  sequence(): SyntaxArgument[] {
    const found: SyntaxArgument[] = []
    for (let word = this.#words[this.#at]; word !== undefined && !']>|'.includes(word); word = this.#words[this.#at]) {
      this.#at++
      if (word === '...') continue
      if (word === '[') this.#optional(found)
      else if (word === '<') found.push(grouped(this.#alternatives(), 'oneof'))
      else if (isToken(word)) found.push(this.#token(word))
      else found.push({ name: word, type: typeOf(word) })
    }
    return found
  }

  /** After a bracket: the parts between bars, up to the closing bracket. */
  #alternatives(): SyntaxArgument[] {
    const found: SyntaxArgument[] = []
    for (;;) {
      found.push(grouped(this.sequence(), 'block'))
      if (this.#words[this.#at++] !== '|') return found
    }
  }

  #optional(before: SyntaxArgument[]): void {
    const start = this.#at
    const parts = this.#alternatives()
    const inside = this.#words.slice(start, this.#at - 1)
    const [only] = parts
    if (parts.length === 1 && only !== undefined && inside.at(-1) === '...') {
      const words = inside.slice(0, -1)
      if (isRepetition(before, words)) repeat(before, words)
      else before.push({ ...only, isOptional: true, isMultiple: true })
      return
    }
    const part = parts.length === 1 && only !== undefined ? only : grouped(parts, 'oneof')
    before.push({ ...part, isOptional: true })
  }

  #token(word: string): SyntaxArgument {
    const token = word.replaceAll('"', '')
    const next = this.#words[this.#at]
    if (next === '<') {
      this.#at++
      return { ...grouped(this.#alternatives(), 'oneof'), token }
    }
    if (next !== undefined && !'[]|'.includes(next) && next !== '>' && next !== '...' && !isToken(next)) {
      this.#at++
      return { name: next, type: typeOf(next), token }
    }
    return { name: token.toLowerCase(), type: 'pure-token', token }
  }
}

/** One part as itself; several as a group. */
function grouped(parts: SyntaxArgument[], type: 'oneof' | 'block'): SyntaxArgument {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) return first
  return { name: first === undefined ? 'empty' : `${first.name}-${type}`, type, parts }
}

/** The number of arguments that the words are, if all are plain but for a token in front. */
function argumentCount(words: readonly string[]): number {
  return Math.max(1, words.length - (words[0] !== undefined && isToken(words[0]) ? 1 : 0))
}

/** True if the words name what stands last in `before`. */
function isRepetition(before: readonly SyntaxArgument[], words: readonly string[]): boolean {
  const first = before.at(-argumentCount(words))
  return first !== undefined && (words[0] === first.name || words[0] === first.token || first.parts !== undefined)
}

/** `x y [x y ...]`: what was read last is repeated. */
function repeat(before: SyntaxArgument[], inside: readonly string[]): void {
  const hasToken = inside[0] !== undefined && isToken(inside[0])
  const count = argumentCount(inside)
  const parts = before.splice(Math.max(0, before.length - count))
  const last = grouped(parts, 'block')
  before.push({ ...last, isMultiple: true, ...(hasToken ? { isTokenMultiple: true } : {}) })
}
