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
      process.stderr.write(`kvrocks-ts: ${given.reason}\n`)
      return 1
    case 'version':
      process.stdout.write(`${(await load()).version}\n`)
      return 0
    case 'cdc':
      return followFeed(given.words)
    case 'backup':
    case 'restore':
    case 'verify': {
      const { runBackup } = await import('./backup.js')
      return runBackup(given.action, given.words, commandStreams())
    }
    case 'import': {
      const { runImport } = await import('./import/import.js')
      return runImport(given.words, commandStreams())
    }
    case 'serve':
      return serve(given, await load())
  }
}

async function followFeed(words: readonly string[]): Promise<number> {
  const { runCdc } = await import('./cdc.js')
  return runCdc(words, commandStreams())
}

/** The streams of a command, and the signal that ends it. */
function commandStreams(): { output: NodeJS.WriteStream; errors: NodeJS.WriteStream; signal: AbortSignal } {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return { output: process.stdout, errors: process.stderr, signal: controller.signal }
}
