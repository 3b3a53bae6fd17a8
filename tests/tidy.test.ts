/** The rules of style that can be checked by reading the files. What Biome and tsc check is not repeated here. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

/** A file imports only from its own folder of src and from those that stand above it here. */
const LAYERS = [
  'bytes',
  'files',
  'log',
  'rocksdb',
  'protocol',
  'config',
  'storage',
  'types',
  'cdc',
  'replication',
  'pubsub',
  'scripting',
  'commands',
  'server',
  'cdc-client',
  'cli',
  'index.ts',
]

/** Runs before any package is installed, so it is no layer: it imports only itself and packages. */
const SETUP = 'setup'

const LINES_MAX = 600

/** Files that may be longer, each with its reason. */
const LONGER: Readonly<Record<string, string>> = {}

/** The only files that load an addon. */
const ADDON_LOADERS = /^src\/(?:rocksdb|scripting)\/native\.ts$/

/** The only files of src that hold error texts that a client sees. */
const ERROR_TEXTS = /^src\/protocol\/errors(?:\/[a-z-]+)?\.ts$/

/** This file names what it forbids. */
const SELF = 'tests/tidy.test.ts'

const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)))
const FILES = ['src', 'tests', 'bench', 'tcl-compat', 'conf', 'bin', '.ci'].flatMap((folder) => list(folder))
const DOCUMENTS = ['README.md', 'package.json', 'biome.json', 'tsconfig.json']

interface Line {
  readonly path: string
  readonly number: number
  readonly text: string
}

const LINES: readonly Line[] = [...FILES, ...DOCUMENTS].flatMap((path) =>
  read(path)
    .split('\n')
    .map((text, index) => ({ path, number: index + 1, text })),
)

test('imports point down', async (t) => {
  const violations = LINES.filter(({ path }) => path.startsWith('src/')).flatMap((line) => {
    const specifier = /(?:\bfrom|\bimport\(?)\s*['"](\.{1,2}\/[^'"]+)['"]/.exec(line.text)?.[1]
    if (specifier === undefined) return []
    const from = layerOf(line.path)
    const to = layerOf(posix.join(posix.dirname(line.path), specifier).replace(/\.js$/, '.ts'))
    const isAllowed = from === to || (from !== SETUP && to !== SETUP && rank(to) <= rank(from))
    return isAllowed ? [] : [`${place(line)}: ${from} imports ${to}`]
  })
  t.same(violations, [])
})

test('each folder of src is a layer, and the README lists them in this order', async (t) => {
  const folders = readdirSync(join(ROOT, 'src'))
  t.same(new Set(folders), new Set([...LAYERS, SETUP]))
  const listed = [...read('README.md').matchAll(/^src\/(\S+)/gm)].map((match) => match[1] ?? '')
  t.same(listed, [...LAYERS, SETUP])
})

test('only the bindings load an addon', async (t) => {
  const isLoading = /\.node['"`]|\bprocess\.dlopen\b|\bcreateRequire\b/
  t.same(violations(/^src\/.*\.ts$/, isLoading, ADDON_LOADERS), [])
})

test('names are kebab-case, and say what is in the file', async (t) => {
  const isKebab = /^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/
  const isVague = /^(?:utils?|helpers?|common|misc|lib)(?:\.|$)/
  const named = FILES.filter((path) => /\.(?:ts|mjs)$/.test(path))
  t.same(
    named.filter((path) => path.split('/').some((part) => !isKebab.test(part) || isVague.test(part))),
    [],
  )
})

test(`files have at most ${LINES_MAX} lines`, async (t) => {
  const sources = FILES.filter((path) => /\.(?:ts|mjs|cc|h|tcl)$/.test(path))
  const long = sources.filter((path) => read(path).split('\n').length > LINES_MAX + 1)
  t.same(long, Object.keys(LONGER).sort())
})

test('nothing is left for later, and no code is commented out', async (t) => {
  const sources = /\.(?:ts|mjs|cc|h)$/
  t.same(violations(sources, /\b(?:TODO|FIXME|XXX|HACK)\b/, SELF), [])
  t.same(violations(sources, /^\s*(?:\/\/|\/?\*+)\s*[-=#~*]{4,}/), [])
  t.same(
    violations(sources, /^\s*\/\/\s*(?:(?:const|let|import|export|return|await)\b.*[({;'"]|\}|.*[;{]\s*$)/, SELF),
    [],
  )
})

test('functions and classes that are exported are used in another file', async (t) => {
  const sources = FILES.filter((path) => path.endsWith('.ts')).map((path) => ({ path, text: read(path) }))
  const words = new Map<string, Set<string>>()
  for (const { path, text } of sources) {
    for (const word of text.match(/\w+/g) ?? []) {
      const places = words.get(word)
      if (places === undefined) words.set(word, new Set([path]))
      else places.add(path)
    }
  }
  const unused = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:async )?(?:function\*?|class) (\w+)/gm)]
      .filter((match) => words.get(match[1] ?? '')?.size === 1)
      .map((match) => `${path}: ${match[1]}`),
  )
  t.same(unused, [])
})

test('the README says of each error in the log what it means', async (t) => {
  const rows = [...read('README.md').matchAll(/^\| (`.*?`) \|/gm)].map((match) => match[1] ?? '')
  const explained = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''))
  const writes =
    /\b(?:log\.(?:error|fatal)|failToStart|readErrors\.error|errors\.error)\(\s*(?:[\w']+, )?[`']([^`'\n]+)/g
  const logged = FILES.filter((path) => /^src\/.*\.ts$/.test(path)).flatMap((path) =>
    [...read(path).matchAll(writes)].map((match) => (match[1] ?? '').replace(/\$\{[^}]*\}/g, '…')),
  )
  t.ok(logged.length > 20)
  const known = (line: string): boolean => explained.some((text) => line.startsWith(text.replace(/…$/, '')))
  t.same(
    logged.filter((line) => !known(line)),
    [],
  )
})

test('types are not escaped, and exports have names', async (t) => {
  const sources = /\.(?:ts|mjs)$/
  t.same(violations(sources, /\bas any\b|<any>|: any\b|@ts-(?:ignore|nocheck)/, SELF), [])
  t.same(violations(sources, /^export default\b/), [])
})

test('errors that a client sees are written in one place', async (t) => {
  const codes =
    'ERR|WRONGTYPE|NOAUTH|NOPERM|WRONGPASS|EXECABORT|MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN|READONLY|NOSCRIPT'
  t.same(violations(/^src\/.*\.ts$/, new RegExp(`['"\`]-?(?:${codes}) `), ERROR_TEXTS), [])
})

test('the project speaks of itself alone', async (t) => {
  const machine = /\/work\/|\/root\/|\/home\/[a-z]/
  const makers =
    /\b(?:claude|anthropic|openai|chatgpt|copilot|language model|subagents?|(?:ai|coding) (?:agents?|sessions?))\b/i
  t.same(violations(/./, machine, SELF), [])
  t.same(violations(/./, makers, SELF), [])
})

/** `path:line: text` of each line that matches, in the files whose path matches and is not excepted. */
function violations(paths: RegExp, forbidden: RegExp, except: RegExp | string = /^$/): string[] {
  const isExcepted = (path: string) => (typeof except === 'string' ? path === except : except.test(path))
  return LINES.filter(({ path, text }) => forbidden.test(text) && paths.test(path) && !isExcepted(path)).map(
    (line) => `${place(line)}: ${line.text.trim()}`,
  )
}

function place({ path, number }: Line): string {
  return `${path}:${number}`
}

function layerOf(path: string): string {
  return path.split('/')[1] ?? path
}

/** The position of a layer; one that is not in the table may import nothing, and nobody may import it. */
function rank(layer: string): number {
  const index = LAYERS.indexOf(layer)
  return index === -1 ? Number.NaN : index
}

function findRoot(directory: string): string {
  return readdirSync(directory).includes('package.json') ? directory : findRoot(dirname(directory))
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The text files below a folder, without what a build made; none if the folder does not exist. */
function list(folder: string): string[] {
  try {
    return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return basename(path) === 'build' ? [] : list(path)
      return entry.isFile() && !/\.(?:node|bin|rdb|sst|log|tgz)$/.test(path) ? [path] : []
    })
  } catch {
    return []
  }
}
