/** Errors of replication. Source: kvrocks src/commands/cmd_replication.cc, cmd_server.cc. */

import { err, ReplyError } from '../errors.js'

export const BAD_SEQUENCE = err('value is not an unsigned long long or out of range')
export const BAD_ID_LENGTH = err('Wrong replication id length')
export const OTHER_HISTORY = err('wrong replication id of the last log')
export const SEQUENCE_OUT_OF_RANGE = err('sequence out of range, please use fullsync')
/** Replicas look for exactly this text. */
export const REPLCONF_ARITY = err('wrong number of arguments')
/** Replicas look for exactly this text. */
export const REPLCONF_OPTION = err('unknown option')
export const BAD_LISTENING_PORT = err('listening-port should be number or out of range')
export const EMPTY_IP_ADDRESS = err('ip-address should not be empty')
/** Without a code, as Kvrocks answers. */
export const NO_CHECKPOINT = new ReplyError("can't create db checkpoint")

export const MASTER_PORT = err('port should be number')
export const IN_CLUSTER_MODE = err("can't change to slave in cluster mode")
export const WITHOUT_WAL = err("slaveof doesn't work with disable_wal option")
export const WITHOUT_TCP = err("replication doesn't support unix socket")
export const ITSELF = err("can't replicate itself")
export const OWN_REPLICA = err("can't replicate your own replicas")

export const FAILOVER_RUNNING = err('FAILOVER already in progress.')
export const FAILING_OVER = err('REPLICAOF not allowed while failing over.')
export const NO_FAILOVER = err('No failover in progress.')
export const FAILOVER_NO_REPLICAS = err('FAILOVER requires connected replicas.')
export const FAILOVER_ON_REPLICA = err('FAILOVER is not valid when server is a replica.')
export const FAILOVER_NOT_A_REPLICA = err('FAILOVER target HOST and PORT is not a replica.')
export const FAILOVER_FORCE = err('FAILOVER with force option requires both a timeout and target HOST and IP.')
export const FAILOVER_TIMEOUT = err('FAILOVER timeout must be greater than 0')
/** Fewer replicas than min-replicas-to-write have confirmed what they have within min-replicas-max-lag. */
export const NO_REPLICAS = new ReplyError('NOREPLICAS Not enough good replicas to write.')
export const BECAME_REPLICA = new ReplyError(
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
)

export function unresolvable(host: string): ReplyError {
  return err(`Can not resolve hostname: ${host}`)
}
