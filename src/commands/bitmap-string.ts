/**
 * Bitmaps in the hands of string commands: Redis knows no difference, so they are read as the strings that Redis would
 * have, and what changes such a string makes one of the bitmap. Strings pay nothing for it. Bounded by
 * max-bitmap-to-string-mb.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Args } from '../protocol/args.js'
import { WRONG_TYPE } from '../protocol/errors.js'
import { bitmapSize, readBitmapAsString, readBitmapRange } from '../types/bitmap/as-string.js'
import * as strings from '../types/string.js'
import type { Context } from './context.js'

/** The string at `key`, or a bitmap as one. Throws WRONG_TYPE. */
export function readShown(context: Context, key: Bytes): Bytes | undefined {
  return orBitmap(
    () => strings.read(context.db, key),
    () => readBitmap(context, key),
  )
}

/** The length of that in bytes, 0 if absent. */
export function shownLength({ db }: Context, key: Bytes): number {
  return orBitmap(
    () => strings.read(db, key)?.length ?? 0,
    () => bitmapSize(db, key),
  )
}

/** The bytes of that from `start` to `stop`, as `strings.slice` counts them. */
export function readShownRange({ db, config }: Context, key: Bytes, start: number, stop: number): Bytes {
  return orBitmap(
    () => {
      const value = strings.read(db, key)
      return value === undefined ? Buffer.alloc(0) : strings.slice(value, start, stop)
    },
    () => {
      const { from, to } = strings.sliceBounds(bitmapSize(db, key) ?? 0, start, stop)
      return readBitmapRange(db, key, from, to, config['max-bitmap-to-string-mb'])
    },
  )
}

/** The values at `keys`; of other types there are none. */
export function readManyShown(context: Context, keys: readonly Bytes[]): (Bytes | undefined)[] {
  return strings.readMany(context.db, keys, (key) => readBitmap(context, key))
}

/** As `strings.inspect`, with a bitmap's value. */
export function inspectShown(context: Context, key: Bytes): strings.Current {
  const current = strings.inspect(context.db, key)
  const value = current.isOtherType ? readBitmap(context, key) : undefined
  return value === undefined ? current : { ...current, value, isOtherType: false }
}

type Execute<Options> = (context: Context, args: Args, options: Options) => void

/** A command that changes the string at its first key: a bitmap there becomes a string first, and keeps its TTL. */
export function changesString<Options>(execute: Execute<Options>): Execute<Options> {
  return (context, args, options) => {
    try {
      execute(context, args, options)
    } catch (error) {
      if (error !== WRONG_TYPE) throw error
      const key = args.at(1)
      const { value, expireMs } = inspectShown(context, key)
      if (value === undefined) throw error
      strings.write(context.db, key, value, expireMs)
      execute(context, args, options)
    }
  }
}

function readBitmap({ db, config }: Context, key: Bytes): Bytes | undefined {
  return readBitmapAsString(db, key, config['max-bitmap-to-string-mb'])
}

/** What `ofString` returns, or `ofBitmap` if there is one. */
function orBitmap<T>(ofString: () => T, ofBitmap: () => T | undefined): T {
  try {
    return ofString()
  } catch (error) {
    const found = error === WRONG_TYPE ? ofBitmap() : undefined
    if (found === undefined) throw error
    return found
  }
}
