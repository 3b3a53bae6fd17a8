/**
 * Loaded into a server by `node --expose-gc --import`: at each SIGUSR2 it writes a HeapSample as a line of JSON to
 * descriptor 3. The server itself knows nothing of it.
 */

import { writeSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'

export interface HeapSample {
  /** Bytes in use before a full collection, and after it. */
  readonly before: number
  readonly after: number
  /** Collections since the process began, without those of the probe. */
  readonly collections: number
}

const REPORT_FD = 3

let collections = 0
let forced = 0
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length
})
observer.observe({ entryTypes: ['gc'] })

process.on('SIGUSR2', () => {
  const before = inUse()
  collections += observer.takeRecords().length
  const sample = { before, collections: collections - forced }
  // The second one waits for the threads on which the first one frees buffers.
  globalThis.gc?.()
  globalThis.gc?.()
  // A forced collection is one entry, or more: all that it adds is its own.
  setImmediate(() => {
    const seen = collections + observer.takeRecords().length
    forced += seen - collections
    collections = seen
    writeSync(REPORT_FD, `${JSON.stringify({ ...sample, after: inUse() } satisfies HeapSample)}\n`)
  })
})

/** The heap, and the memory of buffers outside of it. */
function inUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
