/**
 * coverage.tsv answers each case of Kvrocks's own suite (tests/gocase): file and name of the case, then our file and
 * test, or `-` and the reason why it has none. reference-cases.tsv lists the cases: those of October 2024, then those
 * that later versions added, up to 2.17. Where several of a file have one name, the later ones are numbered.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

interface Answer {
  /** File and name of the reference's case. */
  readonly referenceCase: string
  /** Our file; `-` if there is none. */
  readonly file: string
  /** Our test, or the reason. */
  readonly name: string
}

const CASES: readonly string[] = readLines('tests/integration/reference-cases.tsv')
const ANSWERS: readonly Answer[] = readLines('tests/integration/coverage.tsv').map((line) => {
  const [referenceFile, referenceName, file = '', name = ''] = line.split('\t')
  return { referenceCase: `${referenceFile}\t${referenceName}`, file, name }
})
const COVERED = ANSWERS.filter(({ file }) => file !== '-')

test('each case of the reference has one answer, in the order of the reference', async (t) => {
  t.same(
    ANSWERS.map(({ referenceCase }) => referenceCase),
    CASES,
  )
  t.equal(new Set(CASES).size, CASES.length)
  t.same(
    ANSWERS.filter(({ file, name }) => file === '' || name === ''),
    [],
  )
})

test('each answer names a test that there is', async (t) => {
  const names = new Map<string, (name: string) => boolean>()
  const stale = COVERED.filter(({ file, name }) => {
    if (!names.has(file)) names.set(file, namesOfTests(file))
    return !names.get(file)?.(name)
  })
  t.same(stale, [])
})

test('README tells how many cases are answered by tests', async (t) => {
  const told = /(\S+) of (?:its|the) (\S+) cases/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))
  t.same(
    told?.slice(1),
    [COVERED.length, CASES.length].map((count) => count.toLocaleString('en')),
  )
})

function readLines(path: string): string[] {
  return readFileSync(join(ROOT, path), 'utf8').trimEnd().split('\n')
}

/** Literals of the tests: what may be put into the name of a test. */
const TEXTS: ReadonlySet<string> = new Set([...allTests().matchAll(/'([^'\\\n]{1,60})'/g)].map(([, text = '']) => text))

function allTests(): string {
  const paths = readdirSync(join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' })
  const sources = paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(ROOT, 'tests', path), 'utf8'))
  return sources.join('\n')
}

/** Tests and transcripts in a file, and the names in its tables of cases. */
const DECLARATIONS = [
  /\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g,
  /^ +(['"])((?:\\.|(?!\1).)*)\1: (?:String\.raw)?`/gm,
  /\bname: (['"])((?:\\.|(?!\1).)*)\1/g,
]

/** Says of a name whether a test of the file has it. What a name puts in by `${…}` is some literal of the tests. */
function namesOfTests(file: string): (name: string) => boolean {
  const source = readFileSync(join(ROOT, file), 'utf8')
  const declared = DECLARATIONS.flatMap((declaration) => [...source.matchAll(declaration)])
  const plain = new Set(declared.map(([, quote, name = '']) => (quote === '`' ? name : name.replace(/\\(.)/g, '$1'))))
  const patterns = declared
    .filter(([, quote, name = '']) => quote === '`' && name.includes('${'))
    .map(
      ([, , name = '']) =>
        new RegExp(
          `^${name
            .split(/\$\{[^}]*\}/)
            .map(quoted)
            .join('(.+)')}$`,
        ),
    )
  return (name) =>
    plain.has(name) ||
    patterns.some((pattern) =>
      pattern
        .exec(name)
        ?.slice(1)
        .every((text) => TEXTS.has(text)),
    )
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
