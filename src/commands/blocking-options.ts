/** What blocking commands have in common. */

import { parseDouble } from '../bytes/double.js'
import { parseInt64 } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import {
  err,
  type ReplyError,
  TIMEOUT_NEGATIVE,
  TIMEOUT_NOT_A_FLOAT,
  TIMEOUT_NOT_AN_INTEGER,
} from '../protocol/errors.js'

/** Later than the last time that Redis can tell. */
const MS_END = 2 ** 63

const TIMEOUT_OUT_OF_RANGE = err('timeout is out of range')

/** The timeout in word `index`, given in seconds, in milliseconds; 0 = for ever. `refusal` if it is no number. Source: redis src/timeout.c. */
export function timeoutMsAt(args: Args, index: number, refusal: ReplyError = TIMEOUT_NOT_A_FLOAT): number {
  const seconds = parseDouble(args.at(index))
  if (seconds === undefined || Number.isNaN(seconds)) throw refusal
  if (seconds < 0) throw TIMEOUT_NEGATIVE
  const ms = Math.ceil(seconds * 1000)
  if (ms >= MS_END) throw TIMEOUT_OUT_OF_RANGE
  return ms
}

/** The timeout in word `index`, given in milliseconds; 0 = for ever. Source: redis src/timeout.c. */
export function timeoutAt(args: Args, index: number): number {
  const ms = parseInt64(args.at(index))
  if (ms === undefined) throw TIMEOUT_NOT_AN_INTEGER
  if (ms < 0) throw TIMEOUT_NEGATIVE
  if (typeof ms === 'bigint') throw TIMEOUT_OUT_OF_RANGE
  return ms
}
