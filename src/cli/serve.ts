/** A server process from its settings to its end. Source: kvrocks src/cli/main.cc. */

import type { Config } from '../config/config.js'
import { logTarget } from '../config/derived.js'
import { ConfigError, loadConfig, readConfigFile } from '../config/load.js'
import { systemReason } from '../files/system-error.js'
import { describeError, type Log } from '../log/log.js'
import { ServerLog } from '../log/server-log.js'
import type { ServeArguments } from './arguments.js'
import { reportToParent, startInBackground, takeBackgroundMark } from './daemon.js'
import { findBusyPort } from './ports.js'
import { openFilesWarning, removePidFile, writePidFile } from './process-files.js'
import { type FoundSupervisor, findSupervisor, reportReady } from './supervise.js'

/** A server that accepts connections. */
export interface RunningServer {
  /** The TCP port that it listens on; 0 where it listens on none. */
  readonly port: number
  /** Answers what has arrived, closes all connections and the database. */
  close(): Promise<void>
}

export interface StartOptions {
  readonly config: Config
  readonly log: Log
  /** The server calls it to end the process, as for SHUTDOWN. */
  readonly stop: () => void
}

/** What the command line needs of the server. */
export interface ServerProgram {
  /** One line: versions. */
  readonly version: string
  /** Whether a command of this lower-case name exists. */
  readonly isCommand: (name: string) => boolean
  /** Opens the database and listens. */
  start(options: StartOptions): Promise<RunningServer>
}

const NO_FILE =
  'WARNING: No config file specified, default configuration applied. In order to specify a config file, use `kvrocks-ts -c /path/to/kvrocks.conf`.\n'

/** Runs a server until a signal, or the server itself, ends it. Returns the exit code. */
export async function serve(given: ServeArguments, program: ServerProgram): Promise<number> {
  const inBackground = takeBackgroundMark()
  let settings: Settings
  try {
    settings = readSettings(given, program)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return fail(`Failed to load config. Error: ${error.message}`)
  }
  const { config } = settings
  const log = openLog(config)
  const supervisor = inBackground ? undefined : findSupervisor(config.values.supervised, log)
  const busyPort = inBackground ? undefined : await findBusyPort(config)
  if (busyPort !== undefined) {
    log.error(`Could not create server TCP since the specified port[${busyPort}] is already in use`)
    return 1
  }
  if (config.values.daemonize && supervisor === undefined && !inBackground) {
    const input = given.configFile === '-' ? settings.text : undefined
    const failure = await startInBackground({ input, inheritedFd: config.values['socket-fd'] })
    return failure === undefined ? 0 : fail(failure, process.stderr)
  }
  return runWithPidFile(config, log, program, supervisor)
}

interface Settings {
  readonly config: Config
  readonly text: string
}

function readSettings({ configFile, overrides }: ServeArguments, { isCommand }: ServerProgram): Settings {
  if (configFile === undefined) process.stdout.write(NO_FILE)
  const { text, path } = configFile === undefined ? { text: '', path: undefined } : readConfigFile(configFile)
  const warn = (line: string): void => {
    process.stdout.write(`${line}\n`)
  }
  return { config: loadConfig({ text, path, overrides, isCommand, warn }), text }
}

/** For the operator at the terminal, and for the process that waits for us as one in the background. */
function fail(text: string, stream: NodeJS.WriteStream = process.stdout): number {
  stream.write(`${text}\n`)
  reportToParent({ failure: text })
  return 1
}

/** The log as the settings want it; without standard output, errors go to the terminal besides the files. */
function openLog(config: Config): ServerLog {
  const { directory, stdout } = logTarget(config.values)
  const log = new ServerLog({
    directory,
    print: (entry, level) => {
      if (stdout) process.stdout.write(entry)
      else if (level === 'error' || level === 'fatal') process.stderr.write(entry)
    },
    level: config.values['log-level'],
    retentionDays: config.values['log-retention-days'],
    onFailure: (entry) => process.stderr.write(entry),
  })
  config.onChange('log-level', (values) => log.setLevel(values['log-level']))
  config.onChange('log-retention-days', (values) => log.setRetentionDays(values['log-retention-days']))
  return log
}

async function runWithPidFile(
  config: Config,
  log: ServerLog,
  program: ServerProgram,
  supervisor: FoundSupervisor | undefined,
): Promise<number> {
  const { pidfile } = config.values
  log.info(program.version)
  try {
    writePidFile(pidfile)
  } catch (error) {
    return failToStart(log, `Failed to create pidfile: ${systemReason(error)}`)
  }
  process.once('exit', () => removePidFile(pidfile))
  try {
    return await run(config, log, program, supervisor)
  } finally {
    removePidFile(pidfile)
    log.close()
  }
}

function failToStart(log: Log, text: string): number {
  log.error(text)
  reportToParent({ failure: text })
  return 1
}

async function run(
  config: Config,
  log: ServerLog,
  program: ServerProgram,
  supervisor: FoundSupervisor | undefined,
): Promise<number> {
  const end = new EndOfProcess(log)
  const warning = openFilesWarning(config.values.maxclients, config.values['rocksdb.max_open_files'])
  if (warning !== undefined) log.warning(warning)
  let server: RunningServer
  try {
    server = await program.start({ config, log, stop: () => end.request('SHUTDOWN') })
  } catch (error) {
    return failToStart(log, `Failed to start server: ${error instanceof Error ? error.message : String(error)}`)
  }
  log.info(`ready: ${describeListeners(config, server.port)}`)
  if (supervisor !== undefined) await reportReady(supervisor, log)
  reportToParent({ ready: true })
  await end.requested
  try {
    await server.close()
    log.info('Bye Bye')
    return 0
  } catch (error) {
    log.error(`Failed to close: ${describeError(error)}`)
    return 1
  }
}

function describeListeners({ binds, values }: Config, port: number): string {
  const tcp = values['socket-fd'] === -1 ? binds.map((address) => `${address} port ${port}`) : [`port ${port}`]
  const tls = values['tls-port'] === 0 ? [] : [`TLS port ${values['tls-port']}`]
  const unix = values.unixsocket === '' ? [] : [values.unixsocket]
  return [...tcp, ...tls, ...unix].join(', ')
}

/** Ctrl-C under npm arrives twice, from the terminal and from npm; only a later signal is impatience. */
const SAME_REQUEST_MS = 1000

/** Signals, and errors that nobody caught. */
class EndOfProcess {
  /** Fulfilled when the process is to end in good order. */
  readonly requested: Promise<void>
  #end: () => void = () => {}
  #requestedAtMs: number | undefined
  readonly #log: Log

  constructor(log: ServerLog) {
    this.#log = log
    this.requested = new Promise((resolve) => {
      this.#end = resolve
    })
    process.on('SIGTERM', () => this.request('SIGTERM'))
    process.on('SIGINT', () => this.request('SIGINT'))
    process.on('SIGHUP', () => {
      log.reopen()
      log.info('SIGHUP: log opened anew')
    })
    process.on('uncaughtException', (error) => {
      // What threw is unknown, so nothing in memory can be trusted; what was acknowledged is in the WAL.
      log.fatal(`Uncaught error: ${describeError(error)}`)
      reportToParent({ failure: error.message })
      process.exit(1)
    })
  }

  request(reason: string): void {
    const nowMs = performance.now()
    if (this.#requestedAtMs !== undefined) {
      if (nowMs - this.#requestedAtMs < SAME_REQUEST_MS) return
      this.#log.warning(`${reason} while closing: ending at once`)
      process.exit(1)
    }
    this.#requestedAtMs = nowMs
    this.#log.info(`${reason}: closing`)
    this.#end()
  }
}
