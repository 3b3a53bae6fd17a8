/** The cases of tcl-compat, written in the words of Redis's Tcl suite: each that its runner counts is one here. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { t as tap, test } from 'tap'

const RUNNER = fileURLToPath(new URL('../../tcl-compat/run', import.meta.url))
const TIMEOUT_MS = 300_000

tap.setTimeout(2 * TIMEOUT_MS)

interface Outcome {
  readonly kind: string
  readonly file: string
  readonly name: string
  readonly detail: string
}

test('tcl-compat/run', { timeout: TIMEOUT_MS }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-tcl-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const report = join(dir, 'report.tsv')
  const { output, code } = await run(['--report', report])
  const outcomes = readReport(report)
  for (const { kind, file, name, detail } of outcomes) {
    await t.test(`${file}: ${name}`, async (one) => {
      if (kind === 'skip') one.pass(name, { skip: detail })
      else if (kind === 'known') one.pass(name, { skip: 'known.tsv says why' })
      else one.ok(kind === 'ok', detail)
    })
  }
  const failedCount = outcomes.filter(({ kind }) => kind === 'fail').length
  t.equal(code, failedCount === 0 ? 0 : 1, output.slice(-2000))
  t.match(output, new RegExp(`^\\d+ passed, ${failedCount} failed, .*`, 'm'))
})

test('tcl-compat/run says what it cannot do', async (t) => {
  t.same(await run(['no/such/file']), { code: 2, output: 'tcl-compat/run: no test file no/such/file\n' })
  t.same(await run(['--no-such-option']), {
    code: 2,
    output: 'tcl-compat/run: --no-such-option is no option; see --help\n',
  })
})

test('a failing case, a known deviation and one that is gone are told apart', { timeout: TIMEOUT_MS }, async (t) => {
  const { code, output } = await run(['--known', fixture('known.tsv'), fixture('deviations.tcl')])
  t.equal(code, 1)
  t.match(output, /^1 passed, 3 failed, 1 known deviations, 1 skipped/m)
  t.match(output, /the deviation does not occur any more; take it out of known\.tsv: passes/)
  t.match(output, /an error outside of a case/)
})

test('a reply is not late when the client itself stood still', async (t) => {
  const script = `source ${join(RUNNER, '../lib/client.tcl')}; set ::redis::timeoutMs 500
    puts [[redis 127.0.0.1 $env(PORT)] ping]`
  const server = createServer((socket) => {
    socket.once('data', () => {
      setTimeout(() => client.kill('SIGSTOP'), 100)
      setTimeout(() => client.kill('SIGCONT'), 700)
      setTimeout(() => socket.end('+PONG\r\n'), 800)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = spawn('tclsh', { env: { ...process.env, PORT: String(port) } })
  t.teardown(() => {
    client.kill('SIGKILL')
    server.close()
  })
  client.stdin.end(script)
  let output = ''
  for (const stream of [client.stdout, client.stderr]) stream.on('data', (text) => (output += text))
  await once(client, 'close')
  t.equal(output, 'PONG\n')
})

function fixture(name: string): string {
  return join(RUNNER, '../fixture', name)
}

function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(RUNNER, args, { timeout: TIMEOUT_MS, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr })
    })
  })
}

function readReport(path: string): Outcome[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => {
    const [kind = '', file = '', name = '', detail = ''] = line.split('\t')
    return { kind, file, name, detail }
  })
}
