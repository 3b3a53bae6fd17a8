/**
 * Which history the database's sequences belong to, kept in one small file beside it: a new id for each time at which the
 * server goes its own way, so that a reader of the feed learns that a position of its means something else here. After a
 * crash of the machine it does, too: the end of the log may be lost, and readers may have seen it. A server that alone
 * was killed loses nothing of the log, and its history goes on.
 *
 *   history file   a line for each id, the oldest first: id, and the sequence after which it began
 *                  `open` and the id of the machine's uptime, while a server runs
 *                  `left` and the last sequence, if the server was closed in order and has not been started since
 */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { removeFileSync, replaceFileSync } from '../files/replace-file.js'
import { systemReason } from '../files/system-error.js'

interface Era {
  readonly id: string
  /** The last sequence of the history before. */
  readonly after: number
}

const ERAS_MAX = 64
const LINE = /^([0-9a-f]{40}) (\d+)$/
const LEFT = /^left (\d+)$/m
const OPEN = /^open (\S+)$/m

export class History {
  readonly #path: string
  readonly #bootId: string | undefined
  #eras: readonly Era[]
  #isSaved = true

  /**
   * Takes up what the file at `path` holds, or begins one. `latest`: the last sequence of the database; `seen`: one that
   * it is known to have had. Throws if the file cannot be read or written.
   */
  constructor(path: string, latest: number, seen = 0, bootId = readBootId()) {
    this.#path = path
    this.#bootId = bootId
    const text = read(path)
    this.#eras = erasIn(text)
    const wasLeft = LEFT.exec(text)?.[1] === String(latest)
    const wasKilled = bootId !== undefined && OPEN.exec(text)?.[1] === bootId && seen <= latest
    if (this.#eras.length === 0) this.begin(0)
    // What is there already needs no room on a disk that may be full.
    else if (wasLeft) this.save()
    else if (!wasKilled) this.begin(latest)
  }

  /** 40 hexadecimal digits. */
  get id(): string {
    return (this.#eras.at(-1) as Era).id
  }

  /** True if sequences up to `sequence` were written under `id`, or before it. */
  holds(id: string, sequence: number): boolean {
    const index = this.#eras.findIndex((era) => era.id === id)
    const next = this.#eras[index + 1]
    return index !== -1 && (next === undefined || sequence <= next.after)
  }

  /**
   * A new history begins: what was written up to `after` is as it was. Throws if the file cannot be written, and then the
   * history before goes on.
   */
  begin(after: number): void {
    const eras = [...this.#eras, newEra(after)].slice(-ERAS_MAX)
    this.#write(eras, this.#openLine)
    this.#eras = eras
    this.#isSaved = true
  }

  /**
   * Nothing of what was written here before holds any more. Where the file cannot be written it is removed, which takes
   * no room; throws if that fails, too, and then a start would find the history before.
   */
  replace(): void {
    this.#eras = [newEra(0)]
    this.#isSaved = false
    try {
      this.save()
    } catch {
      removeFileSync(this.#path)
    }
  }

  /** False if the file does not tell of what holds here: it could not be written. */
  get isSaved(): boolean {
    return this.#isSaved
  }

  /** Throws if the file cannot be written. */
  save(): void {
    this.#write(this.#eras, this.#openLine)
    this.#isSaved = true
  }

  /** The server ends, with `latest` as the last sequence of the database. */
  leave(latest: number): void {
    this.#write(this.#eras, `left ${latest}\n`)
  }

  get #openLine(): string {
    return this.#bootId === undefined ? '' : `open ${this.#bootId}\n`
  }

  #write(eras: readonly Era[], end: string): void {
    const lines = eras.map(({ id, after }) => `${id} ${after}\n`)
    try {
      replaceFileSync(this.#path, lines.join('') + end)
    } catch (error) {
      throw new Error(`cannot write ${this.#path}: ${systemReason(error)}`, { cause: error })
    }
  }
}

function newEra(after: number): Era {
  return { id: randomBytes(20).toString('hex'), after }
}

/** Another one after each start of the machine; undefined where the system does not tell. */
function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    // Only Linux has it. Without it each crash counts as one of the machine.
    return undefined
  }
}

/** Empty if there is no file. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function erasIn(text: string): Era[] {
  return text.split('\n').flatMap((line) => {
    const [, id, after] = LINE.exec(line) ?? []
    return id === undefined ? [] : [{ id, after: Number(after) }]
  })
}
