/** CONFIG REWRITE: a configuration file brought up to date. Source: kvrocks src/config/config.cc, Config::Rewrite. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { replaceFileSync } from '../files/replace-file.js'
import { systemReason } from '../files/system-error.js'
import { decodeFile, formatConfigLine, isNamespaceLine, NAMESPACE_PREFIX, parseConfigLine } from './line.js'
import { OptionError } from './option.js'
import { findOption, OPTIONS, type OptionName } from './options.js'

/** What the file is to say. */
export interface Settings {
  /** The text of an option; empty where its line is to go. */
  current(name: OptionName): string
  /** Options that differ from their default, in the order in which missing ones are appended. */
  readonly changed: readonly OptionName[]
  /** Token to namespace. */
  readonly namespaces: ReadonlyMap<string, string>
}

/**
 * The new text of a file. Lines of known options get the current value where they stand (losing a comment behind it);
 * comments, blank, malformed and unknown lines stay; rename-command stays; lines of namespaces are written anew at the
 * end, before what has changed and had no line. A second line of an option goes: Kvrocks keeps it, and at the next
 * start it would win over the value that was just written.
 */
export function rewriteText(text: string, settings: Settings): string {
  const seen = new Set<OptionName>()
  const lines: string[] = []
  const oldLines = text.split('\n')
  if (oldLines.at(-1) === '') oldLines.pop()
  for (const line of oldLines) {
    const typed = nameOf(line)
    if (isNamespaceLine(typed)) continue
    const name = findOption(typed)
    if (name === undefined || OPTIONS[name].multiple) {
      lines.push(line)
      continue
    }
    const value = settings.current(name)
    if (!seen.has(name) && value !== '') lines.push(formatConfigLine(typed.toLowerCase(), value))
    seen.add(name)
  }
  for (const [token, namespace] of settings.namespaces) {
    lines.push(formatConfigLine(`${NAMESPACE_PREFIX}${namespace}`, token))
  }
  for (const name of settings.changed) {
    const value = settings.current(name)
    if (!seen.has(name) && value !== '' && !OPTIONS[name].multiple) lines.push(formatConfigLine(name, value))
  }
  return lines.map((line) => `${line}\n`).join('')
}

function nameOf(line: string): string {
  try {
    return parseConfigLine(line).name
  } catch (error) {
    if (error instanceof OptionError) return ''
    throw error
  }
}

/**
 * Replaces a file by what `change` makes of its text ('' where there is none), so that a crash leaves the old or the
 * new one whole; it is not touched where nothing changes. Its mode stays, a symbolic link stays one. Throws OptionError.
 */
export function changeFile(path: string, change: (text: string) => string): void {
  try {
    const target = realPath(path)
    const { text, mode } = read(target)
    const changed = change(text)
    if (changed !== text) replaceFileSync(target, changed, mode)
  } catch (error) {
    if (error instanceof OptionError) throw error
    throw new OptionError(`rename file encounter error: ${systemReason(error)}`)
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path
    throw error
  }
}

function read(path: string): { text: string; mode: number } {
  try {
    const text = decodeFile(readFileSync(path))
    if (text === undefined) throw new OptionError('the configuration file is not UTF-8')
    return { text, mode: statSync(path).mode & 0o777 }
  } catch (error) {
    // A file that was removed while the server runs is written anew; it may hold passwords.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', mode: 0o600 }
    throw error
  }
}
