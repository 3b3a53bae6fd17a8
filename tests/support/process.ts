/** A server in a process of its own: bin/kvrocks-ts on a free port. */

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.js'
import { RawClient } from './raw-client.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
export const BIN = join(ROOT, 'bin/kvrocks-ts')

export interface ServerProcess {
  readonly port: number
  readonly child: ChildProcess
  /** Ends it, by SIGTERM unless said otherwise, and waits for its end: exit code or signal. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

/** Starts a server, on a free port unless told, and waits until it answers. `options` are those of the command line without their dashes. */
export async function startProcess(
  dir: string,
  options: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const port = Number(options['port'] ?? (await freePort()))
  const words = Object.entries({ ...options, dir, port: String(port) }).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(BIN, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  let isEnded = false
  void ended.then(() => {
    isEnded = true
  })
  while (!isEnded && !(await answers(port))) await new Promise((done) => setTimeout(done, 10))
  if (isEnded) throw new Error(`the server has ended: ${await ended}`)
  return {
    port,
    child,
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const client = await RawClient.connect(port)
    client.close()
    return true
  } catch {
    return false
  }
}
