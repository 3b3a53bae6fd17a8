/**
 * A consumer of the change feed, as a program of its own: reads it from one sequence to another, and prints a Consumption
 * as JSON. Without these, each line of its input begins or ends a time in which it follows the feed, and each end prints
 * a line: a program that has just started costs more than one that has run for a while.
 *
 *   node consumer.js PORT FORMAT [FROM TO]
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

const [port = '', format = '', from, to] = process.argv.slice(2)
const counter = new ReplyCounter()
const buffer = Buffer.allocUnsafe(READ_BYTES)
const target = Number(to ?? Number.MAX_SAFE_INTEGER)
let head = ''
let first = -1
let position = -1
let bytesRead = 0
let isFollowing = false
let startMs = 0
let startCpu = process.cpuUsage()

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
  if (from !== undefined) begin()
  else process.stdin.on('data', toggle)
})
socket.setNoDelay(true)
process.stdin.once('end', () => socket.destroy())

function toggle(): void {
  isFollowing = !isFollowing
  if (isFollowing) begin()
}

function begin(): void {
  first = -1
  bytesRead = 0
  startMs = performance.now()
  startCpu = process.cpuUsage()
  if (from === undefined) socket.write(encodeCommand(['SEQUENCE']))
  else poll(Number(from))
}

function onReply(): void {
  const reached = Number((first < 0 ? /^:(\d+)/ : NEXT_SEQUENCE).exec(head)?.[1])
  if (Number.isNaN(reached)) throw new Error(`not a reply of the feed: ${head}`)
  poll(reached)
}

function poll(after: number): void {
  if (first < 0) first = after
  position = after
  head = ''
  if (position >= target || (from === undefined && !isFollowing)) {
    end()
    return
  }
  const words = ['POLLUPDATES', String(position), 'MAX', BATCHES_MAX, 'FORMAT', format, 'BLOCK', BLOCK_MS]
  socket.write(encodeCommand(words))
}

function end(): void {
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(startCpu)
  const consumerCpuSeconds = (user + system) / 1e6
  const consumption = { changes: position - first, bytes: bytesRead, seconds, consumerCpuSeconds }
  console.log(JSON.stringify(consumption satisfies Consumption))
  if (from !== undefined) socket.destroy()
}
