/** Globs of CONFIG GET. */

/** Whether `pattern` (`*`, `?`, `[…]`, `\`) matches the whole `name`, in any case. */
export function matchesName(pattern: Uint8Array, name: string): boolean {
  let expression = ''
  const text = Buffer.from(pattern).toString('latin1')
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '*') expression += '.*'
    else if (character === '?') expression += '.'
    else if (character === '\\' && at + 1 < text.length) expression += quote(text[++at]!)
    else if (character === '[' && text.indexOf(']', at + 1) > 0) {
      const end = text.indexOf(']', at + 1)
      const negated = text[at + 1] === '^'
      expression += `[${negated ? '^' : ''}${text.slice(at + (negated ? 2 : 1), end).replace(/[\\[\]^]/g, '\\$&')}]`
      at = end
    } else expression += quote(character)
  }
  return new RegExp(`^(?:${expression})$`, 'is').test(name)
}

function quote(character: string): string {
  return character.replace(/[^A-Za-z0-9_]/, '\\$&')
}
