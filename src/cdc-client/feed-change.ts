/** A change as the server tells it in JSON. */

/** See FORMAT JSON in the README for the meaning of its fields. Byte strings are Buffers. */
export interface FeedChange {
  readonly sequence: number
  readonly batch: number
  readonly replid?: string
  readonly namespace?: Buffer
  readonly type: string
  readonly key?: Buffer
  readonly subkey?: Buffer
  readonly op: string
  readonly command?: readonly Buffer[]
  readonly value?: Buffer
  /** Before the change, null for nothing: with `oldValues` alone, and `oldunknown` where it is not known. */
  readonly old?: Buffer | readonly Buffer[] | null
  readonly oldunknown?: true
  /** Unix milliseconds. */
  readonly expire?: number
  readonly fresh?: true
  /** First and end of a range of stored keys that is gone. */
  readonly range?: readonly Buffer[]
}

const BYTE_FIELDS = new Set(['namespace', 'key', 'subkey', 'value', 'old'])
const WORD_FIELDS = new Set(['command', 'range', 'old'])

/** A change from its JSON. */
export function parseChange(text: string): FeedChange {
  return JSON.parse(text, (name, value: unknown) => {
    if (BYTE_FIELDS.has(name) && typeof value === 'string') return Buffer.from(value)
    if (WORD_FIELDS.has(name) && Array.isArray(value))
      return value.map((word) => (typeof word === 'string' ? Buffer.from(word) : word))
    const encoded = typeof value === 'object' && value !== null ? (value as { base64?: unknown }).base64 : undefined
    return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : value
  }) as FeedChange
}

/** The commands that make a change on another server, in order; none for what no command says. */
export function commandsOf({ command, key, type, fresh, expire }: FeedChange): (readonly Buffer[])[] {
  if (command === undefined) return []
  const commands = [command]
  if (fresh === true && key !== undefined) commands.unshift([Buffer.from('DEL'), key])
  // SET says it itself.
  if (expire !== undefined && key !== undefined && type !== 'string') {
    commands.push([Buffer.from('PEXPIREAT'), key, Buffer.from(String(expire))])
  }
  return commands
}
