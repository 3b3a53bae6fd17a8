/** The process of bin/kvrocks-ts. */
import { runCommandLine } from './run.js'

/** By then everything is closed and written; what still keeps the process must not keep its operator waiting. */
const LINGER_MS = 3000

// The server is loaded late, so that -h and mistakes in the command line answer at once.
process.exitCode = await runCommandLine(process.argv.slice(2), async () => (await import('./program.js')).program)
setTimeout(() => process.exit(), LINGER_MS).unref()
