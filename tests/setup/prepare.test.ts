/** What `npm run build` does, and so `npm start` and `npm test` before they begin. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { Clone } from '../support/clone.js'
import { eventually } from '../support/eventually.js'

const NPM_CI = 'npm ci --include=dev --include=optional --no-audit --no-fund'
const LOCK = '.prepare.lock'

test('what is stale is made once, in this order', async (t) => {
  const clone = new Clone(t)
  clone.write('src/scripting/binding.gyp', '{}')
  t.equal((await clone.run('build.mjs')).code, 0)
  t.same(clone.noted(), [NPM_CI, 'node-gyp', 'tsc'])
  t.same(await clone.run('build.mjs'), { code: 0, output: '' })
  t.same(clone.noted(), [])
})

test('who may not write what is stale gets a sentence', async (t) => {
  const clone = new Clone(t)
  const lock = join(clone.root, LOCK)
  t.same(await clone.run('build.mjs', { byOther: true }), {
    code: 1,
    output: `kvrocks-ts: the build in ${clone.root} is stale and cannot be written: EACCES: permission denied, open '${lock}'\n`,
  })
  t.same(clone.noted(), [])
})

test('a system that refuses to write is no fault of the setup, other errors are', async (t) => {
  const clone = new Clone(t)
  const run = (error: object) =>
    clone.run(`import { explainUnwritable, runMain } from '${clone.root}/src/setup/say.mjs'
      const error = Object.assign(new Error('why'), ${JSON.stringify(error)})
      await runMain(() => explainUnwritable('it', async () => { throw error }))`)
  for (const code of ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']) {
    t.same(await run({ code, syscall: 'open' }), { code: 1, output: 'kvrocks-ts: it cannot be written: why\n' })
  }
  for (const error of [{ code: 'ENOENT', syscall: 'open' }, { code: 'EACCES', syscall: 'spawn g++' }, {}]) {
    t.match((await run(error)).output, /at file:/)
  }
})

test('of two that find it stale, the second waits and does nothing', async (t) => {
  const clone = new Clone(t)
  const env = { CLONE_GATE: join(clone.root, 'gate') }
  const first = clone.start('build.mjs', { env })
  await eventually(() => readFileSync(join(clone.root, 'log'), 'utf8') || undefined)
  const second = clone.start('build.mjs', { env })
  const waiting = `kvrocks-ts: waiting for process ${first.child.pid}, which does the same (it holds ${join(clone.root, LOCK)})\n`
  await eventually(() => second.output().includes(waiting) || undefined)
  clone.write('gate', '')
  t.same(await second.ended, { code: 0, output: waiting })
  t.same(await first.ended, { code: 0, output: 'kvrocks-ts: installing npm packages\n' })
  t.same(clone.noted(), [NPM_CI, 'tsc'])
  t.notOk(existsSync(join(clone.root, LOCK)))
})

test('a preparation that fails gives its lock back', async (t) => {
  const clone = new Clone(t)
  clone.program('npm', '#!/bin/sh\nexit 7\n')
  t.equal((await clone.run('build.mjs')).code, 1)
  t.notOk(existsSync(join(clone.root, LOCK)))
})

test('a lock whose holder is gone is taken over, by one of all who wait', async (t) => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const holders: Readonly<Record<string, string>> = {
    'its process ended': `${dead} 1`,
    'its process id was given out again': `${process.pid} 1`,
    'nobody wrote who holds it': '',
  }
  for (const [name, holder] of Object.entries(holders)) {
    t.test(name, async (t) => {
      const clone = new Clone(t)
      clone.write(LOCK, holder)
      utimesSync(join(clone.root, LOCK), 1, 1)
      const runs = await Promise.all([1, 2, 3].map(() => clone.run('build.mjs')))
      t.same(
        runs.map(({ code }) => code),
        [0, 0, 0],
      )
      t.same(clone.noted(), [NPM_CI, 'tsc'])
      t.notOk(existsSync(join(clone.root, LOCK)))
      t.notOk(existsSync(join(clone.root, `${LOCK}.dead`)))
    })
  }
})

test('a dead holder that nobody has waited for holds nothing', {
  skip: process.platform !== 'linux' && 'no /proc',
}, async (t) => {
  const clone = new Clone(t)
  // Its parent has become a `sleep`, which does not ask for its end.
  const script = '(until [ -e gate ]; do sleep 0.02; done) & echo $!; exec sleep 600'
  const parent = spawn('sh', ['-c', script], { cwd: clone.root, stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => parent.kill())
  const [text] = (await once(parent.stdout, 'data')) as [Buffer]
  const readOf = (pid: string | number | undefined, file: string) => readFileSync(`/proc/${pid}/${file}`, 'latin1')
  await eventually(() => readOf(parent.pid, 'comm') === 'sleep\n' || undefined)
  clone.write('gate', '')
  const pid = String(text).trim()
  const stat = await eventually(() => / Z .*/.exec(readOf(pid, 'stat'))?.[0])
  clone.write(LOCK, `${pid} ${stat.trim().split(' ')[19]}`)
  t.equal((await clone.run('build.mjs')).code, 0)
  t.same(clone.noted(), [NPM_CI, 'tsc'])
})
