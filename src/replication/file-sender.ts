/**
 * Sends files of the checkpoint to a replica: for each its size in decimal and CRLF, then its bytes. A file that is not
 * there ends the connection. Files are read on other threads, a piece at a time, when the replica has taken the last one.
 * Source: kvrocks src/commands/cmd_replication.cc, CommandFetchFile.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import { describeError, type Log } from '../log/log.js'
import type { SharedCheckpoint } from './checkpoint.js'
import type { LoopGauge } from './loop-gauge.js'
import type { Peer, PeerLink } from './peer.js'

const PIECE_BYTES = 128 * 1024
/** While the loop is busy a sender sends a piece at such intervals: some 12 MiB/s for each of up to four. */
const YIELD_MS = 10
const MIB = 1024 * 1024
/** What a file of RocksDB may be called: no name leads out of the directory. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

export interface SenderParts {
  readonly peer: Peer
  readonly checkpoint: SharedCheckpoint
  readonly gauge: LoopGauge
  readonly config: Config
  readonly log: Log
  readonly onClosed: (link: PeerLink) => void
}

export class FileSender implements PeerLink {
  readonly flag = ''
  readonly #parts: SenderParts
  readonly #names: readonly string[]
  #isClosed = false
  #wake: (() => void) | undefined

  constructor(parts: SenderParts, names: readonly string[]) {
    this.#parts = parts
    this.#names = names
  }

  begin(): void {
    const { peer, checkpoint, log } = this.#parts
    checkpoint.acquire()
    this.#sendAll()
      .catch((error: unknown) => log.error(`[replication] sending files to ${peer.address}: ${describeError(error)}`))
      .finally(() => {
        checkpoint.release()
        peer.finish()
      })
  }

  received(): void {}

  drained(): void {
    this.#wake?.()
  }

  closed(): void {
    this.#isClosed = true
    this.#wake?.()
    this.#parts.onClosed(this)
  }

  close(): void {
    this.#parts.peer.kill()
  }

  async #sendAll(): Promise<void> {
    const { peer, log } = this.#parts
    for (const name of this.#names) {
      if (this.#isClosed) return
      const file = await this.#open(name)
      if (file === undefined) {
        log.warning(`[replication] ${peer.address} asks for ${name}, which is not in the checkpoint`)
        return
      }
      try {
        await this.#sendFile(file)
      } finally {
        await file.close()
      }
      if (this.#isClosed) log.warning(`[replication] Fail to send file ${name} to ${peer.address}: it has gone`)
      else log.info(`[replication] Succeed sending file ${name} to ${peer.address}`)
    }
  }

  async #open(name: string): Promise<FileHandle | undefined> {
    if (!FILE_NAME.test(name)) return undefined
    try {
      return await open(join(this.#parts.checkpoint.directory, name), 'r')
    } catch {
      return undefined
    }
  }

  async #sendFile(file: FileHandle): Promise<void> {
    const { size } = await file.stat()
    await this.#transmit(Buffer.from(`${size}\r\n`))
    const startMs = performance.now()
    let sent = 0
    while (sent < size && !this.#isClosed) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - sent))
      const { bytesRead } = await file.read(piece, 0, piece.length, sent)
      if (bytesRead === 0) throw new Error(`a file of the checkpoint has become shorter than ${size} bytes`)
      sent += bytesRead
      await this.#transmit(piece.subarray(0, bytesRead))
      this.#parts.checkpoint.touch()
      await this.#pace(sent, startMs)
    }
  }

  /** Waits for the clients' sake, and until sending `bytes` since `startMs` is within the sender's share of max-replication-mb. */
  async #pace(bytes: number, startMs: number): Promise<void> {
    if (this.#parts.gauge.isBusy) await delay(YIELD_MS)
    const mibPerSecond = this.#parts.config.values['max-replication-mb']
    if (mibPerSecond === 0) return
    const bytesPerMs = (mibPerSecond * MIB) / Math.max(1, this.#parts.checkpoint.readers) / 1000
    const aheadMs = bytes / bytesPerMs - (performance.now() - startMs)
    if (aheadMs >= 1) await delay(aheadMs)
  }

  async #transmit(bytes: Bytes): Promise<void> {
    if (this.#isClosed || this.#parts.peer.transmit(bytes)) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }
}
