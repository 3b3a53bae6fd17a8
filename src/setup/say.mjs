/**
 * How the setup scripts speak and fail.
 *
 * Everything in this folder is plain JavaScript on Node's own modules, because it runs on a clone in which neither
 * TypeScript nor any package is installed yet. `npm run lint` type-checks it by its JSDoc.
 */

/** A failure that is explained by its message alone: the caller prints it as one line and exits with 1. */
export class SetupError extends Error {}

/** Prints one line that says what the setup is about to do or has done. @param {string} line */
export function say(line) {
  process.stderr.write(`kvrocks-ts: ${line}\n`)
}

/** Runs a script's main function; a SetupError becomes one line and exit code 1. @param {() => Promise<void>} main */
export async function runMain(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(error.message)
    process.exitCode = 1
  }
}
