/**
 * Replication ids tell histories apart: a server that becomes master draws one, stores it, and ends each of its batches
 * with it. Two logs agree up to a sequence where the batches that hold it carry the same id.
 * Source: kvrocks src/storage/storage.cc, ShiftReplId, GetReplIdFromWalBySeq, GetReplIdFromDbEngine.
 */

import { randomInt } from 'node:crypto'
import { RocksDBError } from '../rocksdb/errors.js'
import { CF_PROPAGATE } from '../storage/column-family.js'
import { replicationIdOf } from '../storage/log-data.js'
import type { Store } from '../storage/store.js'
import { readBatch, WriteBatch } from '../storage/write-batch.js'

export const REPLICATION_ID_LENGTH = 16
const STORED_KEY = Buffer.from('replication_id_')
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

function newReplicationId(): string {
  return Array.from({ length: REPLICATION_ID_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}

/**
 * Begins a history, whose id ends every batch from the next one on. The id is stored with the first of them: a server that
 * writes nothing still belongs to the history before, and goes on in it as a replica of whoever has it. Where the log does
 * not tell that history, the id is stored at once, as Kvrocks always does. Throws CommitError, and then none has begun.
 */
export function beginHistory(store: Store): string {
  const { turn } = store
  const id = newReplicationId()
  const mark = Buffer.from(`r ${id}`)
  if (!turn.isHeld) turn.commit()
  const batch = new WriteBatch()
  batch.put(CF_PROPAGATE, STORED_KEY, STORED_KEY.length, Buffer.from(id))
  if (idInLog(store, store.latestSequence()) === undefined) {
    turn.mark.begin(mark)
    try {
      turn.writeAlone(batch)
    } catch (error) {
      turn.mark.end()
      throw error
    }
  } else {
    batch.logData(mark)
    turn.mark.begin(mark, batch.serialize())
  }
  return id
}

/** The id in the log's batch that holds `sequence`; undefined if the log does not hold it, or the batch carries none. */
export function idInLog(store: Store, sequence: number): string | undefined {
  if (sequence < 1 || sequence > store.latestSequence()) return undefined
  try {
    using iterator = store.rocks.updatesSince(sequence)
    const [batch] = iterator.next(1, 1)
    if (batch === undefined || batch.sequence > sequence) return undefined
    let id: string | undefined
    readBatch(batch.data, {
      put() {},
      delete() {},
      deleteRange() {},
      logData(blob) {
        id = replicationIdOf(blob) ?? id
      },
    })
    return id
  } catch (error) {
    if (error instanceof RocksDBError) return undefined
    throw error
  }
}

/** The id of the history that the database belongs to, as far as it is known. */
export function currentId(store: Store): string | undefined {
  const id = idInLog(store, store.latestSequence()) ?? store.rocks.get(CF_PROPAGATE, STORED_KEY)?.latin1Slice(0)
  return id?.length === REPLICATION_ID_LENGTH ? id : undefined
}
