/** One line of a configuration file. Source: kvrocks src/config/config_util.cc, ParseConfigLine and DumpConfigLine. */
import { isUtf8 } from 'node:buffer'
import { OptionError } from './option.js'

/** `name` is empty on a blank line or a comment, `value` where the line has none. */
export interface ConfigLine {
  readonly name: string
  readonly value: string
}

/** What the name of a line begins with, in any case, whose value is the token of a namespace. */
export const NAMESPACE_PREFIX = 'namespace.'

export function isNamespaceLine(name: string): boolean {
  return name.toLowerCase().startsWith(NAMESPACE_PREFIX)
}

/**
 * The text of a configuration file; undefined where it is not UTF-8: decoded with replacement characters the next
 * CONFIG REWRITE would damage it.
 */
export function decodeFile(content: Buffer): string | undefined {
  return isUtf8(content) ? content.utf8Slice(0) : undefined
}

const UNESCAPED: Readonly<Record<string, string>> = {
  t: '\t',
  r: '\r',
  n: '\n',
  v: '\v',
  f: '\f',
  b: '\b',
  "'": "'",
  '"': '"',
  '\\': '\\',
}

/**
 * Splits a line into name and value. A `#` outside quotes starts a comment wherever it stands, even inside a word.
 * A value that starts with a quote ends at the same quote, with C's escapes between; an unknown escape vanishes.
 * Throws OptionError.
 */
export function parseConfigLine(line: string): ConfigLine {
  const [, name = '', rest = ''] = /^[ \t\n\v\f\r]*([^ \t\n\v\f\r#]*)[ \t\n\v\f\r]*(.*)$/s.exec(line)!
  const quote = rest[0]
  if (quote === '"' || quote === "'") return { name, value: parseQuoted(rest, quote) }
  const commentAt = rest.indexOf('#')
  if (commentAt >= 0) return { name, value: trim(rest.slice(0, commentAt)) }
  return { name, value: trim(rest) }
}

function trim(value: string): string {
  return value.replace(/[ \t\r\n\v\f\b]+$/, '')
}

function parseQuoted(text: string, quote: string): string {
  let value = ''
  for (let at = 1; at < text.length; at++) {
    const character = text[at]!
    if (character === '\\') {
      value += UNESCAPED[text[++at] ?? ''] ?? ''
    } else if (character === quote) {
      if (/^[ \t\n\v\f\r]*(#|$)/.test(text.slice(at + 1))) return value
      throw new OptionError('more than 2 item in config line')
    } else {
      value += character
    }
  }
  throw new OptionError('config line ends unexpectedly in quoted string')
}

/** Whether a line can hold both so that they are read back; where the value is empty, a line says nothing. */
export function fitsLine(name: string, value: string): boolean {
  const read = parseConfigLine(formatConfigLine(name, value))
  return value !== '' && read.name === name && read.value === value
}

const ESCAPED = new Map(Object.entries(UNESCAPED).map(([letter, character]) => [character, `\\${letter}`]))

/** The line that parseConfigLine reads back as `name` and `value`; quoted only where it has to be. */
export function formatConfigLine(name: string, value: string): string {
  if (value === '') return `${name} ""`
  if (!/[ \t\n\v\f\r\b"'#]/.test(value)) return `${name} ${value}`
  return `${name} "${Array.from(value, (character) => ESCAPED.get(character) ?? character).join('')}"`
}
