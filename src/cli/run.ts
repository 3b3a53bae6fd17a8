/** The program behind bin/kvrocks-ts. */
import { parseArguments, USAGE } from './arguments.js'
import { type ServerProgram, serve } from './serve.js'

/** Runs the command line `words`; `load` brings the server, late, so that usage errors are fast. Returns the exit code. */
export async function runCommandLine(words: readonly string[], load: () => Promise<ServerProgram>): Promise<number> {
  const given = parseArguments(words)
  switch (given.action) {
    case 'help':
      process.stdout.write(USAGE)
      return 0
    case 'misuse':
      process.stdout.write(USAGE)
      return 1
    case 'version':
      process.stdout.write(`${(await load()).version}\n`)
      return 0
    case 'serve':
      return serve(given, await load())
  }
}
