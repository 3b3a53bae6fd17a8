/**
 * Runs tap's test files, each in a process of its own, one a CPU at a time, and counts.
 *
 * tap's own runner is not used: it needs TypeScript's old compiler interface, which TypeScript 7 does not have, unless
 * it first rebuilds a part of node_modules. The files do not notice: a tap test is a program that prints TAP.
 *
 * What is counted is the case: a `test()` that asserts something itself. A file that crashes, hangs, or ends otherwise
 * than it reports is one failed case more. Skipped cases are listed and count as neither.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { Parser } from 'tap-parser'
import { listFiles } from './stamp.mjs'

/** After this long tap ends a file, unless it asks for more by t.setTimeout: for hangs, not for slow machines. */
const TAP_TIMEOUT_SECONDS = 600
/** The limit for a file that tap cannot end. */
const FILE_TIMEOUT_MS = 30 * 60_000
const STDERR_LINES_MAX = 60

/**
 * What one test file did.
 *
 * @typedef {object} Report
 * @property {string} file
 * @property {number} passedCount
 * @property {string[]} failures each with its details, several lines
 * @property {string[]} skips
 * @property {number} elapsedMs
 */

/**
 * Runs the compiled test files, prints one line for each and at last `N passed, N failed`.
 *
 * @param {string} root
 * @param {readonly string[]} texts run only files whose path contains one of them; all if there are none
 * @returns {Promise<boolean>} whether something passed and nothing failed
 */
export async function runTests(root, texts) {
  const folder = join(root, 'dist')
  const files = listFiles(join(folder, 'tests'), /\.test\.js$/).map((path) => relative(folder, path))
  const todo = files.filter((file) => texts.length === 0 || texts.some((text) => file.includes(text)))
  /** @type {Report[]} */
  const reports = []
  const worker = async () => {
    for (let file = todo.shift(); file; file = todo.shift()) {
      const report = await runFile(root, folder, file)
      reports.push(report)
      print(report)
    }
  }
  await Promise.all(Array.from({ length: Number(process.env['KVROCKS_JOBS']) || availableParallelism() }, worker))
  for (const skip of reports.flatMap(({ skips }) => skips)) console.log(`skipped: ${skip}`)
  const passedCount = reports.reduce((sum, report) => sum + report.passedCount, 0)
  const failedCount = reports.reduce((sum, report) => sum + report.failures.length, 0)
  console.log(`${passedCount} passed, ${failedCount} failed`)
  return passedCount > 0 && failedCount === 0
}

/** @param {Report} report */
function print({ file, passedCount, failures, elapsedMs }) {
  const seconds = (elapsedMs / 1000).toFixed(1)
  const counts = `${passedCount} passed${failures.length > 0 ? `, ${failures.length} failed` : ''}`
  console.log(`${failures.length > 0 ? 'FAIL' : 'ok  '} ${file} (${counts}, ${seconds} s)`)
  for (const failure of failures) console.log(failure.replace(/^/gm, '     '))
}

/** Process groups of the files that run: they end with this process. @type {Set<number>} */
const groups = new Set()
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    for (const group of groups) endGroup(group)
    process.exit(1)
  })
}

/** Ends what is left of a process group. @param {number} group */
function endGroup(group) {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nothing is left of it, which is the rule.
  }
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {string} file
 * @returns {Promise<Report>}
 */
function runFile(root, folder, file) {
  /** @type {Report} */
  const report = { file: file.replace(/\.js$/, '.ts'), passedCount: 0, failures: [], skips: [], elapsedMs: 0 }
  const startedAt = performance.now()
  const child = spawn(process.execPath, [join(folder, file)], {
    cwd: root,
    detached: true,
    env: { ...process.env, TAP_TIMEOUT: String(TAP_TIMEOUT_SECONDS) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = child.pid ?? 0
  groups.add(group)
  const parser = new Parser()
  watch(parser, report.file, report)
  child.stdout.pipe(parser)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    stderr += text
  })
  let end = ''
  const timer = setTimeout(() => {
    end = `did not end within ${FILE_TIMEOUT_MS / 1000} s`
    endGroup(group)
  }, FILE_TIMEOUT_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      endGroup(group)
      groups.delete(group)
      if (code !== 0) end ||= signal ? `was ended by ${signal}` : `exited with code ${code}`
    })
    parser.on('complete', ({ ok }) => {
      // The streams close after the process, or together with the last process that inherited them.
      if (child.exitCode === null && child.signalCode === null) child.once('exit', () => settle(ok))
      else settle(ok)
    })
    const settle = (/** @type {boolean} */ ok) => {
      report.elapsedMs = performance.now() - startedAt
      const isExplained = report.failures.length > 0 && !/was ended by|did not/.test(end)
      if ((end || !ok) && !isExplained) report.failures.push(`${report.file} ${end || 'broke off its report'}`)
      if (report.failures.length === 0 && report.passedCount === 0 && report.skips.length === 0) {
        report.failures.push(`${report.file} has no case`)
      }
      if (report.failures.length > 0 && stderr) report.failures[0] += `\n${lastLines(stderr)}`
      resolve(report)
    }
  })
}

/**
 * Follows the TAP of one test() and of those inside it.
 *
 * @param {Parser} parser
 * @param {string} name
 * @param {Report} report
 */
function watch(parser, name, report) {
  let assertionCount = 0
  let childCount = 0
  const failuresBefore = report.failures.length
  /** @type {string[]} */
  const failed = []
  parser.on('child', (child) => {
    childCount += 1
    watch(child, `${name} > ${child.name}`, report)
  })
  parser.on('assert', (result) => {
    if (result.skip || result.todo) report.skips.push(`${name} > ${result.name}: ${result.skip || result.todo}`)
    else if (!result.closingTestPoint) {
      assertionCount += 1
      if (!result.ok) failed.push(describe(result))
    }
  })
  parser.on('complete', ({ ok }) => {
    if (failed.length > 0) report.failures.push(`${name}\n${failed.join('\n').replace(/^/gm, '  ')}`)
    else if (!ok && parser.parent && report.failures.length === failuresBefore)
      report.failures.push(`${name} broke off`)
    else if (assertionCount > 0 || (childCount === 0 && parser.parent)) report.passedCount += 1
  })
}

/** @param {import('tap-parser').Result} result */
function describe({ name, diag }) {
  const at = diag?.at ? ` (${diag.at.fileName}:${diag.at.lineNumber})` : ''
  const { at: _at, source: _source, ...rest } = diag ?? {}
  const details = rest.diff ?? rest.stack ?? (Object.keys(rest).length > 0 ? JSON.stringify(rest) : '')
  return `not ok: ${name}${at}${details ? `\n${String(details).trimEnd().replace(/^/gm, '  ')}` : ''}`
}

/** @param {string} text */
function lastLines(text) {
  return text.trimEnd().split('\n').slice(-STDERR_LINES_MAX).join('\n')
}
