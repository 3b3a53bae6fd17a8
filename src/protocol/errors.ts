/**
 * Every error that a client can see. A ReplyError is a user's mistake or a refusal; anything else that is thrown while a
 * command runs is a bug of ours. Source of the texts: Redis src/server.c `createSharedObjects` and its commands; where
 * only Kvrocks has the command, its src/commands.
 */

/** Thrown to answer a command with an error. Not an `Error`: it carries no stack, which makes throwing it 20 times cheaper. */
export class ReplyError {
  /** The line after `-`, beginning with its code: `ERR syntax error`. A character is a byte, so that it may show a request's. */
  constructor(readonly text: string) {}

  toString(): string {
    return this.text
  }
}

/** An error whose code is ERR. */
export function err(text: string): ReplyError {
  return new ReplyError(`ERR ${text}`)
}

/** The same for a text of whatever characters, as the system's messages and paths are: the client gets UTF-8. */
export function utf8Err(text: string): ReplyError {
  return err(utf8(text))
}

function utf8(text: string): string {
  return Buffer.from(text).latin1Slice(0)
}

export const WRONG_TYPE = new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value')
export const SYNTAX = err('syntax error')
export const NOT_AN_INTEGER = err('value is not an integer or out of range')
export const NOT_A_FLOAT = err('value is not a valid float')
export const NOT_POSITIVE = err('value is out of range, must be positive')
export const OUT_OF_RANGE = err('value is out of range')
export const OVERFLOW = err('increment or decrement would overflow')
export const NAN_OR_INFINITY = err('increment would produce NaN or Infinity')
/** As Redis names an infinite increment of HINCRBYFLOAT; INCRBYFLOAT blames the sum. */
export const VALUE_NAN_OR_INFINITY = err('value is NaN or Infinity')
export const NO_SUCH_KEY = err('no such key')
/** As Kvrocks's KMETADATA says it. */
export const NO_SUCH_KEY_FOUND = err('NotFound: ')
export const INDEX_OUT_OF_RANGE = err('index out of range')
export const OFFSET_OUT_OF_RANGE = err('offset is out of range')
export const STRING_TOO_LONG = err('string exceeds maximum allowed size (proto-max-bulk-len)')
export const TIMEOUT_NOT_A_FLOAT = err('timeout is not a float or out of range')
export const TIMEOUT_NEGATIVE = err('timeout is negative')
export const NUMKEYS_NOT_POSITIVE = err('numkeys should be greater than 0')
export const LIMIT_NEGATIVE = err("LIMIT can't be negative")
export const BAD_CURSOR = err('invalid cursor')

export const NO_AUTH = new ReplyError('NOAUTH Authentication required.')
/** Begins as Redis's, for client libraries look at it; ends with what Kvrocks answers. */
export const WRONG_PASSWORD = new ReplyError(
  'WRONGPASS invalid username-password pair or user is disabled. Invalid password',
)
export const NO_PASSWORD_SET = err('Client sent AUTH, but no password is set')
export const HELLO_WITHOUT_AUTH = new ReplyError(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
)
export const NO_PROTO = new ReplyError('NOPROTO unsupported protocol version')
export const PROTOCOL_NOT_AN_INTEGER = err('Protocol version is not an integer or out of range')
export const BAD_CLIENT_NAME = err('Client names cannot contain spaces, newlines or special characters.')
export const NO_SUCH_CLIENT = err('No such client')
export const DATABASE_OUT_OF_RANGE = err('DB index is out of range')
export const NO_SUCH_SHUTDOWN = err('No shutdown in progress.')
/** To READONLY and its kin: redis-cli 8 sends READONLY before it scans, and ends at any other error than this one. */
export const CLUSTER_DISABLED = err('This instance has cluster support disabled')
/** To CLUSTER: Redis's text, then Kvrocks's. */
export const CLUSTER_COMMANDS_DISABLED = err('This instance has cluster support disabled: Cluster mode is not enabled')
export const CLUSTER_DOWN = new ReplyError('CLUSTERDOWN The cluster is not initialized')
export const NESTED_MULTI = err('MULTI calls can not be nested')
export const WATCH_IN_MULTI = err('WATCH inside MULTI is not allowed')
export const EXEC_WITHOUT_MULTI = err('EXEC without MULTI')
export const DISCARD_WITHOUT_MULTI = err('DISCARD without MULTI')
export const TIMEOUT_NOT_AN_INTEGER = err('timeout is not an integer or out of range')
export const LOADING = new ReplyError('LOADING kvrocks is restoring the db from backup')
export const READ_ONLY_REPLICA = new ReplyError("READONLY You can't write against a read only slave.")
export const MASTER_DOWN = new ReplyError(
  "MASTERDOWN Link with MASTER is down and slave-serve-stale-data is set to 'no'.",
)
export const ADMIN_ONLY = err('admin permission required to perform the command')
export const DATABASE_FULL = err('write command not allowed when reached max-db-size.')
export const BATCH_TOO_LARGE = err('Operation aborted: Memory limit reached')
export const EXEC_ABORTED = new ReplyError('EXECABORT Transaction discarded')
export const TOO_MANY_CLIENTS = err('max number of clients reached')
export const UNBLOCKED = new ReplyError('UNBLOCKED client unblocked via CLIENT UNBLOCK')
export const BAD_SORT_SCORE = err("One or more scores can't be converted into double")
/** A second DBSIZE SCAN. */
export const SCANNING = err('scanning the db now')
export const BUSY_KEY = new ReplyError('BUSYKEY Target key name already exists.')

export function wrongArity(name: string): ReplyError {
  return err(`wrong number of arguments for '${name}' command`)
}

export function invalidExpire(name: string): ReplyError {
  return err(`invalid expire time in '${name}' command`)
}

export function unknownCommand(name: string, rest: readonly string[]): ReplyError {
  const shown = rest.map((arg) => `'${arg}' `).join('')
  return err(`unknown command '${name}', with args beginning with: ${shown}`)
}

export function unknownSubcommand(name: string, container: string): ReplyError {
  return err(`unknown subcommand '${name}'. Try ${container.toUpperCase()} HELP.`)
}

export function notInMulti(name: string): ReplyError {
  return err(`Can't execute ${name} in MULTI`)
}

/** EXEC itself was refused. */
export function execAborted(reason: ReplyError): ReplyError {
  const text = reason.text.startsWith('ERR ') ? reason.text.slice(4) : reason.text
  return new ReplyError(`EXECABORT Transaction discarded because of: ${text}`)
}

export function unknownHelloOption(option: string): ReplyError {
  return err(`Syntax error in HELLO option '${option}'`)
}

export function notWhileSubscribed(name: string): ReplyError {
  return err(
    `Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  )
}

/** RocksDB refused the turn's commit, or the server is read-only since it did. */
export function writeRefused(reason: string): ReplyError {
  return new ReplyError(`MISCONF the database cannot be written: ${utf8(reason)}`)
}

/** A file of the database is damaged, or the disk does not give it. */
export function readFailed(reason: string): ReplyError {
  return utf8Err(`the database cannot be read: ${reason}`)
}

/** Answered for a bug of ours; the log has the stack. */
export const INTERNAL = err('internal error, see the log of the server')

/** A violation of the protocol, after which the connection is closed. Source: redis src/networking.c. */
export class ProtocolError {
  constructor(readonly text: string) {}
}

export const BAD_MULTIBULK_LENGTH = new ProtocolError('ERR Protocol error: invalid multibulk length')
export const UNAUTHENTICATED_MULTIBULK = new ProtocolError('ERR Protocol error: unauthenticated multibulk length')
export const LONG_MULTIBULK_LINE = new ProtocolError('ERR Protocol error: too big mbulk count string')
export const BAD_BULK_LENGTH = new ProtocolError('ERR Protocol error: invalid bulk length')
export const UNAUTHENTICATED_BULK = new ProtocolError('ERR Protocol error: unauthenticated bulk length')
export const LONG_BULK_LINE = new ProtocolError('ERR Protocol error: too big bulk count string')
export const LONG_INLINE = new ProtocolError('ERR Protocol error: too big inline request')
export const UNBALANCED_QUOTES = new ProtocolError('ERR Protocol error: unbalanced quotes in request')

export function expectedBulk(byte: number): ProtocolError {
  const shown = byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ' '
  return new ProtocolError(`ERR Protocol error: expected '$', got '${shown}'`)
}
