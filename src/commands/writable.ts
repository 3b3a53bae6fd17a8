/** Whether clients may write now. Source: kvrocks src/server/redis_connection.cc, Connection::ExecuteCommands. */

import { NO_REPLICAS } from '../protocol/errors/replication.js'
import * as errors from '../protocol/errors.js'
import type { Store } from '../storage/store.js'

/** Reasons to refuse writes. */
export interface WriteState {
  /** The data is another server's. */
  readonly isReadOnlyReplica: boolean
  /** Fewer replicas than min-replicas-to-write are good. */
  readonly lacksReplicas: boolean
  /** max-db-size is reached. */
  readonly isDatabaseFull: boolean
}

/** Throws a ReplyError if clients may not write; `takesSpace`: also where only that which deletes may go on. */
export function checkWritable(state: WriteState, store: Store, takesSpace: boolean): void {
  if (state.isReadOnlyReplica) throw errors.READ_ONLY_REPLICA
  if (state.lacksReplicas) throw NO_REPLICAS
  if (state.isDatabaseFull && takesSpace) throw errors.DATABASE_FULL
  if (store.writeFailure !== undefined) throw errors.writeRefused(store.writeFailure)
}
