/** Different keys, latin1, in no order: one can be taken out by its name and another be looked at by its number. */

export class KeyBag {
  readonly #names: string[] = []
  readonly #places = new Map<string, number>()
  /** Of all names. */
  bytes = 0

  get size(): number {
    return this.#names.length
  }

  /** The name with a number from 0 to below `size`; any change may give it another. */
  at(index: number): string {
    return this.#names[index] as string
  }

  has(name: string): boolean {
    return this.#places.has(name)
  }

  add(name: string): void {
    if (this.#places.has(name)) return
    this.#places.set(name, this.#names.push(name) - 1)
    this.bytes += name.length
  }

  delete(name: string): void {
    const index = this.#places.get(name)
    if (index === undefined) return
    this.#places.delete(name)
    this.bytes -= name.length
    const last = this.#names.pop() as string
    if (last === name) return
    this.#names[index] = last
    this.#places.set(last, index)
  }
}
