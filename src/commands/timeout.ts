/** Timeouts of blocking commands. Source: redis src/timeout.c, getTimeoutFromObjectOrReply. */

import { parseDouble } from '../bytes/double.js'
import type { Args } from '../protocol/args.js'
import { err, type ReplyError, TIMEOUT_NEGATIVE, TIMEOUT_NOT_A_FLOAT } from '../protocol/errors.js'

const TIMEOUT_OUT_OF_RANGE = err('timeout is out of range')
const TIMEOUT_MS_MAX = 2 ** 63 / 1000

/** Word `index`, seconds with a fraction, in milliseconds; 0 = for ever. Throws `refusal` if it is no number. */
export function timeoutMsAt(args: Args, index: number, refusal: ReplyError = TIMEOUT_NOT_A_FLOAT): number {
  const seconds = parseDouble(args.at(index))
  if (seconds === undefined) throw refusal
  if (seconds < 0) throw TIMEOUT_NEGATIVE
  const ms = Math.ceil(seconds * 1000)
  if (ms > TIMEOUT_MS_MAX) throw TIMEOUT_OUT_OF_RANGE
  return ms
}
