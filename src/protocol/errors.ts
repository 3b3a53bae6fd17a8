/**
 * Every error that a client can see. A ReplyError is a user's mistake or a refusal; anything else that is thrown while a
 * command runs is a bug of ours. Source of the texts: Redis src/server.c `createSharedObjects` and its commands; where
 * only Kvrocks has the command, its src/commands.
 */

/** Thrown to answer a command with an error. Not an `Error`: it carries no stack, which makes throwing it 20 times cheaper. */
export class ReplyError {
  /** The line after `-`, beginning with its code: `ERR syntax error`. */
  constructor(readonly text: string) {}

  toString(): string {
    return this.text
  }
}

/** An error whose code is ERR. */
export function err(text: string): ReplyError {
  return new ReplyError(`ERR ${text}`)
}

export const WRONG_TYPE = new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value')
export const SYNTAX = err('syntax error')
export const NOT_AN_INTEGER = err('value is not an integer or out of range')
export const NOT_A_FLOAT = err('value is not a valid float')
export const NOT_POSITIVE = err('value is out of range, must be positive')
export const OUT_OF_RANGE = err('value is out of range')
export const OVERFLOW = err('increment or decrement would overflow')
export const NAN_OR_INFINITY = err('increment would produce NaN or Infinity')
export const NO_SUCH_KEY = err('no such key')
export const INDEX_OUT_OF_RANGE = err('index out of range')
export const OFFSET_OUT_OF_RANGE = err('offset is out of range')
export const STRING_TOO_LONG = err('string exceeds maximum allowed size (proto-max-bulk-len)')
export const TIMEOUT_NOT_A_FLOAT = err('timeout is not a float or out of range')
export const TIMEOUT_NEGATIVE = err('timeout is negative')
export const NUMKEYS_NOT_POSITIVE = err('numkeys should be greater than 0')
export const LIMIT_NEGATIVE = err("LIMIT can't be negative")
export const BAD_CURSOR = err('invalid cursor')

export const NO_AUTH = new ReplyError('NOAUTH Authentication required.')
export const WRONG_PASSWORD = new ReplyError('WRONGPASS invalid username-password pair or user is disabled.')
export const LOADING = new ReplyError('LOADING kvrocks is restoring the db from backup')
export const READ_ONLY_REPLICA = new ReplyError("READONLY You can't write against a read only slave.")
export const MASTER_DOWN = new ReplyError(
  "MASTERDOWN Link with MASTER is down and slave-serve-stale-data is set to 'no'.",
)
export const ADMIN_ONLY = err('admin permission required to perform the command')
export const DATABASE_FULL = err('write command not allowed when reached max-db-size.')
export const BATCH_TOO_LARGE = err('Operation aborted: Memory limit reached')
export const EXEC_ABORTED = new ReplyError('EXECABORT Transaction discarded because of previous errors.')
export const TOO_MANY_CLIENTS = err('max number of clients reached')
export const UNBLOCKED = new ReplyError('UNBLOCKED client unblocked via CLIENT UNBLOCK')
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

/** RocksDB refused the turn's commit, or the server is read-only since it did. */
export function writeRefused(reason: string): ReplyError {
  return new ReplyError(`MISCONF the database cannot be written: ${reason}`)
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
