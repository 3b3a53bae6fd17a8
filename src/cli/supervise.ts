/** Service managers that want to know when the server is ready. Source: kvrocks src/cli/daemon_util.h. */
import { execFile } from 'node:child_process'
import type { ConfigValues } from '../config/options.js'
import type { Log } from '../log/log.js'

export type Supervisor = 'upstart' | 'systemd'

/**
 * The service manager that runs this process, if the setting asks for one and the environment shows it. Takes its
 * variable out of the environment, so that children do not report in our name.
 */
export function findSupervisor(mode: ConfigValues['supervised'], log: Log): FoundSupervisor | undefined {
  const { UPSTART_JOB: job, NOTIFY_SOCKET: socket } = process.env
  const wanted = mode === 'auto' ? (job !== undefined ? 'upstart' : socket !== undefined ? 'systemd' : 'no') : mode
  switch (wanted) {
    case 'no':
      return undefined
    case 'upstart':
      if (job === undefined) log.warning('upstart supervision requested, but UPSTART_JOB not found')
      delete process.env['UPSTART_JOB']
      return job === undefined ? undefined : { supervisor: 'upstart', socket: '' }
    case 'systemd':
      if (socket === undefined) log.warning('systemd supervision requested, but NOTIFY_SOCKET not found')
      delete process.env['NOTIFY_SOCKET']
      return socket === undefined ? undefined : { supervisor: 'systemd', socket }
  }
}

export interface FoundSupervisor {
  readonly supervisor: Supervisor
  /** The notification socket of systemd. */
  readonly socket: string
}

/** Tells the service manager that the server is ready. A failure is logged; the server goes on. */
export async function reportReady({ supervisor, socket }: FoundSupervisor, log: Log): Promise<void> {
  if (supervisor === 'upstart') {
    log.info('supervised by upstart, will stop to signal readiness')
    process.kill(process.pid, 'SIGSTOP')
    return
  }
  const failure = await notifySystemd(socket)
  if (failure === undefined) log.info('supervised by systemd, readiness signalled')
  else log.warning(`Cannot send notification to systemd: ${failure}`)
}

/**
 * Node has no Unix datagram sockets, so systemd's own tool sends the message. As it comes from another process, the
 * unit needs NotifyAccess=all.
 */
function notifySystemd(socket: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, NOTIFY_SOCKET: socket }
    execFile('systemd-notify', [`--pid=${process.pid}`, '--ready'], { env, timeout: 5000 }, (error, _, stderr) => {
      resolve(error === null ? undefined : stderr.trim() || error.message)
    })
  })
}
