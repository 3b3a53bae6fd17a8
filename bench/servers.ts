/** The servers that are compared, each a process of its own with a temporary directory. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Contender {
  readonly name: string
  readonly port: number
  /** CPU seconds of user and system that the process has used. */
  cpuSeconds(): number
  residentBytes(): number
  stop(): Promise<void>
}

/** Clock ticks a second of /proc: fixed by Linux's interface for programs. */
const TICKS = 100
const PAGE_BYTES = 4096
const START_TIMEOUT_MS = 20_000

type Command = (port: number, dir: string) => readonly [string, ...string[]]

const COMMANDS: Readonly<Record<string, Command>> = {
  'kvrocks-ts': (port, dir) => [
    process.execPath,
    join(import.meta.dirname, '../src/cli/main.js'),
    ...['--port', String(port), '--dir', dir, '--log-dir', 'stdout'],
  ],
  'redis-server': (port, dir) => [
    'redis-server',
    ...['--port', String(port), '--dir', dir, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  ],
  kvrocks: (port, dir) => [
    process.env['KVROCKS_BIN'] ?? 'kvrocks',
    ...['--port', String(port), '--dir', dir, '--log-dir', dir, '--workers', '1', '--bind', '127.0.0.1'],
  ],
}

/** Starts one of `kvrocks-ts`, `redis-server`, `kvrocks` on a free port of the loopback. */
export async function start(name: string): Promise<Contender> {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-bench-'))
  const port = await freePort()
  const command = COMMANDS[name]
  if (command === undefined) throw new Error(`no such server: ${name}`)
  const [program, ...words] = command(port, dir)
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  await untilListening(port, child)
  return {
    name,
    port,
    cpuSeconds: () => cpuSeconds(child),
    residentBytes: () => Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES,
    async stop() {
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function cpuSeconds(child: ChildProcess): number {
  // The name, in parentheses, may contain spaces; utime and stime are fields 14 and 15.
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended at once, with code ${child.exitCode}`)
    if (await canConnect(port)) return
    await new Promise((done) => setTimeout(done, 20))
  }
  child.kill('SIGKILL')
  throw new Error(`${child.spawnfile} does not listen after ${START_TIMEOUT_MS} ms`)
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
