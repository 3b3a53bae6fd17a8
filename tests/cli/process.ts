/** Running the command line as a process, with what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const FIXTURE = fileURLToPath(new URL('./fixture.js', import.meta.url))

export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'cli-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface Run {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly out: { stdout: string; stderr: string }
  /** Fulfilled at its end, with the exit code or the signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

export interface RunOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly script?: string
}

/** Starts the fixture; a process that is left at the end of the test is killed. */
export function run(
  t: Test,
  words: readonly string[],
  { input = '', env = {}, script = FIXTURE }: RunOptions = {},
): Run {
  const child = spawn(process.execPath, [script, ...words], { env: { ...process.env, ...env } })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => {
    out.stdout += data
  })
  child.stderr.on('data', (data) => {
    out.stderr += data
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, out, ended }
}

/** What a server at `port` says to a new connection; undefined where none listens. */
export function greeting(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text === '' ? undefined : text))
    socket.on('error', () => {})
  })
}

/** Asks again and again, as for a real process there is no clock to move, until the answer is not undefined. */
export async function eventually<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it did not happen within 10 s')
}
