/**
 * Takes one request through the checks, in Kvrocks's order, and runs its command. The order decides which of several
 * errors a client sees. Source: kvrocks src/server/redis_connection.cc, Connection::ExecuteCommands.
 */

import {
  ADMIN,
  FAST,
  FIRST_KEY,
  fitsArity,
  IN_MULTI,
  keyIndexes,
  MAY_WRITE,
  NO_AUTH_NEEDED,
  NO_MONITOR,
  NO_MULTI,
  NO_SCRIPT,
  NO_SIZE_CHECK,
  OK_LOADING,
  OK_STALE,
  OK_SUBSCRIBED,
  PUSHES,
  READONLY,
  RUNS_QUEUE,
  SCRIPTING,
  WRITE,
} from '../commands/command.js'
import type { BoundCommand } from '../commands/command-table.js'
import { withoutSecrets } from '../commands/secrets.js'
import { checkWritable } from '../commands/writable.js'
import { histogramBounds } from '../config/derived.js'
import { SeldomLog } from '../log/seldom-log.js'
import type { Args } from '../protocol/args.js'
import * as scriptErrors from '../protocol/errors/scripting.js'
import * as errors from '../protocol/errors.js'
import { ReplyError } from '../protocol/errors.js'
import { isHttp } from '../protocol/http.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { ScriptRules } from '../scripting/scripts.js'
import { ColdRead } from '../storage/cold-read.js'
import { noticeIfExpired } from '../storage/rows.js'
import { CommitError } from '../storage/turn.js'
import type { Savepoint } from '../storage/write-batch.js'
import type { Waiter } from './blocking.js'
import type { CommandContext } from './command-context.js'
import type { Connection } from './connection.js'
import { ScriptErrors } from './script-errors.js'
import type { Server } from './server.js'
import type { Tracker } from './tracking/tracker.js'
import type { QueuedCommand } from './transactions.js'

const SHOWN_ARGUMENT_BYTES_MAX = 128

export class Dispatcher {
  readonly #server: Server
  readonly #scriptErrors: ScriptErrors
  /** Of histogram-bucket-boundaries, in microseconds. */
  readonly #bounds: readonly number[]
  /** Settings that every command needs, out of the large table. */
  #slowerThanUs = 0
  #latencyThresholdMs = 0
  #tracksLatency = true
  #batchBytesMax = 0
  readonly #seldomLog: SeldomLog
  /** When the last command ended, in milliseconds of performance.now: the start of the next, where they are pipelined. */
  #lastEndMs = 0

  constructor(server: Server) {
    this.#server = server
    this.#scriptErrors = new ScriptErrors(server.stats)
    this.#seldomLog = new SeldomLog(server.log, () => server.nowMs())
    this.#bounds = histogramBounds(server.config.values)
    const { values } = server.config
    const follow = (): void => {
      this.#slowerThanUs = values['slowlog-log-slower-than']
      this.#latencyThresholdMs = values['latency-monitor-threshold']
      this.#tracksLatency = values['latency-tracking']
      this.#batchBytesMax = values['rocksdb.write_options.write_batch_max_bytes']
    }
    server.config.onChange(
      [
        'slowlog-log-slower-than',
        'latency-monitor-threshold',
        'latency-tracking',
        'rocksdb.write_options.write_batch_max_bytes',
      ],
      follow,
    )
    follow()
  }

  /** Called when requests of a connection are about to run, one after the other. */
  start(): void {
    this.#lastEndMs = performance.now()
  }

  /** Runs one request of `connection` and writes its reply. */
  dispatch(connection: Connection, args: Args): void {
    const { reply } = connection
    const replyStart = reply.length
    let command: BoundCommand | undefined
    connection.isExecuting = true
    try {
      command = this.#find(args)
      connection.lastCommand = command.name
      this.#admit(connection, command)
      if (!fitsArity(command, args.count)) throw errors.wrongArity(command.name)
      if (connection.transaction !== undefined && (command.flags & IN_MULTI) === 0) {
        this.#queue(connection, command, args)
      } else {
        const options = command.parse(args)
        this.#checkState(connection, command)
        if (command.name === 'exec') this.#checkQueue(connection)
        if (this.#isPaused(connection, command, args)) {
          connection.isExecuting = false
          return
        }
        if (this.#executeInMemory(connection, command, args, options)) return
      }
    } catch (error) {
      if (isHttp(args)) {
        this.#abort(connection, replyStart)
        return
      }
      if (command !== undefined) command.stats.rejected++
      this.#refuse(connection, replyStart, error, command)
    }
    this.#afterReply(connection, replyStart, command)
    if (connection.tracker !== undefined) endCaching(connection, connection.tracker, command)
  }

  /** Runs a command of EXEC, writing its reply among the others. */
  runQueued(connection: Connection, { command, args, options }: QueuedCommand): void {
    const start = connection.reply.length
    try {
      this.#checkState(connection, command)
      this.#execute(connection, connection.context, command, args, options)
    } catch (error) {
      this.#answerError(connection, start, error)
    }
  }

  /**
   * Runs a command of a script. `context` writes to the script's reply. Throws a ReplyError where the command is refused;
   * an error of the command itself stands in the reply.
   */
  runNested(context: CommandContext, args: Args, rules: ScriptRules): void {
    try {
      this.#runNested(context, args, rules)
    } catch (error) {
      if (error instanceof ReplyError) this.#scriptErrors.countCalled(error)
      throw error
    }
  }

  #runNested(context: CommandContext, args: Args, { readOnly, writableKeys }: ScriptRules): void {
    const command = this.#findForScript(args)
    if (!fitsArity(command, args.count)) throw scriptErrors.WRONG_ARITY_IN_SCRIPT
    if ((command.flags & NO_SCRIPT) !== 0) throw scriptErrors.NOT_IN_SCRIPT
    if (readOnly && (command.flags & (READONLY | MAY_WRITE)) !== READONLY) throw scriptErrors.WRITE_IN_READ_ONLY
    if (this.#server.isStale && (command.flags & OK_STALE) === 0) throw scriptErrors.STALE_IN_SCRIPT
    this.#checkState(context.client, command)
    if (writableKeys !== undefined && (command.flags & WRITE) !== 0) checkKeys(command, args, writableKeys)
    this.#execute(context.client, context, command, args, command.parse(args))
  }

  /** Lets a blocked client try again, with all that follows a command. */
  runAttempt(waiter: Waiter, attempt: () => boolean): boolean {
    const { connection } = waiter
    const { context, reply } = connection
    const startMs = performance.now()
    const { turn } = context.store
    const replyStart = reply.length
    const savepoint = turn.savepoint()
    context.isNested = false
    try {
      const answered = attempt()
      if (answered) this.#attemptEnded(connection, replyStart)
      return answered
    } catch (error) {
      this.#undo(context, replyStart, savepoint, error)
      this.#answerError(connection, replyStart, error)
      if (waiter.run !== undefined) waiter.run.command.stats.failed++
      return true
    } finally {
      const ms = performance.now() - startMs
      this.#server.latency.record('command-unblocking', ms)
      if (waiter.run !== undefined) waiter.run.us += ms * 1000
    }
  }

  refuse({ connection, run }: Waiter, error: ReplyError): void {
    this.#server.stats.countError(error)
    if (run !== undefined) run.command.stats.failed++
    connection.reply.error(error)
  }

  /** The command counts now, with the time that it ran. Source: redis src/blocked.c, updateStatsOnUnblock. */
  ended({ connection, run }: Waiter): void {
    if (run !== undefined) this.#count(connection, run.command, run.args, run.us)
  }

  #attemptEnded(connection: Connection, replyStart: number): void {
    const { changedKeys, tracking, turns } = this.#server
    turns.note(connection, replyStart)
    const { waiter } = connection
    if (!tracking.isActive || waiter === undefined) return
    changedKeys.tellTrackers(connection)
    if (waiter.request.reads === true) tracking.noteWaitedReads(connection, waiter.nsKeys)
  }

  #find(args: Args): BoundCommand {
    const command = this.#server.commands.lookup(args)
    if (command === undefined) throw unknown(args)
    if (command.subcommands === undefined) return command
    if (args.count < 2) {
      if (command.arity === -1) return command
      throw errors.wrongArity(command.name)
    }
    const sub = command.subcommands.get(args.latin1(1).toLowerCase())
    if (sub === undefined) throw command.unknownSubcommand ?? errors.unknownSubcommand(shown(args, 1), command.name)
    return sub
  }

  #findForScript(args: Args): BoundCommand {
    if (this.#server.commands.lookup(args) === undefined) throw scriptErrors.UNKNOWN_IN_SCRIPT
    return this.#find(args)
  }

  /** Authentication and loading. */
  #admit(connection: Connection, command: BoundCommand): void {
    if (connection.namespace === undefined && (command.flags & NO_AUTH_NEEDED) === 0) throw errors.NO_AUTH
    if (this.#server.isLoading && !mayRunLoading(connection, command)) throw errors.LOADING
    // A RESP2 client could not tell replies from messages.
    if (connection.subscriptions > 0 && connection.protocol === 2 && (command.flags & OK_SUBSCRIBED) === 0) {
      throw errors.notWhileSubscribed(command.name)
    }
  }

  #queue(connection: Connection, command: BoundCommand, args: Args): void {
    if ((command.flags & NO_MULTI) !== 0) throw errors.notInMulti(command.name)
    if ((command.flags & ADMIN) !== 0 && !connection.isAdmin) throw errors.ADMIN_ONLY
    const copy = args.copy()
    const options = command.parse(copy)
    connection.transaction?.queue.push({ command, args: copy, options })
    connection.reply.queued()
  }

  /** What depends on the state of the server at the time of execution. */
  #checkState(connection: Connection, command: BoundCommand): void {
    const { flags } = command
    const server = this.#server
    if ((flags & ADMIN) !== 0 && !connection.isAdmin) throw errors.ADMIN_ONLY
    if ((flags & WRITE) !== 0) checkWritable(server, server.store, (flags & NO_SIZE_CHECK) === 0)
    if (server.isStale && (flags & OK_STALE) === 0) throw errors.MASTER_DOWN
  }

  /** A transaction of which one command is refused now is refused whole. Source: redis src/server.c, processCommand. */
  #checkQueue(connection: Connection): void {
    for (const { command } of connection.transaction?.queue ?? []) this.#checkState(connection, command)
  }

  /** Keeps the request for later if CLIENT PAUSE stops it. */
  #isPaused(connection: Connection, command: BoundCommand, args: Args): boolean {
    const { clients } = this.#server
    if (!clients.isPausedFor(true)) return false
    const queue = command.name === 'exec' ? (connection.transaction?.queue ?? []) : []
    const flags = queue.reduce((all, queued) => all | queued.command.flags, command.flags)
    // What ends a pause, or tells of it, is not held back by it; another pause waits its turn, as in Redis.
    const isControl = command.name.startsWith('client|') && command.name !== 'client|pause'
    if (!clients.isPausedFor((flags & (WRITE | MAY_WRITE)) !== 0, isControl)) return false
    connection.heldRequest = args.copy()
    this.#server.clients.hold(connection)
    return true
  }

  /** Runs a command that may wait for the disk. True if it does, having done nothing yet. */
  #executeInMemory(connection: Connection, command: BoundCommand, args: Args, options: unknown): boolean {
    const server = this.#server
    const { turn } = server.store
    if (!isData(command) || !server.coldReads.mayWait(connection)) {
      this.#execute(connection, connection.context, command, args, options)
      return false
    }
    const replyStart = connection.reply.length
    const { hits, misses } = server.stats.keyspace
    const startMs = this.#lastEndMs
    turn.stayInMemory(true, (command.flags & (WRITE | MAY_WRITE)) === 0)
    try {
      this.#execute(connection, connection.context, command, args, options)
      return false
    } catch (error) {
      if (!(error instanceof ColdRead)) throw error
      turn.endCommand()
      turn.dropLogData()
      connection.reply.truncate(replyStart)
      Object.assign(server.stats.keyspace, { hits, misses })
      this.start()
      server.coldReads.wait(connection, args, error, this.#lastEndMs - startMs)
      connection.isExecuting = false
      return true
    } finally {
      turn.stayInMemory(false)
    }
  }

  #execute(connection: Connection, context: CommandContext, command: BoundCommand, args: Args, options: unknown): void {
    const server = this.#server
    const { turn } = server.store
    const { reply } = context
    const replyStart = reply.length
    // Commands that run inside this one move the mark.
    const startMs = this.#lastEndMs
    const isShown = server.monitors.isActive && isForMonitors(command) && connection.coldAttempts === 0
    const isOfScript = context !== connection.context
    const isShownFirst = isShown && (command.flags & RUNS_QUEUE) === 0
    if (isShownFirst) server.monitors.show(connection, withoutSecrets(command, args), isOfScript)
    const isWrite = (command.flags & WRITE) !== 0
    if (isWrite && server.role === 'master') this.#noticeExpired(context, command, args)
    const savepoint = isWrite ? turn.savepoint() : undefined
    const isSampled = server.perflog.begin(command)
    const isScript = (command.flags & SCRIPTING) !== 0
    if (isScript) this.#scriptErrors.begin()
    try {
      command.execute(context, args, options as never)
      if (isScript) this.#countReturned(command, reply.errorAt(replyStart))
      if (savepoint !== undefined) this.#checkBatch(savepoint)
    } catch (error) {
      if (error instanceof ColdRead) {
        if (isSampled) server.perflog.abandon()
        throw error
      }
      command.stats.failed++
      if (!scriptErrors.keepsWrites(error)) this.#undo(context, replyStart, savepoint, error)
      this.#answerErrorIn(context, replyStart, error)
    }
    turn.endCommand()
    if (isShown && (command.flags & RUNS_QUEUE) !== 0) server.monitors.show(connection, args, isOfScript)
    const endMs = performance.now()
    const us = (endMs - startMs + context.addedMs) * 1000
    context.addedMs = 0
    this.#lastEndMs = endMs
    if (isSampled) server.perflog.end(command, us)
    if (this.#latencyThresholdMs > 0) {
      server.latency.record((command.flags & FAST) === 0 ? 'command' : 'fast-command', us / 1000)
    }
    if (connection.waiter === undefined || isOfScript) this.#count(connection, command, args, us)
    else connection.waiter.run = { command, args: args.copy(), us }
    if (turn.touched.isObserved) this.#tellChanges(connection, context, command, args)
  }

  /** Keys that a write may overwrite unseen: what has expired is told of before it, and whatever becomes of it. */
  #noticeExpired({ db }: CommandContext, command: BoundCommand, args: Args): void {
    const { turn } = db
    turn.beginCommand()
    if (turn.nowMs <= turn.expiries.earliestMs) return
    // Of most commands; a list of one index takes as long as the look.
    if (command.keys === FIRST_KEY) noticeIfExpired(db, args.at(1))
    else for (const index of keyIndexes(command, args)) noticeIfExpired(db, args.at(index))
  }

  /** Somebody caches, watches or waits for keys. */
  #tellChanges(connection: Connection, context: CommandContext, command: BoundCommand, args: Args): void {
    const { changedKeys, store, tracking } = this.#server
    if (tracking.isActive) {
      changedKeys.tellTrackers(connection)
      tracking.noteReads(connection, context.db, command, args)
    }
    if (!store.turn.isHeld) changedKeys.tellAll(connection)
  }

  #count(connection: Connection, command: BoundCommand, args: Args, us: number): void {
    const { stats } = command
    stats.calls++
    stats.us += us
    if (this.#tracksLatency) {
      // The number of bits of ceil(us) - 1 is the power of two that holds it.
      const magnitude = us <= 1 ? 0 : 32 - Math.clz32(Math.ceil(us) - 1)
      stats.byMagnitude[magnitude] = (stats.byMagnitude[magnitude] as number) + 1
    }
    if (this.#bounds.length > 0) {
      if (stats.byBound.length === 0) stats.byBound = new Array(this.#bounds.length + 1).fill(0)
      const found = this.#bounds.findIndex((bound) => us <= bound)
      const at = found === -1 ? this.#bounds.length : found
      stats.byBound[at] = (stats.byBound[at] as number) + 1
    }
    this.#server.stats.commandsProcessed++
    const isSlow = this.#slowerThanUs >= 0 && us >= this.#slowerThanUs
    if (!isSlow || (command.flags & (NO_MONITOR | RUNS_QUEUE)) !== 0) return
    this.#server.slowlog.record(connection, withoutSecrets(command, args), us)
  }

  /** rocksdb.write_options.write_batch_max_bytes bounds what one command may write. */
  #checkBatch(savepoint: Savepoint): void {
    const bytesMax = this.#batchBytesMax
    if (bytesMax > 0 && this.#server.store.turn.batchBytes - savepoint.length > bytesMax) throw errors.BATCH_TOO_LARGE
  }

  /** Takes back what a command wrote to the turn; where a commit failed, also the replies that depended on it. */
  #undo(context: CommandContext, replyStart: number, savepoint: Savepoint | undefined, error: unknown): void {
    const { store, turns } = this.#server
    if (error instanceof CommitError) {
      store.writeFailure = error.cause.message
      // Before the refusals are written over the replies in front of it.
      context.reply.truncate(Math.min(replyStart, context.reply.length))
      turns.refuse()
    } else if (savepoint !== undefined) {
      store.turn.rollback(savepoint)
    }
  }

  #answerError(connection: Connection, replyStart: number, error: unknown): void {
    this.#answerErrorIn(connection.context, replyStart, error)
  }

  #answerErrorIn(context: CommandContext, replyStart: number, error: unknown): void {
    const { reply } = context
    if (!(error instanceof CommitError)) reply.truncate(Math.min(replyStart, reply.length))
    const answer = this.#toReply(error)
    if (context !== context.client.context) this.#scriptErrors.countCalled(answer)
    else if (answer instanceof scriptErrors.ScriptError) this.#scriptErrors.countFinal(answer.text)
    else this.#server.stats.countError(answer)
    reply.error(answer)
  }

  /** A script has returned an error, or has not. */
  #countReturned(command: BoundCommand, error: string | undefined): void {
    if (error === undefined) return
    command.stats.failed++
    this.#scriptErrors.countFinal(error)
  }

  #toReply(error: unknown): ReplyError {
    if (error instanceof ReplyError) return error
    if (error instanceof CommitError) return errors.writeRefused(error.cause.message)
    // What a command that may run meanwhile asks of the database cannot be told while that is closed.
    if (error instanceof RocksDBError && !this.#server.store.rocks.isOpen) return errors.LOADING
    if (error instanceof RocksDBError && (error.code === 'Corruption' || error.code === 'IOError')) {
      this.#seldomLog.error('reads', `a command could not read the database: ${error.message}`)
      return errors.readFailed(error.message)
    }
    this.#server.log.error(`a command failed: ${(error as Error).stack ?? String(error)}`)
    return errors.INTERNAL
  }

  /** A request that was refused before it ran. */
  #refuse(connection: Connection, replyStart: number, error: unknown, command: BoundCommand | undefined): void {
    const { transaction } = connection
    if (transaction !== undefined && command?.name === 'exec' && error instanceof ReplyError) {
      this.#server.transactions.discard(connection)
      this.#answerError(connection, replyStart, errors.execAborted(error))
      return
    }
    if (transaction !== undefined && error !== errors.NO_AUTH) transaction.isFailed = true
    this.#answerError(connection, replyStart, error)
  }

  /** Ends a connection that speaks HTTP, without an answer. The log tells of it once a minute. */
  #abort(connection: Connection, replyStart: number): void {
    const text = `Possible SECURITY ATTACK detected: HTTP request from ${connection.address}. Connection aborted.`
    this.#seldomLog.warning('http', text)
    connection.isExecuting = false
    connection.reply.truncate(Math.min(replyStart, connection.reply.length))
    connection.kill()
  }

  #afterReply(connection: Connection, replyStart: number, command: BoundCommand | undefined): void {
    connection.isExecuting = false
    if (connection.replyMode !== 'on') {
      // Nothing may wait in a turn's account of a connection that gets no replies.
      if (command !== undefined && (command.flags & PUSHES) !== 0) this.#server.turns.note(connection, replyStart)
      else connection.reply.truncate(Math.min(replyStart, connection.reply.length))
      connection.isAnswerSilent = connection.isSuspended
      if (connection.source === undefined) connection.flushPushes()
      if (connection.replyMode === 'skip-next') connection.replyMode = 'skip'
      else if (connection.replyMode === 'skip') connection.replyMode = 'on'
      return
    }
    this.#server.turns.note(connection, replyStart)
    if (connection.source === undefined) connection.flushPushes()
  }
}

/** While the database is loading, EXEC runs if all that was queued would. */
function mayRunLoading({ transaction }: Connection, command: BoundCommand): boolean {
  const queue = (command.flags & RUNS_QUEUE) === 0 ? [] : (transaction?.queue ?? [])
  return [command, ...queue.map((queued) => queued.command)].every(({ flags }) => (flags & OK_LOADING) !== 0)
}

/** CLIENT CACHING holds for the next command or transaction. Source: redis src/networking.c, resetClient. */
function endCaching({ transaction }: Connection, tracker: Tracker, command: BoundCommand | undefined): void {
  if (transaction === undefined && command?.name.startsWith('client|') !== true) tracker.isCachingGiven = false
}

/** Administration is not shown, unless it changes data. Source: redis src/server.c, call. */
function isForMonitors({ flags }: BoundCommand): boolean {
  return (flags & NO_MONITOR) === 0 && ((flags & ADMIN) === 0 || (flags & WRITE) !== 0)
}

/** True for a command on keys that is nothing but that: what it does to the database is all that it does. */
function isData({ flags, keys }: BoundCommand): boolean {
  return (flags & (READONLY | WRITE)) !== 0 && (flags & (ADMIN | SCRIPTING | RUNS_QUEUE)) === 0 && keys !== undefined
}

function checkKeys(command: BoundCommand, args: Args, writable: ReadonlySet<string>): void {
  for (const index of keyIndexes(command, args)) {
    const key = args.latin1(index)
    if (!writable.has(key)) throw scriptErrors.undeclaredKey(key)
  }
}

function shown(args: Args, index: number): string {
  return args.at(index).subarray(0, SHOWN_ARGUMENT_BYTES_MAX).latin1Slice(0)
}

function unknown(args: Args): ReplyError {
  const rest: string[] = []
  let bytes = 0
  for (let index = 1; index < args.count && bytes < SHOWN_ARGUMENT_BYTES_MAX; index++) {
    const word = args
      .at(index)
      .subarray(0, SHOWN_ARGUMENT_BYTES_MAX - bytes)
      .latin1Slice(0)
    bytes += word.length
    rest.push(word)
  }
  return errors.unknownCommand(shown(args, 0), rest)
}
