/** Carries out changes on another server, and compares the keys. */
import type { RawClient } from '../support/raw-client.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'

export interface JsonChange {
  sequence: number
  type: string
  key?: JsonBytes
  op: string
  command?: JsonBytes[]
  expire?: number
  fresh?: true
}

export type JsonBytes = string | { base64: string }

function bytesOf(value: JsonBytes): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64')
}

/** So many commands are sent before their replies are read. */
const SENT_MAX = 500

/** Carries out changes as the README says to. */
export async function replay(client: RawClient, changes: readonly JsonChange[]): Promise<void> {
  const commands = changes.flatMap(commandsOf)
  for (let at = 0; at < commands.length; at += SENT_MAX) {
    const sent = commands.slice(at, at + SENT_MAX)
    for (const words of sent) client.send(...words)
    for (const words of sent) {
      const { value } = await client.nextReply()
      if (value instanceof ReplyFailure) throw new Error(`${words.join(' ')}: ${value.message}`)
    }
  }
}

function commandsOf({ command, key, fresh, expire }: JsonChange): Buffer[][] {
  if (command === undefined) return []
  const commands = [command.map(bytesOf)]
  if (key !== undefined && fresh) commands.unshift([Buffer.from('DEL'), bytesOf(key)])
  if (key !== undefined && expire !== undefined)
    commands.push([Buffer.from('PEXPIREAT'), bytesOf(key), Buffer.from(String(expire))])
  return commands
}

const READS: Readonly<Record<string, readonly string[]>> = {
  string: ['get', 'KEY'],
  hash: ['hgetall', 'KEY'],
  list: ['lrange', 'KEY', '0', '-1'],
  set: ['smembers', 'KEY'],
  zset: ['zrange', 'KEY', '0', '-1', 'withscores'],
  sortedint: ['sirange', 'KEY', '0', '100'],
  stream: ['xinfo', 'stream', 'KEY', 'full'],
  hyperloglog: ['dump', 'KEY'],
}

/** The first 21,000 bits. */
const BITS = ['bitfield_ro', 'KEY', ...Array.from({ length: 336 }, (_, i) => ['get', 'u63', String(i * 63)]).flat()]

/** All keys of both servers. A bitmap may arrive as the string of the same bits. */
export async function contents(target: RawClient, source: RawClient): Promise<[unknown, unknown]> {
  const bitmaps = new Set<string>()
  for (const key of (await source.value('keys', '*')) as string[]) {
    if ((await source.value('type', key)) === 'bitmap') bitmaps.add(key)
  }
  const read = async (client: RawClient): Promise<Record<string, ReplyValue>> => {
    const found: Record<string, ReplyValue> = {}
    for (const key of ((await client.value('keys', '*')) as string[]).sort()) {
      const type = bitmaps.has(key) ? 'bitmap' : ((await client.value('type', key)) as string)
      const words = type === 'bitmap' ? BITS : READS[type]
      if (words === undefined) throw new Error(`no way to read ${type}`)
      const shown = await client.value(...words.map((word) => (word === 'KEY' ? key : word)))
      if (shown instanceof ReplyFailure) throw new Error(`${words.join(' ')}: ${shown.message}`)
      found[key] = [type, shown, await client.value('pexpiretime', key)]
    }
    return found
  }
  return [await read(target), await read(source)]
}
