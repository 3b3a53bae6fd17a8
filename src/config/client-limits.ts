/** Output buffer limits by class of client, in Redis's syntax. Source: redis src/config.c, updateClientOutputBufferLimit. */
import { type Option, OptionError, option, parseBytes, type Spec } from './option.js'

/** At `hardBytes` a client is dropped at once; above `softBytes` when it stays there for `softSeconds`. 0 = no limit. */
export interface OutputLimit {
  readonly hardBytes: number
  readonly softBytes: number
  readonly softSeconds: number
}

const CLIENT_CLASSES = ['normal', 'slave', 'pubsub'] as const
export type ClientClass = (typeof CLIENT_CLASSES)[number]
export type OutputLimits = Readonly<Record<ClientClass, OutputLimit>>

const MALFORMED = 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'

/** `class hard soft seconds`, repeatable in one line; classes that are not named keep their limits. */
export function outputLimits(spec: Spec<OutputLimits>): Option<OutputLimits> {
  return option<OutputLimits>(spec, {
    type: 'groups of: normal|replica|pubsub, hard bytes, soft bytes, soft seconds',
    parse(text, current) {
      const words = text.split(/[ \t]+/).filter((word) => word !== '')
      if (words.length === 0 || words.length % 4 !== 0) {
        throw new OptionError('Wrong number of arguments in buffer limit configuration.')
      }
      const limits = { ...current }
      for (let at = 0; at < words.length; at += 4) {
        limits[parseClass(words[at]!)] = parseLimit(words.slice(at + 1, at + 4))
      }
      return limits
    },
    format: (limits) =>
      CLIENT_CLASSES.map((name) => {
        const { hardBytes, softBytes, softSeconds } = limits[name]
        return `${name} ${hardBytes} ${softBytes} ${softSeconds}`
      }).join(' '),
  })
}

function parseClass(word: string): ClientClass {
  const name = word.toLowerCase() === 'replica' ? 'slave' : word.toLowerCase()
  const found = CLIENT_CLASSES.find((candidate) => candidate === name)
  if (found === undefined) throw new OptionError('Invalid client class specified in buffer limit configuration.')
  return found
}

function parseLimit(words: readonly string[]): OutputLimit {
  const [hardBytes, softBytes] = words.map((word) => {
    try {
      return Number(parseBytes(word))
    } catch (error) {
      if (error instanceof OptionError) throw new OptionError(MALFORMED)
      throw error
    }
  })
  const softSeconds = Number(words[2])
  const valid = [hardBytes!, softBytes!, softSeconds].every((value) => Number.isSafeInteger(value) && value >= 0)
  if (!valid) throw new OptionError(MALFORMED)
  return { hardBytes: hardBytes!, softBytes: softBytes!, softSeconds }
}
