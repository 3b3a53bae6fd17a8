/** Which peers take nothing of what they are sent. */

import { test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { SendWatch } from '../../src/replication/send-watch.js'

const config = loadConfig({ text: 'replication-send-timeout-ms 1000\n' })
const COMPLAINT = 'it has taken nothing for 1000 ms (replication-send-timeout-ms)'

test('a peer that takes nothing for the time of replication-send-timeout-ms is complained of', (t) => {
  const peer = { outputBytes: 65_536 }
  const watch = new SendWatch(peer, config)
  t.equal(watch.complaint(5000), undefined)
  t.equal(watch.complaint(5999), undefined)
  t.equal(watch.complaint(6000), COMPLAINT)
  peer.outputBytes = 65_535
  t.equal(watch.complaint(6000), undefined)
  t.equal(watch.complaint(7000), COMPLAINT)
  peer.outputBytes = 0
  t.equal(watch.complaint(8000), undefined)
  t.equal(watch.complaint(9999), undefined)
  t.end()
})

test('a peer that takes a piece at a time, each of the same size, is not', (t) => {
  const watch = new SendWatch({ outputBytes: 65_536 }, config)
  for (let nowMs = 1000; nowMs < 10_000; nowMs += 900) {
    t.equal(watch.complaint(nowMs), undefined)
    watch.drained()
  }
  t.end()
})

test('no peer is where replication-send-timeout-ms is 0', (t) => {
  const watch = new SendWatch({ outputBytes: 1 }, loadConfig({ text: 'replication-send-timeout-ms 0\n' }))
  t.equal(watch.complaint(1000), undefined)
  t.equal(watch.complaint(10_000_000), undefined)
  t.end()
})
