/** What single commands write, for comparison with golden batches that are built by hand. */

import { batchesAfter } from './batches.js'
import { startServer, type TestServer, type Word } from './server.js'

export type Words = readonly Word[]

/** Eight bytes that stand for no expiry, or for the number 0. */
export const NEVER = u64(0)

/** A number of eight bytes, in hexadecimal. */
export function u64(value: number | bigint): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0')
}

export function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex')
}

/**
 * The batches of `command` after those of `before`, a list of lines each. Keys of the default namespace are text, and
 * versions are V: `put default KEY V SUBKEY = VALUE`, `put metadata KEY = FLAGS EXPIRE V REST`; of a string FLAGS EXPIRE
 * REST. Everything else is as `batchesAfter` shows it. Throws if the command is answered with an error.
 */
export async function batchesOf(before: readonly Words[], command: Words): Promise<string[][]> {
  await using s = await startServer()
  for (const words of before) await runWell(s, words)
  const sequence = s.server.store.latestSequence()
  await runWell(s, command)
  if (sequence === s.server.store.latestSequence()) return []
  return batchesAfter(s, sequence).map((batch) => batch.map(readable))
}

/** The lines of the only batch of `command`; none if it writes none. */
export async function batchOf(before: readonly Words[], command: Words): Promise<string[]> {
  const batches = await batchesOf(before, command)
  if (batches.length > 1) throw new Error(`${batches.length} batches`)
  return batches[0] ?? []
}

async function runWell(s: TestServer, words: Words): Promise<void> {
  const reply = await s.run(...words)
  if (reply.startsWith('-')) throw new Error(`${words.join(' ')}: ${reply}`)
}

const SINGLE_ROWS = new Set(['81'])

function readable(line: string): string {
  const [, operation = '', family, key = '', rest = ''] = /^(\S+) (\S+) ~([0-9a-f]*)(.*)$/.exec(line) ?? []
  if (family === undefined) return line
  if (family === 'metadata') return `${operation} metadata ${text(key)}${row(rest)}`
  const keyEnd = 8 + 2 * Number.parseInt(key.slice(0, 8), 16)
  return `${operation} ${family} ${text(key.slice(8, keyEnd))} V ${key.slice(keyEnd + 16)}${rest}`
}

function row(rest: string): string {
  const [, flags, expire, after = ''] = /^ = (..)(.{16})(.*)$/.exec(rest) ?? []
  if (flags === undefined) return rest
  return ` = ${flags} ${expire} ${SINGLE_ROWS.has(flags) ? after : `V ${after.slice(16)}`}`
}

function text(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString('latin1')
}
