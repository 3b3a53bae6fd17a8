/**
 * How the setup scripts speak and fail.
 *
 * Everything in this folder is plain JavaScript on Node's own modules, because it runs on a clone in which neither
 * TypeScript nor any package is installed yet. `npm run lint` type-checks it by its JSDoc.
 */

/** A failure that is explained by its message alone: the caller prints it as one line and exits with 1. */
export class SetupError extends Error {}

/** How the system refuses to write. */
const UNWRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']

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

/**
 * Runs `work`. Where it may not write, or has no space to, that is a SetupError.
 *
 * @param {string} place completes "… cannot be written"
 * @param {() => Promise<void>} work
 */
export async function explainUnwritable(place, work) {
  try {
    await work()
  } catch (error) {
    const { code = '', syscall = '', message } = /** @type {NodeJS.ErrnoException} */ (error)
    if (!UNWRITABLE.includes(code) || syscall.startsWith('spawn')) throw error
    throw new SetupError(`${place} cannot be written: ${message}`)
  }
}
