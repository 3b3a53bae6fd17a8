/** What replication sees of the server. */

import type { Bytes } from '../bytes/bytes.js'
import type { MasterTarget } from '../replication/master-socket.js'
import type { ReplicationHost } from '../replication/replication.js'
import { DatabaseSwap } from './database-swap.js'
import { applyReplicated } from './foreign-writes.js'
import { secureContext } from './listener.js'
import type { Server } from './server.js'
import { REDIS_VERSION } from './version.js'

export function replicationHost(server: Server): ReplicationHost {
  const swap = new DatabaseSwap(server)
  return {
    store: server.store,
    config: server.config,
    log: server.log,
    counts: server.stats,
    redisVersion: REDIS_VERSION,
    nowMs: () => server.nowMs(),
    listeningPort: () => (server.config.values['tls-replication'] ? server.tlsPort || server.port : server.port),
    tls: () => linkTls(server),
    apply: (batch: Bytes, flags: number) => applyReplicated(server, batch, flags),
    load: (directory) => swap.load(directory),
    drop: () => swap.drop(),
    reload: () => swap.reload(),
    changed: () => server.replicationChanged(),
    acknowledged: () => server.replicaAcknowledged(),
  }
}

/**
 * The link shows the server's own certificate, and takes the master's if an authority vouches for it, whatever its name:
 * servers know each other by address. Source: kvrocks src/server/tls_util.cc.
 */
function linkTls({ config: { values } }: Server): MasterTarget['tls'] {
  if (!values['tls-replication']) return undefined
  const hasAuthority = values['tls-ca-cert-file'] !== '' || values['tls-ca-cert-dir'] !== ''
  return { ...secureContext(values), rejectUnauthorized: hasAuthority, checkServerIdentity: () => undefined }
}
