/**
 * Brings a clone to the state in which it can run: packages of the system, packages of npm, the addons, the compiled
 * TypeScript. Each step does nothing when its result is fresh, and finding that out takes a few milliseconds in all.
 */
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { header, installMissing, program } from './packages.mjs'
import { COMPRESSIONS, rocksdbPrefix } from './rocksdb-recipe.mjs'
import { runCommand } from './run-command.mjs'
import { SetupError, say } from './say.mjs'
import { changedAt, hashContents, hashTimes, isStamped, listFiles, stamp } from './stamp.mjs'

/** The root of the clone. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const NO_HEADERS =
  "Node's headers are not beside node, and node-gyp cannot download them: set npm's nodedir to where include/node is"

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

function buildRequirements() {
  const rocksdb = rocksdbPrefix()
    ? COMPRESSIONS.map(({ header: path, debian, brew }) => header(path, debian, brew))
    : [header('rocksdb/db.h', 'librocksdb-dev', 'rocksdb')]
  return [
    program('g++', 'g++'),
    program('make', 'make'),
    program('python3', 'python3'),
    program('pkg-config', 'pkg-config', 'pkgconf'),
    ...rocksdb,
    header(process.platform === 'darwin' ? 'luajit-2.1/lua.h' : 'lua5.1/lua.h', 'liblua5.1-0-dev', 'luajit'),
  ]
}

/**
 * An addon of this project.
 *
 * @typedef {object} Addon
 * @property {string} folder
 * @property {string} hash of its sources and of what it links
 * @property {string} stampPath
 * @property {string} prefix of the RocksDB to link, '' for the system's
 */

/** @returns {Addon[]} */
function staleAddons() {
  const prefix = rocksdbPrefix()
  const addons = ['src/rocksdb', 'src/scripting'].flatMap((name) => {
    const folder = join(ROOT, name)
    if (!existsSync(join(folder, 'binding.gyp'))) return []
    const sources = [join(folder, 'binding.gyp'), ...listFiles(join(folder, 'native'), /\.(?:cc|h|c)$/)]
    const linked = name === 'src/rocksdb' ? [prefix, librocksdbChangedAt(prefix)] : []
    const machine = [process.versions.modules, process.platform, process.arch]
    return { folder, hash: hashContents([machine, linked], sources), stampPath: join(folder, 'build', 'stamp'), prefix }
  })
  return addons.filter(({ hash, stampPath }) => !isStamped(stampPath, hash))
}

/** The system's RocksDB may be upgraded below an addon that is there. @param {string} prefix */
function librocksdbChangedAt(prefix) {
  if (prefix) return changedAt(join(prefix, 'lib', 'librocksdb.a'))
  const headers = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
  return headers.map((directory) => changedAt(join(directory, 'rocksdb', 'version.h')))
}

/** @param {Addon} addon */
async function buildAddon({ folder, hash, stampPath, prefix }) {
  const name = folder.slice(ROOT.length)
  const linked = prefix ? `the RocksDB in ${prefix}` : "the system's RocksDB"
  say(`building the addon in ${name}${name === 'src/rocksdb' ? ` with ${linked}` : ''}`)
  rmSync(stampPath, { force: true })
  const args = [join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js'), 'configure', 'build', '--jobs=max']
  const headers = await nodeHeaders()
  if (headers) args.push(`--nodedir=${headers}`)
  const { code, output } = await runCommand(process.execPath, args, {
    cwd: folder,
    env: { KVROCKS_ROCKSDB_DIR: prefix },
  })
  if (code !== 0) {
    process.stderr.write(output)
    const isOffline = !headers && /network connectivity|nodejs\.org/.test(output)
    throw new SetupError(`the addon in ${name} did not build: ${isOffline ? NO_HEADERS : firstError(output)}`)
  }
  stamp(stampPath, hash)
}

/**
 * Where Node's headers stand: npm's `nodedir` if it is set, else beside this node, where most distributions have them.
 * '' lets node-gyp download them.
 */
async function nodeHeaders() {
  const configured = process.env['npm_config_user_agent']
    ? process.env['npm_config_nodedir']
    : (await runCommand('npm', ['config', 'get', 'nodedir'])).output.trim()
  const candidates = [configured ?? '', dirname(dirname(process.execPath))]
  return candidates.find((directory) => isHeadersOf(directory)) ?? ''
}

/** @param {string} directory */
function isHeadersOf(directory) {
  const path = join(directory, 'include/node/node_version.h')
  if (!directory.startsWith('/') || !existsSync(path)) return false
  const text = readFileSync(path, 'latin1')
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map((part) => new RegExp(`NODE_${part}_VERSION (\\d+)`).exec(text)?.[1])
  return numbers.join('.') === process.versions.node
}

async function installNodeModules() {
  const modules = join(ROOT, 'node_modules')
  if (isInstalled(modules)) return
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new SetupError('node_modules is stale, and a link: run npm ci where it points to')
  }
  say('installing npm packages')
  const { code, output } = await runCommand('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT })
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

/** What compilers, then node-gyp, then npm and the rest write before what is wrong. */
const ERROR_LINES = [/: (?:fatal )?error:? .*/, /\w*Error: .*/, /\berror\b.*/i]

/** The line of a tool's output that says best what is wrong, else the last one. @param {string} output */
function firstError(output) {
  const lines = output.trim().split('\n')
  for (const pattern of ERROR_LINES) {
    const line = lines.find((text) => pattern.test(text))
    if (line !== undefined) return line.trim()
  }
  return lines.at(-1) ?? ''
}
