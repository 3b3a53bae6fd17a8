/** Which packages of npm the setup finds missing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { Clone, type Package } from '../support/clone.js'

const NPM_CI = 'npm ci --include=dev --include=optional --no-audit --no-fund'
const HERE = { os: [process.platform], cpu: [process.arch] }

const OPTIONAL: readonly { name: string; entry: Omit<Package, 'version' | 'optional'>; isWanted: boolean }[] = [
  { name: 'for this machine', entry: HERE, isWanted: true },
  { name: 'for another system', entry: { ...HERE, os: ['plan9'] }, isWanted: false },
  { name: 'for another processor', entry: { ...HERE, cpu: ['vax'] }, isWanted: false },
  { name: 'for another C library', entry: { os: ['linux'], cpu: [process.arch], libc: ['musl'] }, isWanted: false },
  { name: 'for any machine', entry: {}, isWanted: false },
]

test('an optional package that was not fetched is fetched if it is for this machine', async (t) => {
  for (const { name, entry, isWanted } of OPTIONAL) {
    t.test(name, async (t) => {
      const clone = new Clone(t)
      await clone.run('build.mjs')
      clone.noted()
      clone.demand({ 'node_modules/binary': { version: '1.0.0', optional: true, ...entry } })
      t.equal((await clone.run('build.mjs')).code, 0)
      t.equal(clone.noted().includes(NPM_CI), isWanted)
    })
  }
})

test('a package that npm left out is named, and npm is run again next time', async (t) => {
  const clone = new Clone(t)
  const registry = 'registry/.package-lock.json'
  const before = readFileSync(join(clone.root, registry), 'utf8')
  clone.demand({ 'node_modules/@typescript/binary': { version: '7.0.2', optional: true, ...HERE } })
  clone.write(registry, before)
  for (let round = 0; round < 2; round++) {
    const { code, output } = await clone.run('build.mjs')
    t.equal(code, 1)
    t.equal(
      output,
      'kvrocks-ts: installing npm packages\nkvrocks-ts: npm ci left out what it could not fetch: @typescript/binary\n',
    )
    t.same(clone.noted(), [NPM_CI])
  }
})

test("a note of npm's that is cut off counts as none", async (t) => {
  const clone = new Clone(t)
  clone.write('node_modules/.package-lock.json', '{"pack')
  t.equal((await clone.run('build.mjs')).code, 0)
  t.same(clone.noted(), [NPM_CI, 'tsc'])
})
