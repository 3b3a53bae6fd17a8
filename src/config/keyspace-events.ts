/** Classes of keyspace events as bits, and their letters. Source: redis src/notify.c, keyspaceEventsStringToFlags. */
import { type Option, OptionError, option, type Spec } from './option.js'

export const NOTIFY_KEYSPACE = 1
export const NOTIFY_KEYEVENT = 2
export const NOTIFY_GENERIC = 4
export const NOTIFY_STRING = 8
export const NOTIFY_LIST = 16
export const NOTIFY_SET = 32
export const NOTIFY_HASH = 64
export const NOTIFY_ZSET = 128
export const NOTIFY_EXPIRED = 256
export const NOTIFY_EVICTED = 512
export const NOTIFY_STREAM = 1024
export const NOTIFY_KEY_MISS = 2048
export const NOTIFY_MODULE = 8192
export const NOTIFY_NEW = 16384
/** What the letter A stands for. */
const NOTIFY_ALL =
  NOTIFY_GENERIC |
  NOTIFY_STRING |
  NOTIFY_LIST |
  NOTIFY_SET |
  NOTIFY_HASH |
  NOTIFY_ZSET |
  NOTIFY_EXPIRED |
  NOTIFY_EVICTED |
  NOTIFY_STREAM |
  NOTIFY_MODULE

/** In the order in which they are printed. */
const LETTERS: readonly (readonly [string, number])[] = [
  ['A', NOTIFY_ALL],
  ['g', NOTIFY_GENERIC],
  ['$', NOTIFY_STRING],
  ['l', NOTIFY_LIST],
  ['s', NOTIFY_SET],
  ['h', NOTIFY_HASH],
  ['z', NOTIFY_ZSET],
  ['x', NOTIFY_EXPIRED],
  ['e', NOTIFY_EVICTED],
  ['t', NOTIFY_STREAM],
  ['d', NOTIFY_MODULE],
  ['n', NOTIFY_NEW],
  ['K', NOTIFY_KEYSPACE],
  ['E', NOTIFY_KEYEVENT],
  ['m', NOTIFY_KEY_MISS],
]

/** Event classes as a bit set, written as letters. */
export function keyspaceEvents(spec: Spec<number>): Option<number> {
  return option(spec, {
    type: 'letters of Ag$lshzxeKEtmdn',
    parse(text) {
      let flags = 0
      for (const letter of text) {
        const bits = LETTERS.find(([name]) => name === letter)?.[1]
        if (bits === undefined) throw new OptionError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        flags |= bits
      }
      return flags
    },
    format(flags) {
      let left = flags
      let text = ''
      for (const [letter, bits] of LETTERS) {
        if ((left & bits) !== bits) continue
        text += letter
        left &= ~bits
      }
      return text
    },
  })
}
