/** The README's recipes for reading the feed, run as they stand but for the port. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { startServer } from '../support/server.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
/** PYTHON names an interpreter that has redis-py. */
const PYTHON = process.env['PYTHON'] ?? 'python3'
const GO = process.env['GO'] ?? 'go'
const GO_ENV = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local' }

/** The code block of that language which reads the feed. */
function recipe(language: string): string {
  const section = README.slice(README.indexOf('### Reading it'))
  return new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section)?.[1] ?? ''
}

/** Runs a program until it has printed so many lines; `beforeLast` is called when one is left. */
async function linesOf(
  count: number,
  command: string,
  words: string[],
  cwd: string,
  beforeLast: () => void,
): Promise<string[]> {
  const child = spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  let errors = ''
  child.stderr.on('data', (part: Buffer) => {
    errors += part.toString()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let isLast = false
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString()
    if (!isLast && text.split('\n').length === count) {
      isLast = true
      beforeLast()
    }
    if (text.split('\n').length > count) child.kill()
  })
  await ended
  return [...text.split('\n').slice(0, count), ...(text.split('\n').length > count ? [] : [errors])]
}

async function check(
  t: Test,
  run: (port: number, dir: string, beforeLast: () => void) => Promise<string[]>,
  first: readonly string[],
): Promise<void> {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  await s.run('hset', 'h', 'f', 1)
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-recipe-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  // When the program has read what was there, however long it takes to start.
  const remove = (): void => void s.run('del', 'a')
  t.same(await run(s.port, dir, remove), [...first, 'delete a'])
}

// Before any server runs, for it takes a while.
const goProbe = mkdtempSync(join(tmpdir(), 'kvrocks-ts-go-'))
const missingGo = buildGo(goProbe, 6666) || false
rmSync(goProbe, { recursive: true })

const missingRedisPy = spawnSync(PYTHON, ['-c', 'import redis']).status === 0 ? false : `${PYTHON} has no redis-py`

test('the recipe for Python', { skip: missingRedisPy }, async (t) => {
  const run = (port: number, dir: string, beforeLast: () => void): Promise<string[]> => {
    writeFileSync(join(dir, 'recipe.py'), recipe('python').replace('6666', String(port)))
    return linesOf(3, PYTHON, ['recipe.py'], dir, beforeLast)
  }
  await check(t, run, ['put a', 'put h'])
})

function buildGo(dir: string, port: number): string {
  writeFileSync(join(dir, 'main.go'), recipe('go').replace('6666', String(port)))
  writeFileSync(join(dir, 'go.mod'), 'module recipe\n\ngo 1.21\n')
  const versions = spawnSync(GO, ['list', '-m', '-f', '{{.Dir}}', 'github.com/redis/go-redis/v9'], {
    cwd: dir,
    env: GO_ENV,
  })
  if (versions.error !== undefined) return 'go is not installed'
  const cache = spawnSync(GO, ['env', 'GOMODCACHE'], { env: GO_ENV }).stdout.toString().trim()
  const known = spawnSync('ls', [join(cache, 'cache/download/github.com/redis/go-redis/v9/@v')]).stdout.toString()
  const version = /(v9\.\d+\.\d+)\.zip\n/.exec(known)?.[1]
  if (version === undefined) return 'the module cache of Go has no go-redis: go get github.com/redis/go-redis/v9'
  spawnSync(GO, ['get', `github.com/redis/go-redis/v9@${version}`], { cwd: dir, env: GO_ENV })
  const built = spawnSync(GO, ['build', '-o', 'recipe', '.'], { cwd: dir, env: GO_ENV })
  return built.status === 0 ? '' : `it cannot be built: ${built.stderr}`
}

test('the recipe for Go', { skip: missingGo }, async (t) => {
  const run = (port: number, dir: string, beforeLast: () => void): Promise<string[]> => {
    buildGo(dir, port)
    return linesOf(3, join(dir, 'recipe'), [], dir, beforeLast)
  }
  await check(t, run, ['put a', 'put h'])
})

test('the recipe for TypeScript', async (t) => {
  const run = (port: number, dir: string, beforeLast: () => void): Promise<string[]> => {
    const text = recipe('ts').replace('6666', String(port))
    writeFileSync(join(dir, 'recipe.mjs'), text)
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    spawnSync('mkdir', [join(dir, 'node_modules')])
    symlinkSync(ROOT, join(dir, 'node_modules/kvrocks-ts'))
    return linesOf(3, process.execPath, ['recipe.mjs'], dir, beforeLast)
  }
  await check(t, run, ['put a', 'put h'])
})
