import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { anyOption, OPTION_GROUPS, OPTION_NAMES, type OptionName } from '../../src/config/options.js'

const CONF = new URL('../../../conf/kvrocks.conf', import.meta.url)
const text = readFileSync(CONF, 'utf8')

/** One setting as conf/kvrocks.conf presents it. */
interface Entry {
  readonly group: string
  readonly name: string
  /** The line is a comment. */
  readonly off: boolean
  readonly value: string
  /** The comments above it. */
  readonly comments: readonly string[]
}

function readEntries(): Entry[] {
  const entries: Entry[] = []
  let group = ''
  for (const paragraph of text.split('\n\n')) {
    group = /^######## (.+) ########$/m.exec(paragraph)?.[1] ?? group
    const lines = paragraph.trimEnd().split('\n')
    const [, off, name, value] = /^(# )?([a-z0-9][a-z0-9._-]*) (.+)$/.exec(lines.at(-1)!) ?? []
    if (name === undefined || value === undefined || !lines.at(-2)?.startsWith('# [')) continue
    const comments = lines.slice(0, -1).map((line) => line.slice(2))
    entries.push({ group, name, off: off !== undefined, value, comments })
  }
  return entries
}

const entries = readEntries()

/** The line that says what a setting may be. */
function facts(name: OptionName): string {
  const { type, unit, mutable, default: value, format } = anyOption(name)
  const kind = unit === '' || type.startsWith('bytes') ? type : `${type} ${unit}`
  return `[${kind}; default ${format(value) || 'empty'}; ${mutable ? 'CONFIG SET' : 'fixed at start'}]`
}

test('conf/kvrocks.conf presents every option of the table, by group, and no other', (t) => {
  const expected = Object.entries(OPTION_GROUPS).flatMap(([group, options]) =>
    Object.keys(options).map((name) => `${group}: ${name}`),
  )
  t.strictSame(
    entries.map(({ group, name }) => `${group}: ${name}`),
    expected,
  )
  t.strictSame(entries.map(({ name }) => name).sort(), OPTION_NAMES)
  t.end()
})

test('conf/kvrocks.conf says of each option what the table says', (t) => {
  for (const { name, off, value, comments } of entries) {
    const option = anyOption(name as OptionName)
    t.equal(comments[0], option.doc, name)
    t.equal(comments.at(-1), facts(name as OptionName), name)
    t.equal(off ? undefined : value, option.shipped, `${name}: what is set`)
    const standard = option.format(option.default)
    if (off && standard !== '') t.equal(value, standard, `${name}: the line shows the default`)
  }
  t.end()
})

test('the examples of conf/kvrocks.conf are valid', (t) => {
  for (const { name, off, value } of entries) {
    const exclusive = name === 'compaction-checker-range' || name === 'dir'
    if (off && !exclusive) t.doesNotThrow(() => loadConfig({ text: `dir /tmp\n${name} ${value}` }), name)
  }
  t.end()
})

test('conf/kvrocks.conf loads without a warning', (t) => {
  const warnings: string[] = []
  const config = loadConfig({ text, overrides: [['dir', '/tmp']], warn: (line) => warnings.push(line) })
  t.strictSame(warnings, [])
  for (const name of OPTION_NAMES) {
    const { shipped, format, default: value } = anyOption(name)
    const inDir = ['dir', 'backup-dir', 'pidfile', 'log-dir'].includes(name)
    if (!inDir) t.equal(config.text(name), shipped ?? format(value), name)
  }
  t.end()
})
