/**
 * `npm run rocksdb`: builds the optimised RocksDB of rocksdb-recipe.mjs into the cache, once. Interrupted, it goes on
 * where it stopped: an object file that is there is whole, because it gets its name when the compiler is done.
 *
 * KVROCKS_JOBS names the number of compilers at a time (default: one a CPU).
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { withLock } from './lock.mjs'
import { header, installMissing, program } from './packages.mjs'
import { COMPRESSIONS, cacheDirectory, compilerFlags, LEFT_OUT, SOURCE } from './rocksdb-recipe.mjs'
import { runCommand } from './run-command.mjs'
import { explainUnwritable, runMain, SetupError, say } from './say.mjs'

const PURPOSE = 'to build RocksDB'

/** What the archive was made of: deleted when it stands. */
const REST = ['objects', 'package']

await runMain(async () => {
  const target = cacheDirectory()
  const isDone = () => existsSync(target) && !REST.some((name) => existsSync(join(target, name)))
  if (!isDone()) await explainUnwritable(target, () => buildOnce(target, isDone))
  say(`the optimised RocksDB ${SOURCE.version} stands in ${target}: the next build of the addon links it`)
})

/** @param {string} target @param {() => boolean} isDone */
async function buildOnce(target, isDone) {
  mkdirSync(dirname(target), { recursive: true })
  await withLock(`${target}.lock`, isDone, async () => {
    if (!existsSync(target)) await build(target)
    for (const name of REST) rmSync(join(target, name), { recursive: true, force: true })
  })
}

/** @param {string} target which is there only when it is whole */
async function build(target) {
  await installMissing(
    [
      program('c++', 'g++'),
      program('ar', 'binutils'),
      ...COMPRESSIONS.map(({ header: path, debian, brew }) => header(path, debian, brew)),
    ],
    PURPOSE,
  )
  const work = `${target}.partial`
  mkdirSync(join(work, 'objects'), { recursive: true })
  await fetchSource(work)
  const objects = await compileAll(work)
  await finish(work, objects)
  renameSync(work, target)
}

/** Fetches the source by npm, compares it with the pinned hash and unpacks it. @param {string} work */
async function fetchSource(work) {
  if (existsSync(join(work, 'package'))) return
  say(`fetching RocksDB ${SOURCE.version} from the npm package ${SOURCE.package}`)
  const packed = await runCommand('npm', ['pack', SOURCE.package, '--pack-destination', work, '--silent'])
  const name = readdirSync(work).find((entry) => entry.endsWith('.tgz'))
  if (packed.code !== 0 || !name) {
    throw new SetupError(`npm could not fetch ${SOURCE.package}: ${packed.output.trim().split('\n').at(0)}`)
  }
  const tarball = join(work, name)
  const hash = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (hash !== SOURCE.integrity) {
    rmSync(tarball)
    throw new SetupError(`${SOURCE.package} is not the tarball that was pinned: its hash is ${hash}`)
  }
  const unpacked = join(work, 'unpacked')
  rmSync(unpacked, { recursive: true, force: true })
  mkdirSync(unpacked)
  const { code, output } = await runCommand('tar', ['-xzf', tarball, '-C', unpacked, 'package/deps'])
  if (code !== 0) throw new SetupError(`cannot unpack ${name}: ${output.trim()}`)
  renameSync(join(unpacked, 'package'), join(work, 'package'))
  rmSync(unpacked, { recursive: true })
  rmSync(tarball)
}

/**
 * Compiles what is not compiled yet. Returns the object files.
 *
 * @param {string} work
 * @returns {Promise<string[]>}
 */
async function compileAll(work) {
  const sources = [...listSources(work), { path: join(work, SOURCE.buildVersion), object: 'build_version.o' }]
  const tree = join(work, SOURCE.tree)
  const flags = [...compilerFlags(), `-I${tree}`, `-I${join(tree, 'include')}`, ...brewFlags()]
  const todo = sources.filter(({ object }) => !existsSync(join(work, 'objects', object)))
  const jobs = Number(process.env['KVROCKS_JOBS']) || availableParallelism()
  say(`compiling ${todo.length} files, ${jobs} at a time: ${compilerFlags().join(' ')}`)
  let doneCount = sources.length - todo.length
  const worker = async () => {
    for (let source = todo.shift(); source; source = todo.shift()) {
      const { path, object } = source
      const file = join(work, 'objects', object)
      const { code, output } = await runCommand('c++', [...flags, '-c', path, '-o', `${file}.partial`])
      if (code !== 0) {
        todo.length = 0
        throw new SetupError(`cannot compile ${path}: the compiler says\n${output.trim()}`)
      }
      renameSync(`${file}.partial`, file)
      doneCount += 1
      showProgress(doneCount, sources.length, object)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return sources.map(({ object }) => join(work, 'objects', object))
}

/** The C++ files that the package's .gyp lists for this platform. @param {string} work */
function listSources(work) {
  const lines = readFileSync(join(work, SOURCE.list), 'utf8').split('\n')
  const files = lines.flatMap((line) => /^\s*"rocksdb\/(.+\.cc)"/.exec(line)?.[1] ?? [])
  return files
    .filter((file) => !LEFT_OUT.test(file))
    .map((file) => ({ path: join(work, SOURCE.tree, file), object: `${file.slice(0, -3).replaceAll('/', '-')}.o` }))
}

function brewFlags() {
  return process.platform === 'darwin' ? ['-I/opt/homebrew/include', '-I/usr/local/include'] : []
}

/** @param {number} doneCount @param {number} count @param {string} object */
function showProgress(doneCount, count, object) {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K[${doneCount}/${count}] ${object}${doneCount === count ? '\n' : ''}`)
  } else if (doneCount % 20 === 0 || doneCount === count) {
    say(`compiled ${doneCount} of ${count}`)
  }
}

/** Makes the archive, the headers and `libs` of the compiled objects. */
async function finish(/** @type {string} */ work, /** @type {string[]} */ objects) {
  mkdirSync(join(work, 'lib'), { recursive: true })
  const archive = join(work, 'lib', 'librocksdb.a')
  rmSync(archive, { force: true })
  const { code, output } = await runCommand('ar', ['rcs', archive, ...objects])
  if (code !== 0) throw new SetupError(`cannot make ${archive}: ${output.trim()}`)
  cpSync(join(work, SOURCE.tree, 'include'), join(work, 'include'), { recursive: true })
  writeFileSync(join(work, 'libs'), `${linkerFlags().join(' ')}\n`)
}

/**
 * The compression libraries are linked as shared ones, because Debian compiles most of their archives in a way that
 * cannot go into an addon.
 */
function linkerFlags() {
  const compressions = COMPRESSIONS.map(({ library }) => `-l${library}`)
  if (process.platform === 'darwin') return ['-L/opt/homebrew/lib', '-L/usr/local/lib', ...compressions]
  return [...compressions, '-lpthread', '-ldl']
}
