/**
 * A lock between processes: a file that names its holder by process id and start time, since ids are given out again.
 * One whose holder died holds nothing.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { say } from './say.mjs'
import { changedAt } from './stamp.mjs'

const POLL_MS = 200
/** So long a file may stay empty, or a dead lock's removal take: both are a matter of microseconds. */
const STEP_MS_MAX = 10_000

/**
 * Runs `work` while no other process holds the lock at `path`. It does nothing if it had to wait and `isDone` says then
 * that the other one has done the work.
 *
 * @param {string} path
 * @param {() => boolean} isDone
 * @param {() => Promise<void>} work
 */
export async function withLock(path, isDone, work) {
  while (!create(path, `${process.pid} ${startOf(String(process.pid))}`)) {
    await waitForHolder(path)
    if (isDone()) return
  }
  try {
    await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** Returns when the lock was given back, or its dead holder's was removed. @param {string} path */
async function waitForHolder(path) {
  let isTold = false
  for (let holder = read(path); holder !== undefined; holder = read(path)) {
    if (!holds(path, holder)) return removeDead(path, holder)
    if (!isTold) say(`waiting for process ${holder.split(' ')[0]}, which does the same (it holds ${path})`)
    isTold = true
    await setTimeout(POLL_MS)
  }
}

/** @param {string} path @param {string} holder */
function holds(path, holder) {
  const [pid = '', ...start] = holder.split(' ')
  // The holder is about to write it, or could not.
  if (pid === '') return Date.now() - changedAt(path) < STEP_MS_MAX
  return start.join(' ') !== '' && start.join(' ') === startOf(pid)
}

/**
 * Looks again and removes it, one process at a time: else a second one that found the holder dead would remove the lock
 * that the first one made since.
 *
 * @param {string} path
 * @param {string} holder
 */
function removeDead(path, holder) {
  const guard = `${path}.dead`
  if (!create(guard, '')) {
    if (Date.now() - changedAt(guard) > STEP_MS_MAX) rmSync(guard, { force: true })
    return
  }
  try {
    if (read(path) === holder) rmSync(path)
  } finally {
    rmSync(guard, { force: true })
  }
}

/** When a process began, in whatever unit the system tells; '' if there is none, or only its remains. @param {string} pid */
function startOf(pid) {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'lstart=', '-p', pid], { encoding: 'utf8' }).stdout.trim()
  // The fields after the program's name, which is in parentheses and may hold any byte: state, …, start time.
  const [state = '', ...rest] = (read(`/proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ')
  return /[ZX]/.test(state) ? '' : (rest[18] ?? '')
}

/** Creates a file; false if it is there. @param {string} path @param {string} text */
function create(path, text) {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
