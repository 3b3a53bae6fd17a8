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
import type { Peer, PeerLink } from './peer.js'
import type { SendPace } from './send-pace.js'
import type { SendWatch } from './send-watch.js'

/** One write to the socket takes the event loop some 30 µs. */
const PIECE_BYTES = 64 * 1024
const MIB = 1024 * 1024
/** What a file of RocksDB may be called: no name leads out of the directory. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

export interface SenderParts {
  readonly peer: Peer
  readonly checkpoint: SharedCheckpoint
  readonly pace: SendPace
  readonly watch: SendWatch
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
    const { peer, checkpoint, log, pace } = this.#parts
    checkpoint.acquire()
    pace.enter()
    this.#sendAll()
      .catch((error: unknown) => log.error(`[replication] sending files to ${peer.address}: ${describeError(error)}`))
      .finally(() => {
        pace.leave()
        checkpoint.release()
        peer.finish()
      })
  }

  received(): void {}

  drained(): void {
    this.#parts.watch.drained()
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
    let buffer: Buffer | undefined
    while (sent < size && !this.#isClosed) {
      buffer ??= Buffer.allocUnsafeSlow(PIECE_BYTES)
      const { bytesRead } = await file.read(buffer, 0, Math.min(PIECE_BYTES, size - sent), sent)
      if (bytesRead === 0) throw new Error(`a file of the checkpoint has become shorter than ${size} bytes`)
      sent += bytesRead
      await this.#transmit(buffer.subarray(0, bytesRead))
      // What the system has taken is not looked at again.
      if (this.#parts.peer.outputBytes > 0) buffer = undefined
      this.#parts.checkpoint.touch()
      await this.#wait(bytesRead, sent, startMs)
    }
  }

  /** For the clients' sake, and until `sent` bytes since `startMs` are within the sender's share of max-replication-mb. */
  async #wait(bytes: number, sent: number, startMs: number): Promise<void> {
    const nowMs = performance.now()
    let waitMs = this.#parts.pace.note(bytes, nowMs)
    const mibPerSecond = this.#parts.config.values['max-replication-mb']
    if (mibPerSecond > 0) {
      const bytesPerMs = (mibPerSecond * MIB) / Math.max(1, this.#parts.checkpoint.readers) / 1000
      waitMs = Math.max(waitMs, sent / bytesPerMs - (nowMs - startMs))
    }
    if (waitMs >= 1) await delay(waitMs)
  }

  async #transmit(bytes: Bytes): Promise<void> {
    if (this.#isClosed || this.#parts.peer.transmit(bytes)) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }
}
