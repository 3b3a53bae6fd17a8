/** Running in the background. */
import { spawn } from 'node:child_process'

/** Tells the process that it is the one in the background. */
const MARK = 'KVROCKS_TS_IN_BACKGROUND'

/** Whether this process was started by `startInBackground`. Forgets it, so that children do not inherit the mark. */
export function takeBackgroundMark(): boolean {
  const marked = process.env[MARK] !== undefined
  delete process.env[MARK]
  return marked
}

/** What the process in the background tells the one that waits for it. */
export type Report = { readonly ready: true } | { readonly failure: string }

/** Tells the waiting process how the start went, and lets it go. Nothing happens where none waits. */
export function reportToParent(report: Report): void {
  if (process.send === undefined || !process.connected) return
  process.send(report, undefined, {}, () => {
    if (process.connected) process.disconnect()
  })
}

export interface BackgroundOptions {
  /** What the process is to find on standard input, if anything. */
  readonly input: string | undefined
  /** A descriptor that it inherits under the same number; -1 = none. */
  readonly inheritedFd: number
}

/**
 * Starts this program with the same arguments in a session of its own, without a terminal, and waits until it is ready.
 * Returns undefined, or why it failed. (Node cannot fork a running process.)
 */
export function startInBackground({ input, inheritedFd }: BackgroundOptions): Promise<string | undefined> {
  const ignored = (): 'ignore'[] => Array.from({ length: Math.max(3, inheritedFd + 1) }, () => 'ignore' as const)
  const stdio: ('ignore' | 'pipe' | 'ipc' | number)[] = [...ignored(), 'ipc']
  if (input !== undefined) stdio[0] = 'pipe'
  if (inheritedFd > 2) stdio[inheritedFd] = inheritedFd
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio,
    env: { ...process.env, [MARK]: '1' },
  })
  child.stdin?.end(input)
  return new Promise((resolve) => {
    const finish = (failure: string | undefined): void => {
      child.removeAllListeners()
      if (child.connected) child.disconnect()
      child.unref()
      resolve(failure)
    }
    child.on('error', (error) => finish(error.message))
    child.on('exit', (code, signal) => finish(`the process in the background ended early (${signal ?? code})`))
    child.on('message', (report: Report) => finish('failure' in report ? report.failure : undefined))
  })
}
