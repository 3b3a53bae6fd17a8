/** The process of bin/kvrocks-ts. */
import { runCommandLine } from './run.js'

// The server is loaded late, so that -h and mistakes in the command line answer at once.
process.exitCode = await runCommandLine(process.argv.slice(2), async () => (await import('./program.js')).program)
