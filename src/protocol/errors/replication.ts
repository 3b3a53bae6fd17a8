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
export const ITSELF = err("can't replicate itself")
export const OWN_REPLICA = err("can't replicate your own replicas")

export function unresolvable(host: string): ReplyError {
  return err(`Can not resolve hostname: ${host}`)
}
