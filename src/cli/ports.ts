/** Whether another server listens already. */
import { connect } from 'node:net'
import type { Config } from '../config/config.js'

const PROBE_MS = 1000

/**
 * The first TCP port of the settings on which something accepts connections at one of the addresses to listen on.
 * Asked before the database is opened, for an error that says what is wrong. Source: kvrocks src/cli/main.cc.
 */
export async function findBusyPort(config: Config): Promise<number | undefined> {
  const { port, 'tls-port': tlsPort, 'socket-fd': socketFd } = config.values
  if (socketFd !== -1) return undefined
  for (const number of [port, tlsPort]) {
    if (number === 0) continue
    for (const address of config.binds) {
      if (await isAccepting(reachable(address), number)) return number
    }
  }
  return undefined
}

/** An address under which a listener on `address` is reached from here. */
function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '*') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

function isAccepting(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_MS })
    const finish = (accepting: boolean): void => {
      socket.destroy()
      resolve(accepting)
    }
    socket.on('connect', () => finish(true))
    socket.on('error', () => finish(false))
    socket.on('timeout', () => finish(false))
  })
}
