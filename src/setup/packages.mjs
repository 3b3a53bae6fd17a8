/** What the system must provide, and its installation by apt-get or Homebrew. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runCommand } from './run-command.mjs'
import { SetupError, say } from './say.mjs'

/** How long apt-get waits for another that runs, such as Debian's nightly one. */
const APT_LOCK_SECONDS = 300
const APT_POLL_MS = 1000
const APT_OPTIONS = ['-o', `DPkg::Lock::Timeout=${APT_LOCK_SECONDS}`]

/**
 * Something that the system must provide.
 *
 * @typedef {object} Requirement
 * @property {() => boolean} present
 * @property {string} debian the Debian package that brings it
 * @property {string | undefined} brew the Homebrew formula that brings it; undefined if Apple's tools bring it
 * @property {boolean} [isService] Debian's package starts a service, which is not wanted here
 */

/** A program on the PATH. @param {string} name @param {string} debian @param {string} [brew] @returns {Requirement} */
export function program(name, debian, brew) {
  return { present: () => isOnPath(name), debian, brew }
}

/** A program whose Debian package runs it as a service, too. @param {string} name @param {string} [brew] */
export function serviceProgram(name, brew) {
  return { ...program(name, name, brew), isService: true }
}

/**
 * A C or C++ header in one of the usual places.
 *
 * @param {string} path under an include directory
 * @param {string} debian
 * @param {string} brew
 * @returns {Requirement}
 */
export function header(path, debian, brew) {
  return { present: () => includeDirectories().some((directory) => existsSync(join(directory, path))), debian, brew }
}

function includeDirectories() {
  return ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
}

/** @param {string} name */
function isOnPath(name) {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * Installs the packages of the requirements that are not met. Throws a SetupError that names them if it cannot.
 *
 * @param {readonly Requirement[]} requirements
 * @param {string} purpose completes "installing X by apt-get "
 */
export async function installMissing(requirements, purpose) {
  const missing = requirements.filter(({ present }) => !present())
  if (missing.length === 0) return
  if (process.platform === 'darwin') await installByBrew(missing, purpose)
  else await installByApt(missing, purpose)
}

/** @param {readonly Requirement[]} missing @param {string} purpose */
async function installByApt(missing, purpose) {
  const packages = [...new Set(missing.map(({ debian }) => debian))]
  const names = packages.join(' ')
  if (!isOnPath('apt-get')) throw new SetupError(`needs what Debian calls ${names} ${purpose}: install them first`)
  const isRoot = process.getuid?.() === 0
  if (!isRoot && !isOnPath('sudo')) {
    throw new SetupError(`needs ${names} ${purpose}: neither root nor sudo here, so run: apt-get install ${names}`)
  }
  say(`installing ${names} by ${isRoot ? '' : 'sudo '}apt-get, ${purpose}`)
  const asRoot = (/** @type {string[]} */ ...command) => {
    const [file = '', ...args] = isRoot ? command : ['sudo', ...(process.stdin.isTTY ? [] : ['-n']), ...command]
    return runCommand(file, args)
  }
  const aptGet = (/** @type {string[]} */ ...args) =>
    asRoot('env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y', ...APT_OPTIONS, ...args)
  const install = () => aptGet('install', '--no-install-recommends', ...packages)
  let result = await install()
  if (result.code !== 0 && !isAptLocked(result)) {
    // Most often the package lists are absent (a fresh container) or too old. The option does not reach their lock.
    const until = performance.now() + APT_LOCK_SECONDS * 1000
    while (isAptLocked(await aptGet('update')) && performance.now() < until) await setTimeout(APT_POLL_MS)
    result = await install()
  }
  if (result.code !== 0) throw new SetupError(`apt-get could not install ${names}: ${reason(result.output)}`)
  for (const { debian } of missing.filter(({ isService }) => isService)) {
    // Only the program is wanted. Both commands know systemd and the older init, and fail where there is neither.
    await asRoot('service', debian, 'stop')
    await asRoot('update-rc.d', debian, 'disable')
  }
}

/** @param {{ code: number, output: string }} result */
function isAptLocked({ code, output }) {
  return code !== 0 && /^E: Could not get lock /m.test(output)
}

/** @param {readonly Requirement[]} missing @param {string} purpose */
async function installByBrew(missing, purpose) {
  const formulas = [...new Set(missing.flatMap(({ brew }) => (brew ? [brew] : [])))]
  if (formulas.length < missing.length && !isOnPath('c++')) {
    throw new SetupError(`needs Apple's command line tools ${purpose}: run xcode-select --install`)
  }
  const names = formulas.join(' ')
  if (!isOnPath('brew')) throw new SetupError(`needs Homebrew (https://brew.sh) to install ${names} ${purpose}`)
  say(`installing ${names} by brew, ${purpose}`)
  const { code, output } = await runCommand('brew', ['install', ...formulas])
  if (code !== 0) throw new SetupError(`brew could not install ${names}: ${reason(output)}`)
}

/** The line of a package manager's output that says why it failed. @param {string} output */
function reason(output) {
  const lines = output.trim().split('\n')
  return lines.find((line) => /^(?:E:|Error:|sudo:)/.test(line)) ?? lines.at(-1) ?? 'no output'
}
