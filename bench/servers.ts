/** The servers that are compared, each a process of its own with a temporary directory. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const OURS = 'kvrocks-ts'
/** See floor.ts. */
export const FLOOR = 'floor'
/** The program, as users start it. */
export const BIN = join(import.meta.dirname, '../../bin/kvrocks-ts')

export interface Contender {
  readonly name: string
  readonly port: number
  readonly process: ChildProcess
  /** Milliseconds from the start of the process until it answered. */
  readonly readyMs: number
  /** CPU seconds of user and system that the process has used. */
  cpuSeconds(): number
  residentBytes(): number
  /** Ends it in good order. Its directory is removed, unless it was given. */
  stop(): Promise<void>
}

/** Clock ticks a second of /proc: fixed by Linux's interface for programs. */
const TICKS = 100
const PAGE_BYTES = 4096
const START_TIMEOUT_MS = 60_000
const RETRY_MS = 2
/** What bin/kvrocks-ts asks for is as good for the floor, and nothing to the others, which have their own allocators. */
const HUGE_PAGES = /GLIBC_TUNABLES=(\S+)/.exec(readFileSync(BIN, 'latin1'))?.[1]?.replace(/\$.*?:/, '') ?? ''

type Command = (port: number, dir: string) => readonly [string, ...string[]]

const COMMANDS: Readonly<Record<string, Command>> = {
  [OURS]: (port, dir) => [BIN, ...['--port', String(port), '--dir', dir, '--log-dir', 'stdout']],
  'redis-server': (port, dir) => [
    'redis-server',
    ...['--port', String(port), '--dir', dir, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  ],
  [FLOOR]: (port, dir) => [
    process.execPath,
    ...[join(import.meta.dirname, 'floor.js'), '--port', String(port), '--dir', dir],
  ],
  kvrocks: (port, dir) => [
    process.env['KVROCKS_BIN'] ?? 'kvrocks',
    ...['--port', String(port), '--dir', dir, '--log-dir', dir, '--workers', '1', '--bind', '127.0.0.1'],
  ],
}

export interface StartOptions {
  /** Its working directory, which is then kept at the end; a temporary one if not given. */
  readonly dir?: string
  /** Flags of Node.js, for our own server. */
  readonly nodeFlags?: readonly string[]
  /** Settings of the server, such as `--workers 1`. */
  readonly settings?: readonly string[]
  /** What descriptor 3 of the process is to be. */
  readonly descriptor3?: 'pipe'
  /** The directory of a control group that the process is to begin in. */
  readonly cgroup?: string
  /** Variables of its environment, beside ours. */
  readonly environment?: Readonly<Record<string, string>>
}

/** The names of those that ours is compared with. */
export function peerNames(): string[] {
  return ['redis-server', ...(process.env['KVROCKS_BIN'] === undefined ? [] : ['kvrocks'])]
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'kvrocks-ts-bench-'))
}

/** Starts one of `kvrocks-ts`, `redis-server`, `kvrocks` on a free port of the loopback, and waits until it answers. */
export async function start(name: string, options: StartOptions = {}): Promise<Contender> {
  const dir = options.dir ?? temporaryDirectory()
  const port = await freePort()
  const command = [...commandOf(name, port, dir, options.nodeFlags ?? []), ...(options.settings ?? [])]
  const [program = '', ...words] = options.cgroup === undefined ? command : inGroup(options.cgroup, command)
  const startMs = performance.now()
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'inherit', options.descriptor3 ?? 'ignore'],
    env: { GLIBC_TUNABLES: HUGE_PAGES, ...process.env, ...options.environment },
  })
  await untilAnswering(port, child)
  return {
    name,
    port,
    process: child,
    readyMs: performance.now() - startMs,
    cpuSeconds: () => cpuSeconds(child),
    residentBytes: () => Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES,
    async stop() {
      await endProcess(child)
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Asks a process to end, and waits until it has. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await ended
}

function commandOf(name: string, port: number, dir: string, nodeFlags: readonly string[]): [string, ...string[]] {
  const command = COMMANDS[name]
  if (command === undefined) throw new Error(`no such server: ${name}`)
  const [program, ...words] = command(port, dir)
  return nodeFlags.length === 0 ? [program, ...words] : [process.execPath, ...nodeFlags, program, ...words]
}

/** The shell joins the group, and becomes the command. */
function inGroup(directory: string, command: readonly string[]): string[] {
  return ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', directory, ...command]
}

function cpuSeconds(child: ChildProcess): number {
  // The name, in parentheses, may contain spaces; utime and stime are fields 14 and 15.
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function untilAnswering(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended at once, with code ${child.exitCode}`)
    if (await answers(port)) return
    await new Promise((done) => setTimeout(done, RETRY_MS))
  }
  child.kill('SIGKILL')
  throw new Error(`${child.spawnfile} does not answer after ${START_TIMEOUT_MS} ms`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (reply) => {
      socket.destroy()
      resolve(reply.toString('latin1').startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
    socket.once('end', () => resolve(false))
  })
}
