/** Reads replies from bytes: where one ends, and what it says. Independent of the server's own code. */

/** A reply as JavaScript: strings for all kinds of text (latin1), ReplyFailure for errors, Map and Set in RESP3. */
export type ReplyValue =
  | null
  | string
  | number
  | bigint
  | boolean
  | ReplyFailure
  | ReplyValue[]
  | Set<ReplyValue>
  | Map<ReplyValue, ReplyValue>

/** An error reply. */
export class ReplyFailure {
  constructor(readonly message: string) {}
}

export interface Parsed {
  readonly value: ReplyValue
  /** Offset after the reply. */
  readonly end: number
  /** The byte that begins the reply. */
  readonly kind: string
}

/** The reply that begins at `at`; undefined if it is not complete. */
export function parseReply(bytes: Buffer, at = 0): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd === -1) return undefined
  const kind = String.fromCharCode(bytes[at] as number)
  const line = bytes.toString('latin1', at + 1, lineEnd)
  const end = lineEnd + 2
  switch (kind) {
    case '+':
      return { value: line, end, kind }
    case '-':
      return { value: new ReplyFailure(line), end, kind }
    case ':':
      return { value: Number.isSafeInteger(Number(line)) ? Number(line) : BigInt(line), end, kind }
    case ',':
      return { value: line === 'inf' ? Infinity : line === '-inf' ? -Infinity : Number(line), end, kind }
    case '(':
      return { value: BigInt(line), end, kind }
    case '#':
      return { value: line === 't', end, kind }
    case '_':
      return { value: null, end, kind }
    case '$':
    case '=':
      return parseBulk(bytes, kind, Number(line), end)
    case '*':
    case '~':
    case '>':
    case '%':
    case '|':
      return parseAggregate(bytes, kind, Number(line), end)
    default:
      throw new Error(`not a reply at ${at}: ${JSON.stringify(bytes.toString('latin1', at, at + 40))}`)
  }
}

function parseBulk(bytes: Buffer, kind: string, length: number, start: number): Parsed | undefined {
  if (length === -1) return { value: null, end: start, kind }
  if (bytes.length < start + length + 2) return undefined
  return { value: bytes.toString('latin1', start, start + length), end: start + length + 2, kind }
}

function parseAggregate(bytes: Buffer, kind: string, count: number, start: number): Parsed | undefined {
  if (count === -1) return { value: null, end: start, kind }
  const values: ReplyValue[] = []
  let end = start
  const total = kind === '%' || kind === '|' ? count * 2 : count
  for (let i = 0; i < total; i++) {
    const parsed = parseReply(bytes, end)
    if (parsed === undefined) return undefined
    values.push(parsed.value)
    end = parsed.end
  }
  if (kind === '~') return { value: new Set(values), end, kind }
  if (kind !== '%' && kind !== '|') return { value: values, end, kind }
  const map = new Map<ReplyValue, ReplyValue>()
  for (let i = 0; i < values.length; i += 2) map.set(values[i] as ReplyValue, values[i + 1] as ReplyValue)
  return { value: map, end, kind }
}

/** The bytes of a request. */
export function encodeRequest(words: readonly (string | number | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word))
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}
