/** When the setup finds an addon stale. */
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { Clone } from '../support/clone.js'

/** A clone whose addon was built with the cached RocksDB. */
async function builtWithCache(t: Test): Promise<Clone> {
  const clone = new Clone(t)
  clone.write('src/rocksdb/binding.gyp', '{}')
  const recipe = `import { cacheDirectory } from '${clone.root}/src/setup/rocksdb-recipe.mjs'; console.error(cacheDirectory())`
  const cached = (await clone.run(recipe)).output.trim()
  t.ok(cached.startsWith(join(clone.root, 'home')))
  clone.write(`${cached.slice(clone.root.length)}/lib/librocksdb.a`, '')
  const { code, output } = await clone.run('build.mjs')
  t.equal(code, 0)
  t.match(output, `building the addon in src/rocksdb with the RocksDB in ${cached}\n`)
  clone.noted()
  return clone
}

test('an addon that holds the cached RocksDB serves a user who has no such cache and may write nothing', async (t) => {
  const clone = await builtWithCache(t)
  const HOME = join(clone.root, 'elsewhere')
  t.same(await clone.run('build.mjs', { env: { HOME }, byOther: true }), { code: 0, output: '' })
  t.same(clone.noted(), [])
})

test('an addon that holds the cached RocksDB is stale', async (t) => {
  const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'where the system’s is asked for': { KVROCKS_ROCKSDB_DIR: '' },
    'where another is asked for': { KVROCKS_ROCKSDB_DIR: '/opt/rocksdb' },
    'on a machine for which it would be compiled otherwise': { KVROCKS_MARCH: '-march=other' },
  }
  for (const [name, env] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const clone = await builtWithCache(t)
      t.equal((await clone.run('build.mjs', { env: { HOME: join(clone.root, 'elsewhere'), ...env } })).code, 0)
      t.same(clone.noted(), ['node-gyp'])
    })
  }
  t.test('when its sources have changed', async (t) => {
    const clone = await builtWithCache(t)
    clone.write('src/rocksdb/binding.gyp', '{ }')
    t.equal((await clone.run('build.mjs', { env: { HOME: join(clone.root, 'elsewhere') } })).code, 0)
    t.same(clone.noted(), ['node-gyp'])
  })
})
