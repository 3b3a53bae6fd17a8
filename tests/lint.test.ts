/** Biome and the type checker have nothing to say. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('Biome finds nothing', async (t) => {
  t.same(run('node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off'), { status: 0, output: '' })
})

test('the setup scripts, which are not compiled, have right types', async (t) => {
  t.same(run('node_modules/typescript/bin/tsc', '-p', 'src/setup/tsconfig.json'), { status: 0, output: '' })
})

/** The exit code of a Node program, and what it wrote if that is not 0. */
function run(program: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: ROOT, encoding: 'utf8' })
  return { status, output: status === 0 ? '' : stdout + stderr }
}
