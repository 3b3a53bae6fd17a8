/** The command line with a server that only listens and greets, run as a process by the tests beside this file. */
import { createServer } from 'node:net'
import { runCommandLine } from '../../src/cli/run.js'
import type { RunningServer, ServerProgram, StartOptions } from '../../src/cli/serve.js'

const program: ServerProgram = {
  version: 'fixture 1.2.3',
  isCommand: (name) => name === 'get',
  start,
}

async function start({ config, log, stop }: StartOptions): Promise<RunningServer> {
  const { port, 'db-name': name } = config.values
  if (name === 'refuses') throw new Error('database is locked')
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(`hello from ${process.pid}\n`)
    if (name === 'stops') stop()
    if (name === 'breaks') setImmediate(() => Promise.reject(new TypeError('a bug')))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, config.binds[0], resolve)
  })
  log.info('listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async close() {
      // Slow enough for a second signal to arrive in the meantime.
      await new Promise((resolve) => setTimeout(resolve, name === 'slow' ? 60_000 : 0))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

process.exit(await runCommandLine(process.argv.slice(2), async () => program))
