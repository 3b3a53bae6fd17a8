/** Errors of streams. Source of the texts: Redis src/t_stream.c. */
import type { Bytes } from '../../bytes/bytes.js'
import { err, ReplyError } from '../errors.js'

export const INVALID_STREAM_ID = err('Invalid stream ID specified as stream command argument')
export const INVALID_RANGE_START = err('invalid start ID for the interval')
export const INVALID_RANGE_END = err('invalid end ID for the interval')

export const ADD_ID_ZERO = err('The ID specified in XADD must be greater than 0-0')
export const ADD_ID_TOO_SMALL = err('The ID specified in XADD is equal or smaller than the target stream top item')
export const STREAM_EXHAUSTED = err('The stream has exhausted the last possible ID, unable to add more items')
export const SEQUENCE_EXHAUSTED = err('Elements are too large to be stored')

export const TWO_TRIMS = err('syntax error, MAXLEN and MINID options at the same time are not compatible')
export const MAXLEN_NEGATIVE = err('The MAXLEN argument must be >= 0.')
export const TRIM_LIMIT_NEGATIVE = err('The LIMIT argument must be >= 0.')
export const LIMIT_WITHOUT_TRIM = err('syntax error, LIMIT cannot be used without specifying a trimming strategy')
export const LIMIT_WITHOUT_TILDE = err('syntax error, LIMIT cannot be used without the special ~ option')
export const TRIM_MISSING = err('syntax error, XTRIM must be called with a trimming strategy')

export const ENTRIES_ADDED_NEGATIVE = err('entries_added must be positive')
export const SET_ID_TOO_SMALL = err('The ID specified in XSETID is smaller than the target stream top item')
export const ENTRIES_ADDED_TOO_SMALL = err(
  'The entries_added specified in XSETID is smaller than the target stream length',
)
export const GIVEN_MAX_DELETED_ID_TOO_LARGE = err(
  'The ID specified in XSETID is smaller than the provided max_deleted_entry_id',
)
export const MAX_DELETED_ID_TOO_LARGE = err('The ID specified in XSETID is smaller than current max_deleted_entry_id')

export const GROUP_WITH_XREAD = err('The GROUP option is only supported by XREADGROUP. You called XREAD instead.')
export const NOACK_WITH_XREAD = err('The NOACK option is only supported by XREADGROUP. You called XREAD instead.')
export const GROUP_MISSING = err('Missing GROUP option for XREADGROUP')
export const NEW_ID_WITH_XREAD = err(
  'The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
)

/** XREAD or XREADGROUP with an odd number of words after STREAMS. */
export function unbalancedStreams(name: string, wanted: string): ReplyError {
  return err(`Unbalanced '${name}' list of streams: for each stream key an ${wanted} must be specified.`)
}

/** XREADGROUP with the id `$` or `+`. */
export function idWithGroup(id: string): ReplyError {
  return err(
    `The ${id} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The ${id} ID would just return an empty result set.`,
  )
}

export const GROUP_EXISTS = new ReplyError('BUSYGROUP Consumer Group name already exists')
export const GROUP_NEEDS_KEY = err(
  'The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
)
export const ENTRIES_READ_NEGATIVE = err('value for ENTRIESREAD must be positive or -1')

/** `key` or `group` is not there; `where` ends the text. */
export function noGroup(key: Bytes, group: Bytes, where = ''): ReplyError {
  return new ReplyError(
    `NOGROUP No such key '${key.latin1Slice(0)}' or consumer group '${group.latin1Slice(0)}'${where}`,
  )
}

export const IN_XREADGROUP = ' in XREADGROUP with GROUP option'

/** `key` is there and `group` is not. */
export function noGroupOfKey(key: Bytes, group: Bytes): ReplyError {
  return new ReplyError(`NOGROUP No such consumer group '${group.latin1Slice(0)}' for key name '${key.latin1Slice(0)}'`)
}

export const BAD_CLAIM_MIN_IDLE = err('Invalid min-idle-time argument for XCLAIM')
export const BAD_CLAIM_IDLE = err('Invalid IDLE option argument for XCLAIM')
export const BAD_CLAIM_TIME = err('Invalid TIME option argument for XCLAIM')
export const BAD_CLAIM_RETRY_COUNT = err('Invalid RETRYCOUNT option argument for XCLAIM')
export const BAD_AUTOCLAIM_MIN_IDLE = err('Invalid min-idle-time argument for XAUTOCLAIM')
export const COUNT_NOT_POSITIVE = err('COUNT must be > 0')

export function unknownClaimOption(option: Bytes): ReplyError {
  return err(`Unrecognized XCLAIM option '${option.latin1Slice(0)}'`)
}

/** A subcommand with options that it does not have. */
export function subcommandSyntax(subcommand: Bytes, container: string): ReplyError {
  return err(
    `unknown subcommand or wrong number of arguments for '${subcommand.latin1Slice(0)}'. Try ${container.toUpperCase()} HELP.`,
  )
}

export const IDS_MISSING = err('IDS option is required')
export const IDS_NOT_POSITIVE = err('Number of IDs must be a positive integer')
export const IDS_TOO_FEW = err('The `numids` parameter must match the number of arguments')
