import { chmodSync, existsSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { type Test, test } from 'tap'
import { USAGE } from '../../src/cli/arguments.js'
import { freePort } from '../support/free-port.js'
import { eventually, greeting, type Run, run, temporaryDirectory } from './process.js'

interface Server extends Run {
  readonly directory: string
  readonly port: number
}

/** Starts a server with logs in its directory and waits until it answers. */
async function serve(t: Test, ...words: string[]): Promise<Server> {
  const directory = temporaryDirectory(t)
  const port = await freePort()
  const running = run(t, ['--dir', directory, '--port', String(port), ...words])
  await eventually(() => existsSync(join(directory, 'kvrocks.pid')) || undefined)
  await eventually(() => log(directory).includes('] ready: ') || undefined)
  return { ...running, directory, port }
}

const log = (directory: string, level = 'INFO'): string => {
  const path = join(directory, `kvrocks.${level}`)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

test('version, help and misuse', async (t) => {
  const version = run(t, ['-v'])
  t.equal(await version.ended, 0)
  t.equal(version.out.stdout, 'fixture 1.2.3\n')
  const help = run(t, ['server', '--help'])
  t.equal(await help.ended, 0)
  t.equal(help.out.stdout, USAGE)
  for (const [words, reason] of [
    [['bogus'], "'bogus' is neither an option nor a command"],
    [['-c'], "'-c' needs a value"],
    [['--port'], "'--port' needs a value"],
    [['--', 'x'], "'--' is neither an option nor a command"],
    [['-x', 'y'], "'-x' is neither an option nor a command"],
  ] as const) {
    const misuse = run(t, words)
    t.equal(await misuse.ended, 1, words.join(' '))
    t.equal(misuse.out.stdout, USAGE, words.join(' '))
    t.equal(misuse.out.stderr, `kvrocks-ts: ${reason}\n`)
  }
})

test('settings that do not allow a start end it with code 1', async (t) => {
  const directory = temporaryDirectory(t)
  const missing = join(directory, 'missing.conf')
  const one = run(t, ['-c', missing])
  t.equal(await one.ended, 1)
  t.equal(one.out.stdout, `Failed to load config. Error: failed to open file '${missing}': No such file or directory\n`)
  const two = run(t, ['-c', '-'], { input: `dir ${directory}\nrename-command set x\n` })
  t.equal(await two.ended, 1)
  t.equal(
    two.out.stdout,
    'Failed to load config. Error: at line #L2: rename-command is invalid: No such command in rename-command\n',
  )
})

test('without a file the defaults apply, and a line says so', async (t) => {
  const { out } = await serve(t)
  t.match(out.stdout, /^WARNING: No config file specified, default configuration applied\./)
})

test('SIGTERM and SIGINT close the server, remove the pid file, and exit 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, ended, directory, port } = await serve(t)
    t.equal(readFileSync(join(directory, 'kvrocks.pid'), 'utf8'), String(child.pid))
    t.equal(await greeting(port), `hello from ${child.pid}\n`)
    child.kill(signal)
    t.equal(await ended, 0, signal)
    t.notOk(existsSync(join(directory, 'kvrocks.pid')))
    t.match(
      log(directory),
      new RegExp(
        `fixture 1\\.2\\.3\n.*listening\n.*ready: 127\\.0\\.0\\.1 port ${port}\n.*${signal}: closing\n.*Bye Bye\n$`,
      ),
    )
    t.equal(await greeting(port), undefined)
  }
})

test('signals that arrive together count as one, a later one ends a slow close at once', async (t) => {
  const { child, ended, directory } = await serve(t, '--db-name', 'slow')
  child.kill('SIGINT')
  await eventually(() => log(directory).includes('closing') || undefined)
  child.kill('SIGINT')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  t.equal(child.exitCode, null)
  child.kill('SIGTERM')
  t.equal(await ended, 1)
  t.match(log(directory), /SIGTERM while closing: ending at once\n$/)
  t.notOk(existsSync(join(directory, 'kvrocks.pid')))
})

test('the server may end the process itself', async (t) => {
  const { ended, port, directory } = await serve(t, '--db-name', 'stops')
  await greeting(port)
  t.equal(await ended, 0)
  t.match(log(directory), /SHUTDOWN: closing\n.*Bye Bye\n$/)
})

test('an error that nobody caught is logged with its stack and ends the process with code 1', async (t) => {
  const { ended, port, directory, out } = await serve(t, '--db-name', 'breaks')
  await greeting(port)
  t.equal(await ended, 1)
  t.match(log(directory, 'FATAL'), /Uncaught error: TypeError: a bug\n {4}at /)
  t.match(out.stderr, /Uncaught error: TypeError: a bug/)
  t.notOk(existsSync(join(directory, 'kvrocks.pid')))
})

test('a server that cannot start says why in the log and on the terminal', async (t) => {
  const directory = temporaryDirectory(t)
  const { ended, out } = run(t, ['--dir', directory, '--db-name', 'refuses', '--port', '0'])
  t.equal(await ended, 1)
  t.match(log(directory, 'ERROR'), /Failed to start server: database is locked\n$/)
  t.match(out.stderr, /Failed to start server: database is locked\n$/)
  t.notOk(existsSync(join(directory, 'kvrocks.pid')))
})

test('a port in use is refused before anything else is touched', async (t) => {
  const directory = temporaryDirectory(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { ended, out } = run(t, ['--dir', directory, '--port', String(port), '--log-dir', 'stdout'])
  t.equal(await ended, 1)
  const reason = `Could not create server TCP since the specified port[${port}] is already in use`
  t.match(out.stdout.split('\n').at(-2), new RegExp(`^E\\d{8} .*\\] ${reason.replace(/[[\]]/g, '\\$&')}$`))
})

test('a pid file that cannot be written ends the start', async (t) => {
  const directory = temporaryDirectory(t)
  const { ended, out } = run(t, ['--dir', directory, '--port', '0', '--pidfile', join(directory, 'no', 'pid')])
  t.equal(await ended, 1)
  t.match(out.stderr, /Failed to create pidfile: No such file or directory\n$/)
})

test('SIGHUP opens the log anew', async (t) => {
  const { child, directory } = await serve(t)
  const file = join(directory, readlinkSync(join(directory, 'kvrocks.INFO')))
  renameSync(file, `${file}.moved`)
  child.kill('SIGHUP')
  await eventually(() => log(directory).includes('SIGHUP: log opened anew') || undefined)
  t.match(readFileSync(`${file}.moved`, 'utf8'), /ready: 127\.0\.0\.1 port \d+\n$/)
})

test('daemonize returns when the server is ready, and leaves it running', async (t) => {
  const directory = temporaryDirectory(t)
  const port = await freePort()
  const settings = `dir ${directory}\nport ${port}\ndaemonize yes\n`
  const { ended, child } = run(t, ['-c', '-'], { input: settings })
  t.equal(await ended, 0)
  const pid = Number(readFileSync(join(directory, 'kvrocks.pid'), 'utf8'))
  t.teardown(() => {
    if (existsSync(join(directory, 'kvrocks.pid'))) process.kill(pid, 'SIGKILL')
  })
  t.not(pid, child.pid)
  t.equal(await greeting(port), `hello from ${pid}\n`)
  process.kill(pid, 'SIGTERM')
  await eventually(() => !existsSync(join(directory, 'kvrocks.pid')) || undefined)
  await eventually(() => log(directory).includes('Bye Bye') || undefined)
})

test('daemonize says why the server did not start', async (t) => {
  const directory = temporaryDirectory(t)
  const words = ['--dir', directory, '--port', '0', '--daemonize', 'yes', '--db-name', 'refuses']
  const { ended, out } = run(t, words)
  t.equal(await ended, 1)
  t.equal(out.stderr, 'Failed to start server: database is locked\n')
})

test('systemd hears that the server is ready, and daemonize is ignored', async (t) => {
  const directory = temporaryDirectory(t)
  const port = await freePort()
  const heard = join(directory, 'heard')
  const tool = join(directory, 'systemd-notify')
  writeFileSync(tool, `#!/bin/sh\necho "$NOTIFY_SOCKET" "$@" > ${heard}\n`)
  chmodSync(tool, 0o755)
  const { child, ended } = run(
    t,
    ['--dir', directory, '--port', String(port), '--supervised', 'auto', '--daemonize', 'yes'],
    { env: { NOTIFY_SOCKET: '/run/x', PATH: `${directory}${delimiter}${process.env['PATH']}` } },
  )
  await eventually(() => log(directory).includes('readiness signalled') || undefined)
  t.equal(readFileSync(heard, 'utf8'), `/run/x --pid=${child.pid} --ready\n`)
  t.equal(await greeting(port), `hello from ${child.pid}\n`)
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})

test('supervision that the environment does not show is a warning', async (t) => {
  const directory = temporaryDirectory(t)
  const env = { NOTIFY_SOCKET: undefined, UPSTART_JOB: undefined }
  for (const [mode, variable] of [
    ['systemd', 'NOTIFY_SOCKET'],
    ['upstart', 'UPSTART_JOB'],
  ] as const) {
    const words = ['--dir', directory, '--port', '0', '--db-name', 'refuses', '--supervised', mode]
    t.equal(await run(t, words, { env }).ended, 1)
    t.match(log(directory, 'WARNING'), `${mode} supervision requested, but ${variable} not found`)
  }
})

test('upstart is told by a stop', async (t) => {
  const directory = temporaryDirectory(t)
  const { child, ended } = run(t, ['--dir', directory, '--port', '0', '--supervised', 'upstart'], {
    env: { UPSTART_JOB: 'x' },
  })
  const state = (): string => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? ''
  await eventually(() => state() === 'T' || undefined)
  child.kill('SIGCONT')
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})
