/** All commands, by group of COMMAND DOCS. A new family is added here, and nowhere else. */

import { bitfieldCommands } from './bitfield.js'
import { bitmapCommands } from './bitmap.js'
import { cdcCommands } from './cdc.js'
import { clientCommands } from './client-commands.js'
import { clusterCommands } from './cluster.js'
import { hashScanCommands, setScanCommands, zsetScanCommands } from './collection-scan.js'
import type { AnyCommand, CommandGroup } from './command.js'
import { aclCommands, moduleCommands } from './compatibility.js'
import { configCommands } from './config.js'
import { connectionCommands } from './connection.js'
import { debugCommands } from './debug.js'
import { dumpCommands } from './dump.js'
import { expireCommands } from './expire.js'
import { feedCommands } from './feed.js'
import { functionCommands } from './functions.js'
import { geoCommands } from './geo.js'
import { hashCommands } from './hash.js'
import { hashExpiryCommands } from './hash-expiry.js'
import { hyperloglogCommands } from './hyperloglog.js'
import { infoCommands } from './info.js'
import { introspectionCommands } from './introspection.js'
import { keyCommands } from './key.js'
import { latencyCommands } from './latency.js'
import { listCommands } from './list.js'
import { multiListCommands } from './list-multi.js'
import { logCommands } from './logs.js'
import { maintenanceCommands, profileCommands } from './maintenance.js'
import { memoryCommands } from './memory.js'
import { namespaceCommands } from './namespace.js'
import { objectCommands } from './object.js'
import { pubsubCommands } from './pubsub.js'
import { redisReplicationCommands } from './redis-replication.js'
import { replicationCommands } from './replication.js'
import { scanCommands } from './scan.js'
import { scriptingCommands } from './scripting.js'
import { sequenceCommands } from './sequence.js'
import { serverCommands } from './server.js'
import { setCommands } from './set.js'
import { sortCommands } from './sort.js'
import { sortedintCommands } from './sortedint.js'
import { streamCommands } from './stream.js'
import { streamGroupCommands } from './stream-group.js'
import { streamInfoCommands } from './stream-info.js'
import { streamReadCommands } from './stream-read.js'
import { streamRemovalCommands } from './stream-removal.js'
import { stringCommands } from './string.js'
import { conditionalStringCommands } from './string-conditional.js'
import { multiStringCommands } from './string-multi.js'
import { transactionCommands } from './transactions.js'
import { zsetCommands } from './zset.js'
import { zsetCombineCommands } from './zset-combine.js'
import { zsetPopCommands } from './zset-pop.js'
import { zsetRangeCommands } from './zset-range.js'

export const COMMAND_GROUPS: readonly (readonly [CommandGroup, readonly AnyCommand[]])[] = [
  ['connection', connectionCommands],
  ['connection', clientCommands],
  ['transactions', transactionCommands],
  ['scripting', scriptingCommands],
  ['scripting', functionCommands],
  ['server', introspectionCommands],
  ['server', configCommands],
  ['generic', keyCommands],
  ['generic', expireCommands],
  ['server', serverCommands],
  ['server', infoCommands],
  ['server', latencyCommands],
  ['server', memoryCommands],
  ['cluster', clusterCommands],
  ['server', logCommands],
  ['server', maintenanceCommands],
  ['server', profileCommands],
  ['server', namespaceCommands],
  ['server', debugCommands],
  ['server', aclCommands],
  ['server', moduleCommands],
  ['generic', objectCommands],
  ['generic', scanCommands],
  ['generic', sortCommands],
  ['pubsub', pubsubCommands],
  ['replication', replicationCommands],
  ['replication', redisReplicationCommands],
  ['cdc', feedCommands],
  ['cdc', sequenceCommands],
  ['cdc', cdcCommands],
  ['generic', dumpCommands],
  ['string', stringCommands],
  ['hash', hashCommands],
  ['hash', hashExpiryCommands],
  ['hash', hashScanCommands],
  ['list', listCommands],
  ['list', multiListCommands],
  ['set', setCommands],
  ['sortedint', sortedintCommands],
  ['set', setScanCommands],
  ['bitmap', bitmapCommands],
  ['bitmap', bitfieldCommands],
  ['hyperloglog', hyperloglogCommands],
  ['stream', streamCommands],
  ['stream', streamReadCommands],
  ['stream', streamGroupCommands],
  ['stream', streamRemovalCommands],
  ['stream', streamInfoCommands],
  ['string', conditionalStringCommands],
  ['string', multiStringCommands],
  ['sorted-set', zsetCommands],
  ['sorted-set', zsetRangeCommands],
  ['sorted-set', zsetPopCommands],
  ['sorted-set', zsetCombineCommands],
  ['sorted-set', zsetScanCommands],
  ['geo', geoCommands],
]

export const COMMANDS: readonly AnyCommand[] = COMMAND_GROUPS.flatMap(([, commands]) => commands)
