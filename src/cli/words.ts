/** The words after a subcommand of the command line. */

export interface Words {
  /** Those that are no options, in order. */
  readonly plain: readonly string[]
  /** The value that was given last. */
  one(name: string): string | undefined
  has(flag: string): boolean
}

/** Reads `--name value` for each of `valued`, `--flag` for each of `flags`, and plain words. Undefined if they make no sense. */
export function readWords(
  words: readonly string[],
  valued: readonly string[],
  flags: readonly string[],
): Words | undefined {
  const plain: string[] = []
  const values = new Map<string, string>()
  const given = new Set<string>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (flags.includes(word)) given.add(word)
    else if (valued.includes(word)) {
      const value = words[++at]
      if (value === undefined) return undefined
      values.set(word, value)
    } else if (word.startsWith('--')) return undefined
    else plain.push(word)
  }
  return { plain, one: (name) => values.get(name), has: (flag) => given.has(flag) }
}

/** A whole number; undefined if the text is none. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}
