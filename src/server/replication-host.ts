/** What replication sees of the server. */

import type { Bytes } from '../bytes/bytes.js'
import { SeldomLog } from '../log/seldom-log.js'
import { BECAME_REPLICA } from '../protocol/errors/replication.js'
import type { MasterTarget } from '../replication/master-socket.js'
import type { ReplicationHost } from '../replication/replication.js'
import { DatabaseSwap } from './database-swap.js'
import { applyReplicated } from './foreign-writes.js'
import { secureContext } from './listener.js'
import type { Server } from './server.js'
import { REDIS_VERSION } from './version.js'

const REPLICA_OPTIONS = [
  'slave-read-only',
  'slave-serve-stale-data',
  'min-replicas-to-write',
  'min-replicas-max-lag',
] as const

/** Brings into force for clients what role and links are now. */
class RoleChanges {
  readonly #server: Server
  readonly #errors: SeldomLog
  #wasReplica = false
  /** The role has changed, and the history file does not say so yet. */
  #lacksHistory = false

  constructor(server: Server) {
    this.#server = server
    this.#errors = new SeldomLog(server.log, () => server.nowMs())
  }

  /** The role, or the state of the link to the master, is another one. */
  changed(): void {
    const { replication, config, blocking } = this.#server
    const isReplica = replication.role === 'slave'
    this.#server.isReadOnlyReplica = isReplica && config.values['slave-read-only']
    this.#server.isStale = replication.isLinkDown && !config.values['slave-serve-stale-data']
    this.#server.lacksReplicas = replication.lacksReplicas
    if (isReplica && !this.#wasReplica) {
      blocking.unblockAll(BECAME_REPLICA)
      blocking.wakeFollowers()
      blocking.wakeReaders()
    }
    // Under a master, and after it, others decide what a sequence is.
    this.#lacksHistory ||= isReplica !== this.#wasReplica
    this.#wasReplica = isReplica
    this.#keepHistory()
  }

  /** Has the history file tell what holds; where it cannot be written, again at the next call, and the role is as it is. */
  #keepHistory(): void {
    const { history, store } = this.#server
    if (!store.rocks.isOpen) return
    try {
      if (this.#lacksHistory) history.begin(store.latestSequence())
      else if (!history.isSaved) history.save()
      this.#lacksHistory = false
      this.#errors.forget('history')
    } catch (error) {
      this.#errors.error('history', `[replication] the history is not saved: ${(error as Error).message}`)
    }
  }

  /** Those who wait for replicas look again. */
  acknowledged(): void {
    const server = this.#server
    if (server.isClosing) return
    server.lacksReplicas = server.replication.lacksReplicas
    server.blocking.wakeFollowers()
  }
}

export function replicationHost(server: Server): ReplicationHost {
  const swap = new DatabaseSwap(server)
  const roles = new RoleChanges(server)
  server.config.onChange(REPLICA_OPTIONS, () => roles.changed())
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
    changed: () => roles.changed(),
    acknowledged: () => roles.acknowledged(),
    pause: (who) => server.clients.pauseForFailover(who),
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
