/** `npm run rocksdb`, with a compiler that only makes files. */
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Test, test } from 'tap'
import { Clone } from '../support/clone.js'

const COMPILER = `#!/bin/sh
echo "c++" >> "$CLONE_LOG"
while [ $# -gt 1 ]; do shift; done
: > "$1"
`

const ARCHIVER = `#!/bin/sh
echo "ar" >> "$CLONE_LOG"
: > "$2"
`

/** A clone with the source of one file fetched, and the path of the directory to build, relative to the clone. */
async function fetched(t: Test): Promise<{ clone: Clone; target: string }> {
  const clone = new Clone(t)
  clone.program('c++', COMPILER)
  clone.program('ar', ARCHIVER)
  const recipe = `import { cacheDirectory } from '${clone.root}/src/setup/rocksdb-recipe.mjs'; console.error(cacheDirectory())`
  const target = (await clone.run(recipe)).output.trim().slice(clone.root.length + 1)
  const tree = `${target}.partial/package/deps/rocksdb`
  clone.write(`${tree}/rocksdb.gyp`, '  "rocksdb/db/db.cc",\n')
  clone.write(`${tree}/rocksdb/include/rocksdb/db.h`, '')
  return { clone, target }
}

test('what remains is what a build of the addon needs', async (t) => {
  const { clone, target } = await fetched(t)
  const { code, output } = await clone.run('rocksdb.mjs')
  t.equal(code, 0)
  t.match(output, /the optimised RocksDB \S+ stands in \S+: the next build of the addon links it\n$/)
  t.same(clone.noted(), ['c++', 'c++', 'ar'])
  t.same(readdirSync(dirname(join(clone.root, target))), [target.split('/').at(-1)])
  t.same(readdirSync(join(clone.root, target)).sort(), ['include', 'lib', 'libs'])
  t.equal((await clone.run('rocksdb.mjs')).code, 0)
  t.same(clone.noted(), [])
})

test('whole before anything is deleted: who breaks off there has it, and the next run deletes the rest', async (t) => {
  const { clone, target } = await fetched(t)
  const objects = join(clone.root, `${target}.partial`, 'objects')
  // Deleting fails in this one, which stands for any end in the midst of it.
  clone.write(`${target}.partial/objects/kept/file`, '')
  for (const folder of [
    'home',
    'home/.cache',
    'home/.cache/kvrocks-ts',
    `${target}.partial`,
    `${target}.partial/objects`,
  ]) {
    chmodSync(join(clone.root, folder), 0o777)
  }
  chmodSync(join(objects, 'kept'), 0o555)
  const { code, output } = await clone.run('rocksdb.mjs', { byOther: true })
  t.equal(code, 1)
  t.match(output, new RegExp(`^kvrocks-ts: ${join(clone.root, target)} cannot be written: EACCES: .*objects/kept`, 'm'))
  t.ok(existsSync(join(clone.root, target, 'lib/librocksdb.a')))
  t.equal(
    readFileSync(join(clone.root, target, 'libs'), 'utf8')
      .split(' ')[0]
      ?.slice(0, 2),
    '-l',
  )
  chmodSync(join(clone.root, target, 'objects/kept'), 0o755)
  clone.noted()
  t.equal((await clone.run('rocksdb.mjs')).code, 0)
  t.same(clone.noted(), [])
  t.same(readdirSync(join(clone.root, target)).sort(), ['include', 'lib', 'libs'])
})
