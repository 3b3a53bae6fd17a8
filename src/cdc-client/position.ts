/** Where a reader of the feed has come to, and where it keeps that for its next run. */

import { readFile } from 'node:fs/promises'
import { replaceFile } from '../files/replace-file.js'

/** A place in the feed of one history. */
export interface FeedPosition {
  /** Of the last change that was dealt with; during a snapshot, that at which the snapshot stands. */
  readonly sequence: number
  /** The history that the sequence belongs to, if it is known. */
  readonly replid?: string
  /** While a snapshot is being read: its id, and where its next page begins. */
  readonly snapshot?: { readonly id: string; readonly cursor: string }
}

/** Where a reader has come to, kept for its next run. */
export interface Checkpoint {
  /** The position that was saved last; undefined if none was. */
  load(): Promise<FeedPosition | undefined>
  save(position: FeedPosition): Promise<void>
}

/** What can run commands on a Redis server: an ioredis client by `call`, one of node-redis by `sendCommand`, or our own. */
export type CommandRunner =
  | { call(command: string, ...args: string[]): Promise<unknown> }
  | { sendCommand(words: string[]): Promise<unknown> }
  | { command(...words: string[]): Promise<unknown> }

/** A checkpoint that lasts as long as the program. */
export function memoryCheckpoint(position?: FeedPosition): Checkpoint {
  let saved = position
  return {
    load: () => Promise.resolve(saved),
    save(next) {
      saved = next
      return Promise.resolve()
    },
  }
}

/** A checkpoint in a file, which is replaced as a whole. */
export function fileCheckpoint(path: string): Checkpoint {
  return {
    async load() {
      try {
        return parsePosition(await readFile(path, 'utf8'))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async save(position) {
      await replaceFile(path, `${positionText(position)}\n`)
    },
  }
}

/** A checkpoint in a key of a Redis server, through a connection that is already there. */
export function keyCheckpoint(client: CommandRunner, key: string): Checkpoint {
  return {
    async load() {
      const saved = await runCommand(client, ['GET', key])
      return saved === null ? undefined : parsePosition(String(saved))
    },
    async save(position) {
      await runCommand(client, ['SET', key, positionText(position)])
    },
  }
}

/** Runs one command through whatever client it is. */
export function runCommand(client: CommandRunner, words: string[]): Promise<unknown> {
  if ('call' in client) return client.call(words[0] as string, ...words.slice(1))
  if ('sendCommand' in client) return client.sendCommand(words)
  return client.command(...words)
}

/** A position as JSON. */
export function positionText(position: FeedPosition): string {
  return JSON.stringify(position)
}

/** Reads what `positionText` wrote, or a sequence alone. Throws where it is neither. */
export function parsePosition(text: string): FeedPosition {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    read = undefined
  }
  const position = typeof read === 'number' ? { sequence: read } : (read as FeedPosition | null | undefined)
  if (!Number.isSafeInteger(position?.sequence)) throw new Error('the checkpoint holds no position')
  return position as FeedPosition
}
