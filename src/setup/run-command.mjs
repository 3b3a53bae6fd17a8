/** Child processes for the setup scripts. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/**
 * Runs a command to its end and returns what it wrote to stdout and stderr, in the order of arrival.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options] `show`: pass the output on as it comes
 *   (to stderr, so that a server's stdout stays its own)
 * @returns {Promise<{ code: number, output: string }>} 127 if the command does not exist, 128 + n if signal n ended it
 */
export function runCommand(file, args, { cwd, env, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output += text
        if (show) process.stderr.write(text)
      })
    }
    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'ENOENT') resolve({ code: 127, output: `${file}: command not found\n` })
      else reject(error)
    })
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), output }),
    )
  })
}

/** What compilers, then node-gyp, then npm and the rest write before what is wrong. */
const ERROR_LINES = [/: (?:fatal )?error:? .*/, /\w*Error: .*/, /\berror\b.*/i]

/** The line of a tool's output that says best what is wrong, else the last one. @param {string} output */
export function firstError(output) {
  const lines = output.trim().split('\n')
  for (const pattern of ERROR_LINES) {
    const line = lines.find((text) => pattern.test(text))
    if (line !== undefined) return line.trim()
  }
  return lines.at(-1) ?? ''
}
