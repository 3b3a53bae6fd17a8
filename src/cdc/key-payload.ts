/** A key of a snapshot as the payload that RESTORE takes: made of the changes that tell of all of it. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { createPayload } from '../storage/rdb/payload.js'
import type { HashEntry, RdbValue, ZsetEntry } from '../storage/rdb/value.js'
import type { Change } from './change.js'

/** Undefined for types that have no such form here: opaque ones, and sorted integers. */
export function keyPayload(changes: readonly Change[]): Bytes | undefined {
  const commands = changes.map(({ command }) => command)
  const [first] = commands
  const name = first?.[0]?.latin1Slice(0)
  if (first === undefined || name === undefined) return undefined
  if (name === 'RESTORE') return first[3]
  const value = redisValue(
    name,
    commands.filter((command) => command !== undefined),
  )
  return value === undefined ? undefined : createPayload(value)
}

function redisValue(name: string, commands: readonly (readonly Bytes[])[]): RdbValue | undefined {
  const elements = (at: number): Bytes[] => commands.flatMap((command) => command[at] ?? [])
  switch (name) {
    case 'SET':
      return { type: 'string', value: commands[0]?.[2] ?? EMPTY }
    case 'SETRANGE':
      return { type: 'string', value: bitsOf(commands) }
    case 'RPUSH':
      return { type: 'list', elements: elements(2) }
    case 'SADD':
      return { type: 'set', members: elements(2) }
    case 'ZADD':
      return {
        type: 'zset',
        entries: commands.map(([, , score = EMPTY, member = EMPTY]): ZsetEntry => [member, scoreOf(score)]),
      }
    case 'HSET':
    case 'HSETEX':
      return { type: 'hash', entries: commands.map(hashEntry) }
    default:
      return undefined
  }
}

/** HSET key field value, or HSETEX key PXAT ms FIELDS 1 field value. */
function hashEntry(command: readonly Bytes[]): HashEntry {
  const at = command.length - 2
  const pair = [command[at] ?? EMPTY, command[at + 1] ?? EMPTY] as const
  return at === 2 ? pair : [...pair, Number(command[3])]
}

function scoreOf(text: Bytes): number {
  const word = text.latin1Slice(0)
  return word.endsWith('inf') ? (word.startsWith('-') ? -Infinity : Infinity) : Number(word)
}

function bitsOf(commands: readonly (readonly Bytes[])[]): Bytes {
  const parts = commands.map(([, , offset, bytes = EMPTY]) => ({ at: Number(offset), bytes }))
  const length = Math.max(...parts.map(({ at, bytes }) => at + bytes.length))
  const value = Buffer.alloc(length)
  for (const { at, bytes } of parts) bytes.copy(value, at)
  return value
}
