/** From a configuration file and a command line to a Config. Source: kvrocks src/config/config.cc, Config::Load. */
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemReason } from '../files/system-error.js'
import { ALWAYS_RULES, checkTogether, type Draft, GIVEN_RULES } from './checks.js'
import { Config } from './config.js'
import { valuesInDir } from './derived.js'
import { decodeFile, isNamespaceLine, NAMESPACE_PREFIX, parseConfigLine } from './line.js'
import { OptionError } from './option.js'
import { anyOption, type ConfigValues, findOption, OPTION_NAMES, OPTIONS, type OptionName } from './options.js'

/** Settings that do not allow a start. The message is complete, as the command line prints it. */
export class ConfigError extends Error {}

/** Where settings come from. Later sources win: the file, then the command line. */
export interface ConfigSources {
  /** Text of a configuration file. */
  readonly text?: string
  /** The file that CONFIG REWRITE is to write; absent where the text did not come from one. */
  readonly path?: string | undefined
  /** `--name value` of the command line. */
  readonly overrides?: readonly (readonly [name: string, text: string])[]
  /** Whether a command of this lower-case name exists, for rename-command and profiling-sample-commands. */
  readonly isCommand?: (name: string) => boolean
  /** Gets a line for each setting that nobody knows. */
  readonly warn?: (line: string) => void
}

/** Reads a configuration file; `-` is standard input, which cannot be rewritten. Throws ConfigError. */
export function readConfigFile(file: string): { text: string; path: string | undefined } {
  const fromStdin = file === '-'
  let content: Buffer
  try {
    content = readFileSync(fromStdin ? 0 : file)
  } catch (error) {
    throw new ConfigError(`failed to open file '${file}': ${systemReason(error)}`)
  }
  const text = decodeFile(content)
  if (text === undefined) throw new ConfigError(`failed to open file '${file}': It is not UTF-8`)
  return { text, path: fromStdin ? undefined : resolve(file) }
}

/**
 * A Config from a file's text and the command line, checked, with dir created if its parent exists.
 * Throws ConfigError.
 */
export function loadConfig(sources: ConfigSources): Config {
  const loader = new Loader(sources)
  loader.readText(sources.text ?? '')
  loader.readOverrides(sources.overrides ?? [])
  return loader.finish()
}

/** A Config from typed values, for programs that embed the server. Throws ConfigError. */
export function createConfig(values: Partial<ConfigValues>, sources: Omit<ConfigSources, 'overrides'> = {}): Config {
  const overrides = Object.entries(values).flatMap(([name, value]): [string, string][] => {
    const option = anyOption(name as OptionName)
    const text = option.format(value)
    return option.multiple ? text.split('\n').map((line) => [name, line]) : [[name, text]]
  })
  return loadConfig({ ...sources, overrides })
}

const COMMAND_LINE = -1

class Loader {
  readonly #sources: ConfigSources
  readonly #values: ConfigValues
  readonly #texts = new Map<OptionName, string>()
  /** For each option that was given: the number of its last line, or COMMAND_LINE. */
  readonly #lines = new Map<OptionName, number>()
  readonly #namespaces = new Map<string, string>()

  constructor(sources: ConfigSources) {
    this.#sources = sources
    this.#values = Object.fromEntries(OPTION_NAMES.map((name) => [name, OPTIONS[name].default])) as ConfigValues
  }

  readText(text: string): void {
    for (const [index, line] of text.split('\n').entries()) {
      within(placeOf(index + 1), () => {
        const { name, value } = within('malformed line', () => parseConfigLine(line))
        if (name !== '' && value !== '') this.#give(name, value, index + 1)
      })
    }
  }

  readOverrides(overrides: readonly (readonly [string, string])[]): void {
    for (const [name, value] of overrides) {
      within(placeOf(COMMAND_LINE), () => this.#give(name, value, COMMAND_LINE))
    }
  }

  finish(): Config {
    Object.assign(this.#values, valuesInDir(this.#values))
    const draft: Draft = {
      values: this.#values,
      namespaces: this.#namespaces,
      isCommand: this.#sources.isCommand,
    }
    for (const name of OPTION_NAMES) {
      const line = this.#lines.get(name)
      if (line !== undefined) within(`${placeOf(line)}: ${name} is invalid`, () => GIVEN_RULES[name]?.(draft))
    }
    for (const name of OPTION_NAMES) within(`while changing key '${name}'`, () => ALWAYS_RULES[name]?.(draft))
    within('', () => checkTogether(draft))
    createDirectory(this.#values.dir)
    return new Config({
      values: this.#values,
      sources: this.#texts,
      namespaces: this.#namespaces,
      path: this.#sources.path,
      isCommand: this.#sources.isCommand,
    })
  }

  #give(typed: string, text: string, line: number): void {
    if (isNamespaceLine(typed)) {
      this.#namespaces.set(text, typed.slice(NAMESPACE_PREFIX.length))
      return
    }
    const name = findOption(typed)
    if (name === undefined) {
      const where = line === COMMAND_LINE ? 'on the command line' : `at line ${line}`
      this.#sources.warn?.(`WARNING: '${typed.toLowerCase()}' ${where} is not a valid configuration key.`)
      return
    }
    within(`failed to set value of field '${typed.toLowerCase()}'`, () => {
      const value = anyOption(name).parse(text, this.#values[name])
      Object.assign(this.#values, { [name]: value })
    })
    this.#texts.set(name, text)
    this.#lines.set(name, line)
  }
}

function placeOf(line: number): string {
  return line === COMMAND_LINE ? 'CLI config option error' : `at line #L${line}`
}

/** Runs `step`; what it refuses is reported behind `prefix`. */
function within<R>(prefix: string, step: () => R): R {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof OptionError || error instanceof ConfigError)) throw error
    throw new ConfigError(prefix === '' ? error.message : `${prefix}: ${error.message}`)
  }
}

function createDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(path).isDirectory()) return
    throw new ConfigError(`IO error: While mkdir if missing: ${path}: ${systemReason(error)}`)
  }
}
