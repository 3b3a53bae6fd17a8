/**
 * A consumer of the change feed, as a program of its own: reads it from a sequence, to another one or until SIGTERM,
 * and prints a Consumption as JSON.
 *
 *   node consumer.js PORT FORMAT FROM [TO]     FROM: a sequence, or `latest`
 */

import { connect } from 'node:net'
import { ReplyCounter } from './replies.js'
import { encodeCommand } from './requests.js'

export interface Consumption {
  readonly changes: number
  readonly bytes: number
  readonly seconds: number
  /** What the consumer itself took, which is no price of the server's where both run on one machine. */
  readonly consumerCpuSeconds: number
}

const BATCHES_MAX = '1000'
const BLOCK_MS = '200'
const READ_BYTES = 1 << 20
/** The reply begins with it. */
const NEXT_SEQUENCE = /next_sequence\r\n:(\d+)/
const HEAD_BYTES = 64

const [port = '', format = '', from = '', to = String(Number.MAX_SAFE_INTEGER)] = process.argv.slice(2)
const counter = new ReplyCounter()
const buffer = Buffer.allocUnsafe(READ_BYTES)
const target = Number(to)
let head = ''
let first = -1
let position = -1
let bytesRead = 0
let isEnding = false
let startMs = 0

process.once('SIGTERM', () => {
  isEnding = true
})

const onread = {
  buffer,
  callback(bytes: number): boolean {
    bytesRead += bytes
    if (head.length < HEAD_BYTES) head += buffer.latin1Slice(0, Math.min(bytes, HEAD_BYTES))
    if (counter.count(buffer, bytes) > 0) onReply()
    return true
  },
}
const socket = connect({ port: Number(port), host: '127.0.0.1', onread }, () => {
  startMs = performance.now()
  if (from === 'latest') socket.write(encodeCommand(['SEQUENCE']))
  else poll(Number(from))
})
socket.setNoDelay(true)

function onReply(): void {
  const reached = Number((first < 0 && from === 'latest' ? /^:(\d+)/ : NEXT_SEQUENCE).exec(head)?.[1])
  if (Number.isNaN(reached)) throw new Error(`not a reply of the feed: ${head}`)
  poll(reached)
}

function poll(after: number): void {
  if (first < 0) first = after
  position = after
  head = ''
  if (isEnding || position >= target) {
    end()
    return
  }
  const words = ['POLLUPDATES', String(position), 'MAX', BATCHES_MAX, 'FORMAT', format, 'BLOCK', BLOCK_MS]
  socket.write(encodeCommand(words))
}

function end(): void {
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage()
  const consumerCpuSeconds = (user + system) / 1e6
  const consumption = { changes: position - first, bytes: bytesRead, seconds, consumerCpuSeconds }
  console.log(JSON.stringify(consumption satisfies Consumption))
  socket.destroy()
}
