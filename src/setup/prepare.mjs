/**
 * Brings a clone to the state in which it can run: packages of the system, packages of npm, the addons, the compiled
 * TypeScript. Each step does nothing when its result is fresh, and finding that out takes a few milliseconds in all.
 */
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildAddon, buildRequirements, staleAddons } from './addons.mjs'
import { installMissing } from './packages.mjs'
import { ROOT } from './root.mjs'
import { firstError, runCommand } from './run-command.mjs'
import { SetupError, say } from './say.mjs'
import { hashTimes, isStamped, listFiles, stamp } from './stamp.mjs'

const TYPESCRIPT_FOLDERS = ['src', 'tests', 'bench', 'tcl-compat']

/** Throws a SetupError that says in one line what is missing. */
export async function prepare() {
  checkNode()
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
  const modules = join(ROOT, 'node_modules')
  if (isInstalled(modules)) return
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new SetupError('node_modules is stale, and a link: run npm ci where it points to')
  }
  say('installing npm packages')
  const { code, output } = await runCommand('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: ROOT })
  if (code !== 0) throw new SetupError(`npm ci failed: ${firstError(output)}`)
}

/**
 * True if node_modules holds what package-lock.json asks for. npm itself notes there what it installed, so that no
 * stamp of ours can be wrong.
 *
 * @param {string} modules
 */
function isInstalled(modules) {
  const note = join(modules, '.package-lock.json')
  if (!existsSync(note)) return false
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(note, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional, peer }]) => path === '' || optional || peer || installed[path]?.version === version,
  )
}

async function compileTypeScript() {
  const sources = TYPESCRIPT_FOLDERS.flatMap((folder) => listFiles(join(ROOT, folder), /\.ts$/))
  const hash = hashTimes([join(ROOT, 'tsconfig.json'), join(ROOT, 'package-lock.json'), ...sources])
  const stampPath = join(ROOT, 'dist/stamp')
  if (isStamped(stampPath, hash)) return
  const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.json')]
  const { code, output } = await runCommand(process.execPath, args)
  if (code !== 0) {
    process.stderr.write(output)
    throw new SetupError(`the TypeScript did not compile: ${firstError(output)}`)
  }
  removeOrphans()
  stamp(stampPath, hash)
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
