/**
 * Subscribers that read and forget, as a program of their own: `node subscribers.js PORT CHANNEL COUNT`. Prints a line
 * when all are subscribed, and runs until it is killed.
 */

import { connect } from 'node:net'
import { encodeCommand } from './requests.js'

const READ_BYTES = 1 << 20

const [port = '', channel = '', count = ''] = process.argv.slice(2)
const buffer = Buffer.allocUnsafe(READ_BYTES)
let subscribed = 0

for (let i = 0; i < Number(count); i++) {
  let isFirst = true
  const callback = (): boolean => {
    if (isFirst) {
      isFirst = false
      if (++subscribed === Number(count)) console.log('subscribed')
    }
    return true
  }
  const socket = connect({ port: Number(port), host: '127.0.0.1', onread: { buffer, callback } }, () => {
    socket.write(encodeCommand(['SUBSCRIBE', channel]))
  })
  // The server ends before its subscribers are.
  socket.on('error', () => {})
}
