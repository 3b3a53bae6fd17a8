/** The server as the command line starts it. */
import { COMMANDS } from '../commands/commands.js'
import { linkage, rocksdbVersion } from '../rocksdb/rocksdb.js'
import { Server } from '../server/server.js'
import { VERSION } from '../server/version.js'
import type { ServerProgram } from './serve.js'

const names = new Set(COMMANDS.map((command) => command.name))

export const program: ServerProgram = {
  version: `kvrocks-ts ${VERSION} (RocksDB ${rocksdbVersion}, ${linkage} library)`,
  isCommand: (name) => names.has(name),
  async start({ config, log, stop }) {
    const server = new Server({ config, log, onShutdown: stop })
    await server.listen()
    return server
  },
}
