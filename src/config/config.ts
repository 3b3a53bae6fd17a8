/** The settings of one server while it runs. Source: kvrocks src/config/config.cc; redis src/config.c, configSetCommand. */
import { globMatch } from '../bytes/glob.js'
import { ALWAYS_RULES, type Draft, GIVEN_RULES, SET_RULES } from './checks.js'
import { bindAddresses, type MasterAddress, masterAddress, type Paths, paths } from './derived.js'
import { fitsLine, NAMESPACE_PREFIX } from './line.js'
import { OptionError } from './option.js'
import {
  ALIASES,
  anyOption,
  COMPUTED,
  type ConfigValues,
  findOption,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
} from './options.js'
import { changeFile, rewriteText } from './rewrite.js'

/**
 * Brings new values into force. Called after they stand in `values`, and called again with the old ones when a later
 * listener of the same CONFIG SET refuses. It refuses by throwing an OptionError.
 */
export type Apply = (values: Readonly<ConfigValues>) => void

/** How a Config begins; see load.ts. */
export interface ConfigState {
  readonly values: ConfigValues
  /** For each option that was given: the text it was given as. */
  readonly sources: ReadonlyMap<OptionName, string>
  /** Token to namespace. */
  readonly namespaces: ReadonlyMap<string, string>
  /** The file that CONFIG REWRITE writes; undefined where the server runs without one. */
  readonly path: string | undefined
  readonly isCommand: ((name: string) => boolean) | undefined
}

type Listeners = Map<OptionName, readonly Apply[]>

/** What a CONFIG SET gives an option; `source` is the text of the value, undefined where none was ever given. */
interface Setting {
  readonly value: unknown
  readonly source: string | undefined
}

export class Config {
  /**
   * The value in force of each option, for reading: `config.values.timeout`. A plain property load: the object keeps
   * its hidden class (1.4 ns a load; as a dictionary it would be 7.4).
   */
  readonly values: Readonly<ConfigValues>
  /** Namespaces of this server by token, as kept in the file. rewrite() makes a change durable. */
  readonly namespaces: Map<string, string>
  /** What the database has of them: with repl-namespace-enabled the file does without. */
  storedNamespaces: () => ReadonlyMap<string, string> = () => new Map()
  readonly path: string | undefined
  readonly #values: ConfigValues
  readonly #sources: Map<OptionName, string>
  readonly #isCommand: ConfigState['isCommand']
  readonly #listeners: Listeners = new Map()
  /** Called behind those. */
  readonly #lastListeners: Listeners = new Map()

  constructor(state: ConfigState) {
    this.#values = fastObject(state.values)
    this.values = this.#values
    this.namespaces = new Map(state.namespaces)
    this.path = state.path
    this.#sources = new Map(state.sources)
    this.#isCommand = state.isCommand
  }

  /** The addresses to listen on; none when there is only a Unix socket. */
  get binds(): readonly string[] {
    return bindAddresses(this.values)
  }

  /** The master to replicate from, if any. */
  get master(): MasterAddress | undefined {
    return masterAddress(this.values)
  }

  get paths(): Paths {
    return paths(this.values)
  }

  /** The text of one option as CONFIG GET prints it. */
  text(name: OptionName): string {
    return anyOption(name).format(this.values[name])
  }

  /** Name and text of every option that one of the globs names, in alphabetical order, each once. */
  get(patterns: readonly Uint8Array[]): [name: string, text: string][] {
    const names = [...OPTION_NAMES, ...Object.keys(ALIASES), ...Object.keys(COMPUTED)].sort()
    const wanted = names.filter((name) => {
      const bytes = Buffer.from(name)
      return patterns.some((pattern) => globMatch(pattern, bytes, true))
    })
    return wanted.flatMap((name): [string, string][] => {
      const option = findOption(name)
      if (option === undefined) return [[name, COMPUTED[name]!(this.values)]]
      if (option === 'rename-command') return this.values[option].map((line) => [name, line])
      return [[name, this.text(option)]]
    })
  }

  /**
   * CONFIG SET: all of the pairs take effect, or none. Throws an OptionError whose `reply` is the text of the error
   * reply, without its code.
   */
  set(pairs: readonly (readonly [name: string, text: string])[]): void {
    const given = this.#parse(pairs)
    const before = new Map<OptionName, Setting>(
      Array.from(given.keys(), (name) => [name, { value: this.values[name], source: this.#sources.get(name) }]),
    )
    const applied: Apply[] = []
    this.#put(given)
    try {
      this.#check(given.keys())
      this.#apply([...given.keys()], applied)
    } catch (error) {
      this.#put(before)
      for (const apply of applied.reverse()) apply(this.values)
      throw error
    }
  }

  /** Calls `apply` when CONFIG SET gives one of `names`, once for all of them. Returns a function that ends that. */
  onChange(names: OptionName | readonly OptionName[], apply: Apply): () => void {
    return listen(this.#listeners, typeof names === 'string' ? [names] : names, apply)
  }

  /**
   * As onChange, for what puts a CONFIG SET on the disk: called once all of onChange have taken it, so that nothing is
   * left on the disk that one of those refuses.
   */
  onAccepted(name: OptionName, apply: Apply): () => void {
    return listen(this.#lastListeners, [name], apply)
  }

  /** Sets what the server itself decides, such as slaveof: no rules, no listeners, CONFIG SET's bounds do not apply. */
  assign<Name extends OptionName>(name: Name, value: ConfigValues[Name]): void {
    this.#values[name] = value
    this.#sources.set(name, anyOption(name).format(value))
  }

  /** CONFIG REWRITE: brings the file up to date. Throws OptionError. */
  rewrite(): void {
    if (this.path === undefined) throw new OptionError('The server is running without a config file')
    changeFile(this.path, (text) =>
      rewriteText(text, {
        current: (name) => this.#textForFile(name),
        changed: OPTION_NAMES.filter((name) => this.#sources.has(name) && !this.#isDefault(name)),
        namespaces: this.#namespacesForFile(),
      }),
    )
  }

  #namespacesForFile(): ReadonlyMap<string, string> {
    if (!this.values['repl-namespace-enabled']) return this.namespaces
    const stored = this.storedNamespaces()
    // A name that no line can hold is on its way to the database.
    const isForFile = ([token, namespace]: [string, string]): boolean =>
      stored.get(token) !== namespace && fitsLine(`${NAMESPACE_PREFIX}${namespace}`, token)
    return new Map([...this.namespaces].filter(isForFile))
  }

  #textForFile(name: OptionName): string {
    return anyOption(name).formatForFile(this.values[name], this.#sources.get(name) ?? '')
  }

  #isDefault(name: OptionName): boolean {
    return this.text(name) === anyOption(name).format(OPTIONS[name].default)
  }

  #parse(pairs: readonly (readonly [string, string])[]): Map<OptionName, Setting> {
    const given = new Map<OptionName, Setting>()
    for (const [typed, source] of pairs) {
      const name = findOption(typed)
      if (name === undefined && Object.hasOwn(COMPUTED, typed.toLowerCase())) throw refuse(typed, IMMUTABLE)
      if (name === undefined) {
        throw new OptionError(`Unknown option or number of arguments for CONFIG SET - '${typed}'`)
      }
      if (!OPTIONS[name].mutable) throw refuse(typed, IMMUTABLE)
      if (given.has(name)) throw refuse(typed, 'duplicate parameter')
      const value = inReplyOf(typed, () => anyOption(name).parse(source, this.values[name]))
      given.set(name, { value, source })
    }
    return given
  }

  #check(names: Iterable<OptionName>): void {
    const draft: Draft = { values: this.values, namespaces: this.namespaces, isCommand: this.#isCommand }
    for (const name of names) {
      inReplyOf(name, () => {
        GIVEN_RULES[name]?.(draft)
        ALWAYS_RULES[name]?.(draft)
        SET_RULES[name]?.(draft)
      })
    }
  }

  #apply(names: readonly OptionName[], applied: Apply[]): void {
    for (const listeners of [this.#listeners, this.#lastListeners]) {
      for (const name of names) {
        for (const apply of listeners.get(name) ?? []) {
          if (applied.includes(apply)) continue
          inReplyOf(name, () => apply(this.values))
          applied.push(apply)
        }
      }
    }
  }

  #put(settings: ReadonlyMap<OptionName, Setting>): void {
    for (const [name, { value, source }] of settings) {
      Object.assign(this.#values, { [name]: value })
      if (source === undefined) this.#sources.delete(name)
      else this.#sources.set(name, source)
    }
  }
}

/** Adds `apply` to those of each name. Returns a function that ends that. */
function listen(listeners: Listeners, names: readonly OptionName[], apply: Apply): () => void {
  for (const name of names) listeners.set(name, [...(listeners.get(name) ?? []), apply])
  return () => {
    for (const name of names) {
      listeners.set(
        name,
        (listeners.get(name) ?? []).filter((candidate) => candidate !== apply),
      )
    }
  }
}

const IMMUTABLE = "can't set immutable config"

/** What CONFIG SET answers that does not set the option `name`, as it was typed. */
export function refuse(name: string, reason: string): OptionError {
  return new OptionError(`CONFIG SET failed (possibly related to argument '${name}') - ${reason}`)
}

/** Runs `step`; an OptionError of it becomes the reply that names the option. */
function inReplyOf<R>(name: string, step: () => R): R {
  try {
    return step()
  } catch (error) {
    throw error instanceof OptionError ? refuse(name, error.reply) : error
  }
}

/** An object of the same properties whose loads are fast: built one property at a time it would be a dictionary. */
function fastObject<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object)) as T
}
