/** Percentiles, in the order in which they are shown. Source: redis src/config.c, setConfigLatencyTrackingInfoPercentilesOutputOption. */
import { type Option, OptionError, option, type Spec } from './option.js'

/** Numbers from 0 to 100 with spaces between; none is allowed. */
export function percentiles(spec: Spec<readonly number[]>): Option<readonly number[]> {
  return option<readonly number[]>(spec, {
    type: 'numbers 0..100 with spaces between',
    parse(text) {
      const words = text.split(/[ \t]+/).filter((word) => word !== '')
      const values = words.map((word) => (/^\d+(\.\d+)?$/.test(word) ? Number(word) : Number.NaN))
      if (!values.every((value) => value <= 100)) {
        throw new OptionError('latency-tracking-info-percentiles should be numbers between 0 and 100')
      }
      return values
    },
    format: (values) => values.join(' '),
    // An empty value is none in the file: the default would be back at the next start.
    formatForFile: (values) => values.join(' ') || ' ',
  })
}
