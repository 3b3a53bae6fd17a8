import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { freePort } from '../support/free-port.js'
import { eventually, type Run, run, temporaryDirectory } from './process.js'

const PROGRAM = fileURLToPath(new URL('../../../bin/kvrocks-ts', import.meta.url))

/** Sends inline commands and returns all that comes back until the server closes the connection after QUIT. */
function ask(port: number, ...commands: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write([...commands, 'QUIT', ''].join('\r\n')))
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text === '' ? undefined : text))
    socket.on('error', () => {})
  })
}

/** Starts bin/kvrocks-ts as a test-suite of Kvrocks does: a file of settings, then PING until it answers. */
async function start(t: Test, directory: string, port: number, ...words: string[]): Promise<Run> {
  const file = join(directory, 'kvrocks.conf')
  if (!existsSync(file)) writeFileSync(file, `bind 127.0.0.1\nport ${port}\ndir ${directory}\n`)
  const running = run(t, ['-c', file, ...words], { script: PROGRAM })
  t.equal(await eventually(() => ask(port, 'PING')), '+PONG\r\n+OK\r\n')
  return running
}

test('it serves, ends on SIGTERM with code 0, and has everything after a restart', async (t) => {
  const directory = temporaryDirectory(t)
  const port = await freePort()
  const first = await start(t, directory, port)
  t.equal(await ask(port, 'SET a 1', 'INCR a'), '+OK\r\n:2\r\n+OK\r\n')
  first.child.kill('SIGTERM')
  t.equal(await first.ended, 0)
  const second = await start(t, directory, port)
  t.equal(await ask(port, 'GET a'), '$1\r\n2\r\n+OK\r\n')
  second.child.kill('SIGINT')
  t.equal(await second.ended, 0)
  t.match(readFileSync(join(directory, 'kvrocks.INFO'), 'utf8'), /ready: 127\.0\.0\.1 port \d+\n.*SIGINT/)
})

test('what was acknowledged survives kill -9, and the stale pid file is replaced', async (t) => {
  const directory = temporaryDirectory(t)
  const port = await freePort()
  const first = await start(t, directory, port)
  t.equal(await ask(port, 'SET a 1'), '+OK\r\n+OK\r\n')
  first.child.kill('SIGKILL')
  t.equal(await first.ended, 'SIGKILL')
  const pidFile = join(directory, 'kvrocks.pid')
  writeFileSync(pidFile, '1234567890')
  const second = await start(t, directory, port)
  t.equal(readFileSync(pidFile, 'utf8'), String(second.child.pid))
  t.equal(await ask(port, 'GET a'), '$1\r\n1\r\n+OK\r\n')
})

test('two servers cannot share a directory', async (t) => {
  const directory = temporaryDirectory(t)
  await start(t, directory, await freePort())
  const second = run(t, ['--dir', directory, '--port', '0', '--pidfile', join(directory, 'second.pid')], {
    script: PROGRAM,
  })
  t.equal(await second.ended, 1)
  t.match(second.out.stderr, /Failed to start server: .*lock/i)
})

test('the version names the program and its RocksDB', async (t) => {
  const { ended, out } = run(t, ['--version'], { script: PROGRAM })
  t.equal(await ended, 0)
  t.match(out.stdout, /^kvrocks-ts \d+\.\d+\.\d+ \(.*RocksDB \d+\.\d+\.\d+.*\)\n$/)
})

test('a clone that was not built says so', async (t) => {
  const directory = temporaryDirectory(t)
  const copy = join(directory, 'bin', 'kvrocks-ts')
  mkdirSync(dirname(copy))
  copyFileSync(PROGRAM, copy)
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  const { ended, out } = run(t, ['-v'], { script: copy })
  t.equal(await ended, 1)
  t.equal(out.stderr, 'kvrocks-ts is not built yet: run "npm start" once, or "npm run build".\n')
})

test('npm start and the program ask for the same kind of memory', async (t) => {
  const asked = (text: string): string | undefined => /GLIBC_TUNABLES=(\S+) /.exec(text)?.[1]?.replace(/[{}]/g, '')
  const program = asked(readFileSync(PROGRAM, 'latin1'))
  t.equal(asked(readFileSync(join(dirname(PROGRAM), '../package.json'), 'latin1')), program)
  // With and without one that is there already: no item is malformed, and none is the last but ours.
  t.match(program, /^(?:[a-z_.]+=\d+:)+\$GLIBC_TUNABLES:[a-z_.]+=\d+$/)
})
