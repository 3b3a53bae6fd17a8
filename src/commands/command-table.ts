/** The commands of one server, found by the bytes of their names, with what was counted of each. */

import type { Rename } from '../config/derived.js'
import type { Args } from '../protocol/args.js'
import { hashWord } from '../protocol/args.js'
import type { ReplyError } from '../protocol/errors.js'
import type { AnyCommand, CommandGroup, CommandStats, KeyFinder, KeyRange } from './command.js'
import type { ServerContext } from './context.js'

/** Durations up to 2^32 microseconds are told apart. */
const MAGNITUDES = 33

/** A command as one server has it. All have the same shape, for dispatch reads them on every request. */
export class BoundCommand implements AnyCommand {
  readonly name: string
  readonly arity: number
  readonly flags: number
  readonly keys?: KeyRange | KeyFinder
  readonly secrets?: (args: Args) => readonly number[]
  readonly syntax: string
  readonly summary: string
  readonly since: string
  readonly parse: (args: Args) => unknown
  readonly execute: (context: ServerContext, args: Args, options: never) => void
  readonly subcommands?: ReadonlyMap<string, BoundCommand>
  readonly unknownSubcommand?: ReplyError
  readonly stats: CommandStats = {
    calls: 0,
    us: 0,
    byMagnitude: new Uint32Array(MAGNITUDES),
    byBound: [],
    rejected: 0,
    failed: 0,
  }
  readonly group: CommandGroup
  /** The name that clients use: another than `name` after rename-command. */
  readonly calledAs: string

  constructor(command: AnyCommand, calledAs: string, group: CommandGroup) {
    this.name = command.name
    this.arity = command.arity
    this.flags = command.flags
    if (command.keys !== undefined) this.keys = command.keys
    if (command.secrets !== undefined) this.secrets = command.secrets
    this.syntax = command.syntax
    this.summary = command.summary
    this.since = command.since
    this.parse = command.parse
    this.execute = command.execute
    if (command.unknownSubcommand !== undefined) this.unknownSubcommand = command.unknownSubcommand
    this.calledAs = calledAs
    this.group = group
    if (command.subcommands !== undefined) {
      this.subcommands = new Map(
        [...command.subcommands].map(([word, sub]) => [word, new BoundCommand(sub, `${calledAs}|${word}`, group)]),
      )
    }
  }
}

/** What rename-command says, refused. */
class RenameError extends Error {}

const SLOTS_PER_COMMAND = 4

/** Throws RenameError where a command to be renamed is not there, or its new name is taken. */
export class CommandTable {
  readonly #byName = new Map<string, BoundCommand>()
  /** Open addressing by `hashWord`; a name is compared with the words of a request without making a string. */
  #slots: (BoundCommand | undefined)[] = []

  constructor(groups: readonly (readonly [CommandGroup, readonly AnyCommand[]])[], renames: readonly Rename[] = []) {
    for (const [group, commands] of groups) {
      for (const command of commands) this.#byName.set(command.name, new BoundCommand(command, command.name, group))
    }
    for (const rename of renames) this.#rename(rename)
    this.#index()
  }

  /** The command that word 0 of `args` names; undefined if there is none. */
  lookup(args: Args): BoundCommand | undefined {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let at = args.hashAt(0) & mask; ; at = (at + 1) & mask) {
      const found = slots[at]
      if (found === undefined || args.is(0, found.calledAs)) return found
    }
  }

  /** By the name that clients use; `container|sub` finds a subcommand. */
  get(name: string): BoundCommand | undefined {
    const [first = '', second, ...rest] = name.toLowerCase().split('|')
    if (rest.length > 0) return undefined
    const found = this.#byName.get(first)
    return second === undefined ? found : found?.subcommands?.get(second)
  }

  /** All commands without their subcommands, in the order of the families. */
  all(): BoundCommand[] {
    return [...this.#byName.values()]
  }

  get size(): number {
    return this.#byName.size
  }

  /** For CONFIG RESETSTAT. */
  resetStats(): void {
    for (const command of this.all()) {
      for (const one of [command, ...(command.subcommands?.values() ?? [])]) {
        Object.assign(one.stats, { calls: 0, us: 0, byBound: [], rejected: 0, failed: 0 })
        one.stats.byMagnitude.fill(0)
      }
    }
  }

  #rename({ from, to }: Rename): void {
    const command = this.#byName.get(from)
    if (command === undefined) throw new RenameError('No such command in rename-command')
    this.#byName.delete(from)
    if (to === undefined) return
    if (this.#byName.has(to)) throw new RenameError('Target command name already exists')
    this.#byName.set(to, new BoundCommand(command, to, command.group))
  }

  #index(): void {
    const size = 2 ** Math.ceil(Math.log2(this.#byName.size * SLOTS_PER_COMMAND + 1))
    this.#slots = new Array(size).fill(undefined)
    for (const command of this.#byName.values()) {
      let at = hashWord(command.calledAs) & (size - 1)
      while (this.#slots[at] !== undefined) at = (at + 1) & (size - 1)
      this.#slots[at] = command
    }
  }
}
