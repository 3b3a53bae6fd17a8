/** What JavaScript throws when RocksDB calls it: the process hears of it, as of every other exception. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Test, test } from 'tap'
import { temporaryDirectory } from './support.js'

const BINDING = new URL('../../src/rocksdb/rocksdb.js', import.meta.url).href
const SUPPORT = new URL('./support.js', import.meta.url).href

/** Runs `act` in a process of its own that has a database `db` and lives until `end` is called. */
async function runAlone(t: Test, act: string): Promise<{ stdout: string; stderr: string; code: number }> {
  const script = `
    const { RocksDB } = await import('${BINDING}')
    const { OPTIONS, put } = await import('${SUPPORT}')
    const alive = setInterval(() => {}, 1000)
    const end = () => clearInterval(alive)
    const db = RocksDB.open(process.argv[1] + '/db', OPTIONS)
    ${act}
    put(db, 0, ['a', '1'])
    await db.flush(0)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, temporaryDirectory(t)])
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const [code] = (await once(child, 'close')) as [number]
  return { stdout, stderr, code }
}

test('what a listener throws goes to the handler of uncaught exceptions', async (t) => {
  const { stdout, stderr, code } = await runAlone(
    t,
    `process.on('uncaughtException', (error) => console.log('caught:', error.message))
    db.setListener(({ kind }) => {
      if (kind === 'flushBegin') throw new Error('no flush')
      console.log(kind)
      if (kind === 'flushCompleted') end()
    })`,
  )
  t.equal(stdout, 'caught: no flush\ntableFileCreated\nflushCompleted\n', 'and later events are told')
  t.equal(stderr, '')
  t.equal(code, 0)
})

test('without a handler it ends the process', async (t) => {
  const { stderr, code } = await runAlone(
    t,
    `db.setListener(({ kind }) => {
      if (kind === 'flushBegin') throw new Error('no flush')
      if (kind === 'flushCompleted') end()
    })`,
  )
  t.match(stderr, /Error: no flush/)
  t.equal(code, 1)
})
