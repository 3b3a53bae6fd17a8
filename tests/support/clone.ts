/** A clone in a temporary directory: the real setup scripts, and programs that only note that they were run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const SETUP = fileURLToPath(new URL('../../../src/setup', import.meta.url))
const NOBODY = 65534

/** An entry of package-lock.json. */
export interface Package {
  readonly version: string
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

export interface Run {
  readonly child: ChildProcess
  /** What it has written to stderr so far. */
  output(): string
  readonly ended: Promise<{ code: number | null; output: string }>
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Run by a user who may write nothing here that is not everybody's to write. */
  readonly byOther?: boolean
}

const NOTE = `import { appendFileSync } from 'node:fs'
const note = (text) => appendFileSync(process.env.CLONE_LOG, text + '\\n')
`

/** npm's `ci` waits for the file CLONE_GATE, if that is set, and takes node_modules from `registry`. */
const NPM = `#!/bin/sh
[ "$1" = ci ] || exit 0
echo "npm $*" >> "$CLONE_LOG"
while [ -n "$CLONE_GATE" ] && [ ! -e "$CLONE_GATE" ]; do sleep 0.02; done
rm -rf node_modules && cp -R registry node_modules
`

export class Clone {
  readonly root: string
  private readonly log: string

  constructor(t: Test) {
    this.root = mkdtempSync(join(tmpdir(), 'clone-'))
    t.teardown(() => rmSync(this.root, { recursive: true }))
    chmodSync(this.root, 0o755)
    this.log = join(this.root, 'log')
    cpSync(SETUP, join(this.root, 'src/setup'), { recursive: true })
    this.write('log', '')
    this.write('package.json', '{"type":"module"}')
    this.write('tsconfig.json', '{}')
    this.demand({})
    this.write(
      'registry/typescript/bin/tsc',
      `${NOTE}import { mkdirSync } from 'node:fs'\nmkdirSync('${this.root}/dist', { recursive: true })\nnote('tsc')\n`,
    )
    this.write(
      'registry/node-gyp/bin/node-gyp.js',
      `${NOTE}import { mkdirSync } from 'node:fs'\nmkdirSync('build', { recursive: true })\nnote('node-gyp')\n`,
    )
    this.program('npm', NPM)
    for (const name of ['sudo', 'apt-get', 'brew']) this.program(name, '#!/bin/sh\n')
  }

  /** Writes package-lock.json, and a registry that has all of it. */
  demand(optional: Readonly<Record<string, Package>>): void {
    const text = JSON.stringify({ packages: { '': {}, 'node_modules/typescript': { version: '7.0.2' }, ...optional } })
    this.write('package-lock.json', text)
    this.write('registry/.package-lock.json', text)
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true })
    writeFileSync(join(this.root, path), text)
  }

  /** A program that stands before the system's on the PATH. */
  program(name: string, text: string): void {
    this.write(`bin/${name}`, text)
    chmodSync(join(this.root, 'bin', name), 0o755)
  }

  /** What the programs noted since the last call. */
  noted(): string[] {
    const lines = readFileSync(this.log, 'utf8').split('\n').slice(0, -1)
    writeFileSync(this.log, '')
    return lines
  }

  /** Runs one of the setup scripts, or a program text that may import them. */
  start(script: string, { env, byOther = false }: RunOptions = {}): Run {
    const isRoot = process.getuid?.() === 0
    const program = script.endsWith('.mjs') ? `await import('${this.root}/src/setup/${script}')` : script
    const asOther = byOther && isRoot ? `process.setgid(${NOBODY}); process.setuid(${NOBODY})\n` : ''
    const { KVROCKS_ROCKSDB_DIR: _dir, KVROCKS_MARCH: _march, XDG_CACHE_HOME: _cache, ...inherited } = process.env
    const child = spawn(process.execPath, ['--input-type=module', '-e', asOther + program], {
      cwd: this.root,
      env: {
        ...inherited,
        PATH: `${join(this.root, 'bin')}:${process.env['PATH']}`,
        HOME: join(this.root, 'home'),
        CLONE_LOG: this.log,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
      child.once('close', (code) => resolve({ code, output }))
    })
    return { child, output: () => output, ended }
  }

  /** `start`, to its end. */
  async run(script: string, options: RunOptions = {}): Promise<{ code: number | null; output: string }> {
    const isMine = options.byOther === true && process.getuid?.() !== 0
    const folders = isMine ? ['', 'dist', 'src/rocksdb/build'].filter((name) => existsSync(join(this.root, name))) : []
    const setMode = (mode: number) => {
      for (const folder of folders) chmodSync(join(this.root, folder), mode)
    }
    setMode(0o555)
    const result = await this.start(script, options).ended
    setMode(0o755)
    return result
  }
}
