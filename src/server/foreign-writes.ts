/** Write batches that another server has made. */

import type { Bytes } from '../bytes/bytes.js'
import { readForeignBatch } from '../replication/foreign-batch.js'
import { CommitError } from '../storage/turn.js'
import { batchCount } from '../storage/write-batch.js'
import type { Server } from './server.js'

/** Commits a batch as it is, and does what it means besides its rows. Throws a BatchFormatError or a CommitError. */
export function applyForeign(server: Server, batch: Bytes, writeFlags: number): void {
  const { store, channels } = server
  const { messages, changesScripts, changesNamespaces } = readForeignBatch(batch, store)
  if (batchCount(batch) > 0) store.turn.writeForeign(batch, writeFlags)
  if (changesScripts) server.scripts.forget()
  if (changesNamespaces) server.namespaces.load()
  for (const [channel, message] of messages) channels.publish(channel, message)
}

/** A batch of the master, outside of any command. Throws as `applyForeign` does. */
export function applyReplicated(server: Server, batch: Bytes, writeFlags: number): void {
  if (server.isDatabaseFull) throw new Error('reach space limit')
  server.store.turn.nowMs = server.nowMs()
  try {
    applyForeign(server, batch, writeFlags)
  } catch (error) {
    if (error instanceof CommitError) {
      server.store.writeFailure = error.cause.message
      // Has RocksDB asked again until it takes writes.
      server.turns.refuse()
    }
    throw error
  }
  if (server.store.turn.touched.isObserved) server.changedKeys.tellAll(undefined)
}
