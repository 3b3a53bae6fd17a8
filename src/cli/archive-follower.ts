/** Archives the log of a server beyond a backup of it. */

import { setTimeout as sleep } from 'node:timers/promises'
import { RedisConnection, type RespValue, ServerError } from '../cdc-client/redis-connection.js'
import { ArchiveWriter } from '../replication/archive.js'
import { archiveOf, BackupError, type BackupInfo, readInfo } from '../replication/backup-directory.js'
import { type ProgressLine, sizeText } from './progress.js'

const BATCHES_MAX = 1000
const BLOCK_MS = 1000
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

export interface FollowerParts {
  /** The backup. */
  readonly directory: string
  readonly url: string
  /** A slot of the server that keeps the log for this archive; undefined: none does. */
  readonly slot: string | undefined
  /** False: ends at the present end of the log. */
  readonly endless: boolean
  readonly progress: ProgressLine
  readonly signal: AbortSignal
}

/** Makes the slot that keeps the log after `sequence`, or from now on; one that is there stays as it is. */
export async function makeSlot(connection: RedisConnection, slot: string, sequence?: number): Promise<void> {
  try {
    await connection.command('CDC', 'SLOT', 'CREATE', slot, 'AT', sequence ?? 'NOW')
  } catch (error) {
    if (!(error instanceof ServerError && error.code === 'SLOTEXISTS')) throw error
  }
}

/** Unix milliseconds of a reply of TIME. */
export function timeOf(reply: RespValue | undefined): number {
  const [seconds, micros] = reply as RespValue[]
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

export class Follower {
  readonly #parts: FollowerParts
  #connection: RedisConnection | undefined
  #bytes = 0

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** Until the signal, or the end of the log. */
  async run(): Promise<void> {
    const info = (await readInfo(this.#parts.directory)) as BackupInfo
    const archive = new ArchiveWriter(archiveOf(this.#parts.directory))
    archive.next ??= info.sequence + 1
    if (archive.next > info.sequence + 1) this.#parts.progress.say(`going on after sequence ${archive.next - 1}`)
    try {
      while (!this.#parts.signal.aborted) {
        const isAtEnd = await this.#step(archive)
        if (isAtEnd && !this.#parts.endless) break
      }
    } finally {
      archive.close()
      this.#connection?.close()
      this.#parts.progress.say(`archived up to sequence ${archive.next - 1}, ${sizeText(this.#bytes)}`)
    }
  }

  /** True where the log had no more. */
  async #step(archive: ArchiveWriter): Promise<boolean> {
    const after = (archive.next as number) - 1
    const [polled, time] = await this.#poll(after)
    if (polled instanceof ServerError) {
      if (polled.code !== 'WALGAP' && polled.code !== 'SLOTLOST') throw polled
      throw new BackupError(`the log of the server no longer holds sequence ${after + 1}: make a new backup`)
    }
    const reply = polled as RespValue[]
    const updates = reply[5] as Buffer[]
    const timeMs = timeOf(time)
    for (const hex of updates) {
      const batch = Buffer.from(hex.latin1Slice(), 'hex')
      archive.append(batch, timeMs)
      this.#bytes += batch.length
    }
    if (updates.length > 0) archive.sync()
    const latest = Number(reply[3])
    const behind = Math.max(0, latest - (archive.next as number) + 1)
    this.#parts.progress.show(
      () => `archived up to sequence ${(archive.next as number) - 1}, ${sizeText(this.#bytes)}, ${behind} behind`,
    )
    return updates.length === 0 || behind === 0
  }

  /** Connects again, later and later, until the server answers. */
  async #poll(after: number): Promise<RespValue[]> {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#connection ??= await this.#connect(after)
        const words = ['POLLUPDATES', after, 'STRICT', 'MAX', BATCHES_MAX, 'FORMAT', 'RAW']
        if (this.#parts.slot !== undefined) words.push('SLOT', this.#parts.slot)
        if (this.#parts.endless) words.push('BLOCK', BLOCK_MS)
        return await this.#connection.pipeline([words, ['TIME']])
      } catch (error) {
        if (this.#parts.signal.aborted || error instanceof ServerError || !this.#parts.endless) throw error
        this.#connection?.close()
        this.#connection = undefined
        this.#parts.progress.say(`trying again: ${(error as Error).message}`)
        await sleep(waitMs, undefined, { signal: this.#parts.signal })
      }
    }
  }

  async #connect(after: number): Promise<RedisConnection> {
    const { url, signal, slot } = this.#parts
    const connection = await RedisConnection.open(url, signal)
    if (slot !== undefined) await makeSlot(connection, slot, after)
    return connection
  }
}
