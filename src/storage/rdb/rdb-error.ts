/**
 * Why a payload or a file cannot be read:
 *
 *   length     too short to be a DUMP payload
 *   magic      not an RDB file
 *   version    newer than this reader; `found` is the version
 *   checksum   the bytes changed on the way
 *   type       an object type or opcode that is not known; `found` is its number
 *   truncated  the bytes end too early
 *   corrupt    the bytes contradict themselves
 *   empty      a collection without elements, which no server keeps
 *   feature    something known that is not supported: a format from before a release
 */
export type RdbFault =
  | 'length'
  | 'magic'
  | 'version'
  | 'checksum'
  | 'type'
  | 'truncated'
  | 'corrupt'
  | 'empty'
  | 'feature'

/** Thrown by everything that reads RDB bytes, and by nothing else. `found` is the number that gave offence, or -1. */
export class RdbError extends Error {
  override readonly name = 'RdbError'
  readonly fault: RdbFault
  readonly found: number

  constructor(fault: RdbFault, message: string, found = -1) {
    super(message)
    this.fault = fault
    this.found = found
  }
}

/** The error for bytes that contradict themselves. */
export function corrupt(message: string): RdbError {
  return new RdbError('corrupt', message)
}
