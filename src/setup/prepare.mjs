/**
 * Brings a clone to the state in which it can run: packages of the system, packages of npm, the addons, the compiled
 * TypeScript. Each step does nothing when its result is fresh, and finding that out takes a few milliseconds in all.
 */
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildAddon, buildRequirements, staleAddons } from './addons.mjs'
import { withLock } from './lock.mjs'
import { installMissing } from './packages.mjs'
import { ROOT } from './root.mjs'
import { firstError, runCommand } from './run-command.mjs'
import { explainUnwritable, SetupError, say } from './say.mjs'
import { hashTimes, isStamped, listFiles, stamp } from './stamp.mjs'

const TYPESCRIPT_FOLDERS = ['src', 'tests', 'bench', 'tcl-compat']
const DIST_STAMP = join(ROOT, 'dist/stamp')
const MODULES = join(ROOT, 'node_modules')

/** Only what is stale is locked and written: a clone that is whole may be read-only. */
const LOCK = join(ROOT, '.prepare.lock')

/** Throws a SetupError that says in one line what is missing. */
export async function prepare() {
  checkNode()
  if (isPrepared()) return
  await explainUnwritable(`the build in ${ROOT} is stale and`, () => withLock(LOCK, isPrepared, bringUpToDate))
}

function isPrepared() {
  return missingModules().length === 0 && staleAddons().length === 0 && isStamped(DIST_STAMP, hashTypeScript())
}

async function bringUpToDate() {
  if (staleAddons().length > 0) await installMissing(buildRequirements(), 'to build the addons')
  await installNodeModules()
  // Looked up again, since what they link may be there only now.
  for (const addon of staleAddons()) await buildAddon(addon)
  await compileTypeScript()
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 17)) {
    throw new SetupError(`needs Node.js 20.17 or newer, and this is ${process.versions.node}`)
  }
}

async function installNodeModules() {
  if (missingModules().length === 0) return
  if (lstatSync(MODULES, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new SetupError('node_modules is stale, and a link: run npm ci where it points to')
  }
  say('installing npm packages')
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  const { code, output } = await runCommand('npm', args, { cwd: ROOT })
  if (code !== 0) throw new SetupError(`npm ci failed: ${firstError(output)}`)
  const missing = missingModules().map((path) => path.replace('node_modules/', ''))
  if (missing.length > 0) throw new SetupError(`npm ci left out what it could not fetch: ${missing.join(' ')}`)
}

/**
 * The packages that package-lock.json asks for and node_modules does not hold. npm itself notes there what it
 * installed, so that no stamp of ours can be wrong.
 *
 * @returns {string[]}
 */
function missingModules() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'))
  const installed = installedPackages()
  return Object.entries(wanted).flatMap(([path, entry]) => {
    const isThere = path === '' || entry.peer || installed[path]?.version === entry.version
    return isThere || (entry.optional && !isForThisMachine(entry)) ? [] : [path]
  })
}

function installedPackages() {
  try {
    return readPackages(join(MODULES, '.package-lock.json'))
  } catch {
    // Absent, or npm writes it just now.
    return {}
  }
}

/**
 * A package as npm's lock files describe it.
 *
 * @typedef {object} Package
 * @property {string} [version]
 * @property {boolean} [peer]
 * @property {boolean} [optional]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 */

/** @param {string} path @returns {Record<string, Package>} */
function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

/**
 * True for an optional package that brings a binary for this machine, such as TypeScript's compiler. npm leaves it out
 * without a word if it cannot fetch it. The other optional ones may be absent.
 *
 * @param {Package} entry
 */
function isForThisMachine({ os, cpu, libc }) {
  if (!os?.includes(process.platform) || !cpu?.includes(process.arch)) return false
  return libc === undefined || libc.includes(isGlibc() ? 'glibc' : 'musl')
}

function isGlibc() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header.glibcVersionRuntime !== undefined
}

function hashTypeScript() {
  const sources = TYPESCRIPT_FOLDERS.flatMap((folder) => listFiles(join(ROOT, folder), /\.ts$/))
  return hashTimes([join(ROOT, 'tsconfig.json'), join(ROOT, 'package-lock.json'), ...sources])
}

async function compileTypeScript() {
  const hash = hashTypeScript()
  if (isStamped(DIST_STAMP, hash)) return
  const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.json')]
  const { code, output } = await runCommand(process.execPath, args)
  if (code !== 0) {
    process.stderr.write(output)
    throw new SetupError(`the TypeScript did not compile: ${firstError(output)}`)
  }
  removeOrphans()
  stamp(DIST_STAMP, hash)
}

/** Removes compiled files whose source is gone, so that a test that was renamed does not run twice. */
function removeOrphans() {
  for (const folder of TYPESCRIPT_FOLDERS) {
    for (const path of listFiles(join(ROOT, 'dist', folder), /\.(?:js|js\.map|d\.ts)$/)) {
      const source = join(ROOT, path.slice(join(ROOT, 'dist').length).replace(/\.(?:js|js\.map|d\.ts)$/, '.ts'))
      if (!existsSync(source)) rmSync(path)
    }
  }
}
