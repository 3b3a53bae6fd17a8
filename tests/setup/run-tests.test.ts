import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'

const RUNNER = new URL('../../../src/setup/run-tests.mjs', import.meta.url).href
const TAP = import.meta.resolve('tap')

const PASSES = `test('passes', async (t) => { t.equal(1, 1) })`

interface Case {
  readonly name: string
  readonly body: string
  readonly last: string
  readonly shown?: RegExp
}

const CASES: readonly Case[] = [
  { name: 'assertions that hold make one case of their test', body: PASSES, last: '1 passed, 0 failed' },
  {
    name: 'a test that only has tests in it is no case',
    body: `test('table', async (t) => { for (const n of [1, 2]) t.test('row ' + n, async (u) => u.equal(n, 1)) })`,
    last: '1 passed, 1 failed',
    shown: /a\.test\.ts > table > row 2\n/,
  },
  {
    name: 'a test that throws fails',
    body: `${PASSES}; test('throws', async () => { throw new Error('broken') })`,
    last: '1 passed, 1 failed',
    shown: /not ok: broken/,
  },
  {
    name: 'a crash fails the test and the file',
    body: `${PASSES}; test('dies', async (t) => { t.ok(1); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) })`,
    last: '1 passed, 2 failed',
    shown: /was ended by SIGKILL/,
  },
  {
    name: 'an early exit with code 0 fails',
    body: `${PASSES}; test('leaves', async (t) => { t.ok(1); process.exit(0) })`,
    last: '1 passed, 1 failed',
    shown: /test unfinished/,
  },
  {
    name: 'an exit code fails the file even if each test passed',
    body: `${PASSES}; process.on('exit', () => { process.exitCode = 3 })`,
    last: '1 passed, 1 failed',
    shown: /exited with code 3/,
  },
  {
    name: 'a file that does not load fails, and its message is shown',
    body: `import 'nothing-of-that-name'`,
    last: '0 passed, 1 failed',
    shown: /Cannot find package 'nothing-of-that-name'/,
  },
  { name: 'a file without a case fails', body: '', last: '0 passed, 1 failed', shown: /has no case/ },
  {
    name: 'a skipped test is listed, and neither passed nor failed',
    body: `${PASSES}; test('later', { skip: 'no such platform' }, async () => {})`,
    last: '1 passed, 0 failed',
    shown: /^skipped: .*later: no such platform$/m,
  },
]

test('the runner counts what happened', { jobs: 2 }, async (t) => {
  for (const { name, body, last, shown } of CASES) {
    t.test(name, async (t) => {
      const { code, lines, output } = await runFile(t, body)
      t.equal(lines.at(-1), last)
      t.equal(code, last.endsWith(' 0 failed') ? 0 : 1)
      if (shown) t.match(output, shown)
    })
  }
})

/** Runs the runner on one test file. */
async function runFile(t: Test, body: string): Promise<{ code: number; lines: string[]; output: string }> {
  const root = mkdtempSync(join(tmpdir(), 'run-tests-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'dist/tests'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'dist/tests/a.test.js'), `import { test } from '${TAP}'\n${body}\n`)
  const script = `import { runTests } from '${RUNNER}'; process.exit((await runTests(process.cwd(), [])) ? 0 : 1)`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: root })
  const { code, stdout } = await run.then(
    (result) => ({ code: 0, ...result }),
    (error: { code: number; stdout: string }) => error,
  )
  return { code, lines: stdout.trimEnd().split('\n'), output: stdout }
}
