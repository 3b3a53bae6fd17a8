/**
 * A conversation with a server as text: what is sent, and the whole reply to it.
 *
 *   SET k v EX 10 => OK
 *   (4 s pass)
 *   TTL k => 6
 *   b> BLPOP l 0 => waits
 *   RPUSH l "two words" => 1
 *   b> => ["l" "two words"]
 *
 * A line is a command and its reply, of the connection before `>`. Words may be quoted, with the escapes \n \r \t \\ \"
 * \xNN; `{1..9}` stands for nine words, `{ab*3}` for ababab. A line that begins with more spaces than the first
 * continues the one before it. What follows `# ` at the beginning of a line is a comment.
 *
 * Replies tell every kind of RESP3 apart; in RESP2 they are what RESP3's kinds become there:
 *
 *   OK  -ERR text  7  "bulk"  nil  ["array" 1]  {"map" 1}  ~["set"]  >["push"]  ,1.5  #t  (123  ="txt:verbatim"
 *   nil-array   an array that is null in RESP2
 *
 * `=2>` and `=3>` begin the reply in one protocol, `=~>` a regular expression, and ` # Redis: ` what Redis 7.0 replies
 * if it differs; `*` there is whatever.
 */

/** One line of a transcript. */
export type Step =
  | { readonly kind: 'time'; readonly ms: number }
  | ({
      readonly kind: 'command'
      readonly line: string
      readonly client: string
      readonly words: readonly Buffer[]
    } & Expected)

interface Expected {
  readonly resp2: string | RegExp
  readonly resp3: string | RegExp
  readonly redis: string | undefined
}

/** The reply that says that the client is blocked. */
export const WAITS = 'waits'

/** Reads a transcript; throws if a line is not understood. */
export function parseTranscript(text: string): Step[] {
  return unfold(text).map((line) => {
    const time = /^\((\d+(?:\.\d+)?) (m?s) pass(?:es)?\)$/.exec(line)
    if (time !== null) return { kind: 'time', ms: Number(time[1]) * (time[2] === 's' ? 1000 : 1) }
    return parseCommand(line)
  })
}

/** Lines without comments, each with its continuations. */
function unfold(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*# /.test(line))
  const margin = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  const unfolded: string[] = []
  for (const line of lines) {
    if (line.startsWith(' '.repeat(margin + 1))) unfolded.push(`${unfolded.pop()} ${line.trim()}`)
    else unfolded.push(line.trim())
  }
  return unfolded
}

function parseCommand(line: string): Step {
  const [told = '', redis] = line.split(' # Redis: ')
  const [, client = '', rest = ''] = /^(?:([a-z]+)> ?)?(.*)$/.exec(told) ?? []
  const parts = ` ${rest}`.split(/\s(=[23]?~?>)\s/)
  const replies = { resp2: undefined as string | RegExp | undefined, resp3: undefined as string | RegExp | undefined }
  for (let index = 1; index < parts.length; index += 2) {
    const arrow = parts[index] as string
    const reply = (parts[index + 1] as string).trim()
    const expected = arrow.includes('~') ? new RegExp(reply) : reply
    if (!arrow.includes('3')) replies.resp2 = typeof expected === 'string' ? inRespTwo(expected) : expected
    if (!arrow.includes('2')) replies.resp3 = typeof expected === 'string' ? inRespThree(expected) : expected
  }
  const { resp2, resp3 } = replies
  if (resp2 === undefined || resp3 === undefined) throw new Error(`no reply is told: ${line}`)
  return { kind: 'command', line, client, words: parseWords(parts[0] as string), resp2, resp3, redis }
}

const WORD = /"(?:[^"\\]|\\.)*"|\{(\d+)\.\.(\d+)\}|\{(.+?)\*(\d+)\}|[^\s"]\S*/g

function parseWords(text: string): Buffer[] {
  return [...text.matchAll(WORD)].flatMap(([word, from, to, repeated, times]) => {
    if (from !== undefined) {
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Buffer.from(`${Number(from) + index}`))
    }
    if (repeated !== undefined) return [Buffer.from(repeated.repeat(Number(times)))]
    return [word.startsWith('"') ? unquote(word) : Buffer.from(word)]
  })
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unquote(word: string): Buffer {
  const text = word.slice(1, -1).replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, char: string) => {
    return hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16))
  })
  return Buffer.from(text, 'latin1')
}

const TOKEN = /"(?:[^"\\]|\\.)*"|="txt:((?:[^"\\]|\\.)*)"|,([^\s\]}]+)|\((-?\d+)|#[tf]|nil-array|[~>]\[|[{}]/g

/** What a reply in RESP3's kinds is in RESP2. */
function inRespTwo(reply: string): string {
  if (reply.startsWith('-')) return reply
  return reply.replace(TOKEN, (token, verbatim?: string, double?: string, big?: string) => {
    const text = verbatim ?? double ?? big
    if (text !== undefined) return `"${text}"`
    return RESP2_TOKENS[token] ?? token
  })
}

const RESP2_TOKENS: Readonly<Record<string, string>> = {
  '#t': '1',
  '#f': '0',
  '~[': '[',
  '>[': '[',
  '{': '[',
  '}': ']',
}

function inRespThree(reply: string): string {
  return reply.startsWith('-') ? reply : reply.replace(TOKEN, (token) => (token === 'nil-array' ? 'nil' : token))
}

/** One reply, given as latin1, in the notation of transcripts. */
export function renderReply(bytes: string): string {
  const { text, end } = renderAt(bytes, 0)
  if (end !== bytes.length) throw new Error(`more than one reply: ${JSON.stringify(bytes)}`)
  return text
}

interface Rendered {
  readonly text: string
  readonly end: number
}

function renderAt(bytes: string, at: number): Rendered {
  const lineEnd = bytes.indexOf('\r\n', at)
  const kind = bytes[at] as string
  const line = bytes.slice(at + 1, lineEnd)
  const end = lineEnd + 2
  if ('*%~>'.includes(kind)) return line === '-1' ? { text: 'nil-array', end } : renderAggregate(bytes, kind, line, end)
  if (kind === '$' || kind === '=') {
    if (line === '-1') return { text: 'nil', end }
    const text = quote(bytes.slice(end, end + Number(line)))
    return { text: kind === '=' ? `=${text}` : text, end: end + Number(line) + 2 }
  }
  const texts: Readonly<Record<string, string>> = { '+': line, ':': line, _: 'nil' }
  return { text: texts[kind] ?? `${kind}${line}`, end }
}

const BRACKETS: Readonly<Record<string, readonly [string, string]>> = {
  '*': ['[', ']'],
  '~': ['~[', ']'],
  '>': ['>[', ']'],
  '%': ['{', '}'],
}

function renderAggregate(bytes: string, kind: string, length: string, start: number): Rendered {
  const texts: string[] = []
  let end = start
  for (let left = Number(length) * (kind === '%' ? 2 : 1); left > 0; left--) {
    const element = renderAt(bytes, end)
    texts.push(element.text)
    end = element.end
  }
  const [open, close] = BRACKETS[kind] as readonly [string, string]
  return { text: `${open}${texts.join(' ')}${close}`, end }
}

function quote(text: string): string {
  const escaped = text.replace(/["\\]|[^ -~]/g, (char) => {
    if (char === '\n') return '\\n'
    if (char === '\r') return '\\r'
    return char === '"' || char === '\\' ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `"${escaped}"`
}

/** A reply whose outermost array or set is in the order of its elements: for replies that have none. */
export function sortedReply(reply: string): string {
  const aggregate = /^(~?\[|\{)(.*)([\]}])$/s.exec(reply)
  if (aggregate === null) return reply
  const [, open, elements = '', close] = aggregate
  return `${open}${[...elements.matchAll(/"(?:[^"\\]|\\.)*"|[^\s"]+/g)].map(String).sort().join(' ')}${close}`
}
