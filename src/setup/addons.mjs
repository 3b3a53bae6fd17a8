/** The addons: what they need, whether they are stale, and their build by node-gyp. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { header, program } from './packages.mjs'
import { COMPRESSIONS, cacheDirectory, rocksdbPrefix } from './rocksdb-recipe.mjs'
import { ROOT } from './root.mjs'
import { firstError, runCommand } from './run-command.mjs'
import { SetupError, say } from './say.mjs'
import { changedAt, hashContents, isStamped, listFiles, stamp } from './stamp.mjs'

const NO_HEADERS =
  "Node's headers are not beside node, and node-gyp cannot download them: set npm's nodedir to where include/node is"

/** What the system must provide to build the addons. */
export function buildRequirements() {
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

/** The addons that are not built, or from something else than what is there now. @returns {Addon[]} */
export function staleAddons() {
  const prefix = rocksdbPrefix()
  return ['src/rocksdb', 'src/scripting'].flatMap((name) => {
    const folder = join(ROOT, name)
    if (!existsSync(join(folder, 'binding.gyp'))) return []
    const sources = [join(folder, 'binding.gyp'), ...listFiles(join(folder, 'native'), /\.(?:cc|h|c)$/)]
    const machine = [process.versions.modules, process.platform, process.arch]
    const linked = name === 'src/rocksdb' ? acceptedRocksdbs(prefix) : [[]]
    const [hash = '', ...others] = linked.map((rocksdb) => hashContents([machine, rocksdb], sources))
    const stampPath = join(folder, 'build', 'stamp')
    return [hash, ...others].some((accepted) => isStamped(stampPath, accepted))
      ? []
      : [{ folder, hash, stampPath, prefix }]
  })
}

/**
 * What the addon may have been linked with, and first what a build would link now. The cached RocksDB is named by its
 * recipe, wherever it stands. It is in the addon then: who has none, as another user than the one who built it, keeps
 * that addon.
 *
 * @param {string} prefix
 */
function acceptedRocksdbs(prefix) {
  const cached = cacheDirectory()
  if (prefix === cached) return [basename(cached)]
  if (prefix) return [[prefix, changedAt(join(prefix, 'lib', 'librocksdb.a'))]]
  // The system's may be upgraded below an addon that is there.
  const headers = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
  const system = headers.map((directory) => changedAt(join(directory, 'rocksdb', 'version.h')))
  return process.env['KVROCKS_ROCKSDB_DIR'] === undefined ? [system, basename(cached)] : [system]
}

/** Throws a SetupError that says why, after what the tools said, if it does not build. @param {Addon} addon */
export async function buildAddon({ folder, hash, stampPath, prefix }) {
  const name = folder.slice(ROOT.length + 1)
  const linked = prefix ? `the RocksDB in ${prefix}` : "the system's RocksDB"
  say(`building the addon in ${name}${name === 'src/rocksdb' ? ` with ${linked}` : ''}`)
  rmSync(stampPath, { force: true })
  const args = [nodeGyp(), 'configure', 'build', '--jobs=max']
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

/** This clone's node-gyp, or npm's where this is a package that npm installs. */
function nodeGyp() {
  const own = join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js')
  return existsSync(own) ? own : (process.env['npm_config_node_gyp'] ?? own)
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
