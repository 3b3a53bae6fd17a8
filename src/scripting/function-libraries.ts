/**
 * Function libraries: what FUNCTION LOAD brings and FCALL finds. Loading is all or nothing: a library that fails leaves
 * the one that it would have replaced. Source of the rules: Redis src/functions.c.
 */
import type { Bytes } from '../bytes/bytes.js'
import { functionExists, LIBRARY_EXISTS, NO_FUNCTIONS } from '../protocol/errors/scripting.js'
import type { LuaEngine } from './engine.js'
import { readFlags, readLibraryHead } from './shebang.js'

export interface LibraryFunction {
  readonly name: string
  readonly description: string | undefined
  /** Bits of flags.ts. */
  readonly flags: number
  /** What LuaEngine.runFunction takes. */
  readonly reference: number
  readonly libraryName: string
}

export interface Library {
  readonly name: string
  /** With its first line. */
  readonly code: Bytes
  /** Sorted by name. */
  readonly functions: readonly LibraryFunction[]
}

export class FunctionLibraries {
  readonly #engine: LuaEngine
  readonly #libraries = new Map<string, Library>()
  readonly #functions = new Map<string, LibraryFunction>()

  constructor(engine: LuaEngine) {
    this.#engine = engine
  }

  /** All libraries, sorted by name. */
  get all(): Library[] {
    return [...this.#libraries.values()].sort(byName)
  }

  /** The number of libraries. */
  get size(): number {
    return this.#libraries.size
  }

  /** The number of functions of all libraries. */
  get functionsCount(): number {
    return this.#functions.size
  }

  library(name: string): Library | undefined {
    return this.#libraries.get(name)
  }

  find(functionName: string): LibraryFunction | undefined {
    return this.#functions.get(functionName)
  }

  /**
   * Loads a library, in the place of one of the same name if `replace`. Its code may run for `limitMs` to register its
   * functions; 0 for no limit. `isStored`: see LuaEngine.loadLibrary. Throws a ReplyError, and then nothing has changed:
   * a wrong first line, code that fails, no function, a function that another library has.
   */
  load(code: Bytes, replace: boolean, limitMs: number, isStored = false): Library {
    const { name, codeOffset } = readLibraryHead(code)
    const previous = this.#libraries.get(name)
    if (previous !== undefined && !replace) throw LIBRARY_EXISTS
    const registered = this.#engine.loadLibrary(code.subarray(codeOffset), limitMs, isStored)
    const functions = registered
      .map(({ flags, ...rest }) => ({ ...rest, flags: readFlags(flags), libraryName: name }))
      .sort(byName)
    try {
      if (functions.length === 0) throw NO_FUNCTIONS
      for (const entry of functions) {
        const other = this.#functions.get(entry.name)
        if (other !== undefined && other.libraryName !== name) throw functionExists(entry.name)
      }
    } catch (error) {
      for (const { reference } of functions) this.#engine.release(reference)
      throw error
    }
    this.remove(name)
    const library = { name, code: Buffer.from(code), functions }
    this.#add(library)
    return library
  }

  /**
   * Takes over the libraries of `others`, which are of the same engine, in the place of those of the same names. Throws a
   * ReplyError where a library that stays has one of their functions, and then nothing has changed.
   */
  adopt(others: FunctionLibraries): void {
    for (const { name } of others.#functions.values()) {
      const mine = this.#functions.get(name)
      if (mine !== undefined && others.library(mine.libraryName) === undefined) throw functionExists(name)
    }
    for (const library of others.#libraries.values()) {
      this.remove(library.name)
      this.#add(library)
    }
  }

  /** Removes a library. Whether there was one. */
  remove(name: string): boolean {
    const library = this.#libraries.get(name)
    if (library === undefined) return false
    this.#libraries.delete(name)
    for (const { name: functionName, reference } of library.functions) {
      this.#functions.delete(functionName)
      this.#engine.release(reference)
    }
    return true
  }

  /** Removes all libraries. */
  flush(): void {
    for (const name of [...this.#libraries.keys()]) this.remove(name)
  }

  #add(library: Library): void {
    this.#libraries.set(library.name, library)
    for (const entry of library.functions) this.#functions.set(entry.name, entry)
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
