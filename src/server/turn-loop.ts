/**
 * A turn of the event loop is one commit. It begins with reading what has arrived from all connections, then runs their
 * requests one after the other: reading a socket between two commands would drive the commands' code and tables out of
 * the processor's caches (a GET or a SET that comes alone took 5 to 15 % more). Connections whose requests ran join the
 * turn; at its end all writes go to RocksDB at once, and only then do the replies leave. If RocksDB refuses, every
 * reply that was given after the turn's first write becomes an error, for it tells of data that is not there.
 *
 * A large turn flies: RocksDB commits it on a thread of its own, its replies are put aside, and the next turn runs
 * meanwhile, seeing all that the one before wrote. It ends when the one before has landed; so under load turns grow until
 * both threads are busy. If the commit under way fails, both turns are refused.
 */

import { writeRefused } from '../protocol/errors.js'
import type { Store } from '../storage/store.js'
import { CommitError } from '../storage/turn.js'
import type { Connection } from './connection.js'

/** While more connections have requests, a flight takes this many times the records that it is worth at all. */
const EARLY_FACTOR = 8

export interface TurnEvents {
  /** Runs the requests that have arrived, of those of `connections` that still say so. */
  run(connections: readonly Connection[]): void
  /** The turn is over: nothing of it is sent yet, and what is to be sent with it is to be written now. */
  ending(): void
  sent(connection: Connection, bytes: number): void
  refused(reason: string): void
  /** How long a commit took. */
  committed(ms: number): void
}

/** A connection whose replies wait for the commit under way. */
interface Passenger {
  readonly connection: Connection
  /** Where in what it has put aside the replies begin that depend on the commit, and how many they are. */
  readonly unsureFrom: number
  readonly unsureReplies: number
}

export class TurnLoop {
  readonly #store: Store
  readonly #events: TurnEvents
  readonly #arrived: Connection[] = []
  readonly #joined: Connection[] = []
  #passengers: Passenger[] = []
  #flightStartMs = 0
  #isScheduled = false
  /** The running turn is to end as soon as the one before has landed. */
  #isEndDue = false
  readonly #end = (): void => {
    this.runArrived()
    this.#isScheduled = false
    if (this.#store.turn.isFlying) this.#isEndDue = true
    else this.#endTurn()
  }

  constructor(store: Store, events: TurnEvents) {
    this.#store = store
    this.#events = events
    store.rocks.writtenListener = () => {
      // One that was waited for is told of late, perhaps when the next is under way, which will tell of itself.
      if (store.turn.isFlying && !store.rocks.hasWritten()) return
      this.land()
      if (!this.#isEndDue) return
      this.#isEndDue = false
      this.#endTurn()
    }
  }

  /** The connection has requests, to be run with those of others. */
  arrive(connection: Connection): void {
    connection.hasArrived = true
    this.#arrived.push(connection)
    this.schedule()
  }

  /** Runs the requests that have arrived. */
  runArrived(): void {
    if (this.#arrived.length > 0) this.#events.run(this.#arrived.splice(0))
  }

  /** The connection has, or will have in this turn, replies to send. */
  join(connection: Connection): void {
    if (connection.isInTurn) return
    connection.isInTurn = true
    this.#joined.push(connection)
    this.schedule()
  }

  /** The turn will end after the events that have already happened. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#end)
  }

  /** Says whether somebody is interested in the keys that commands write. */
  observe(isWanted: boolean): void {
    const { touched } = this.#store.turn
    if (touched.isObserved === isWanted) return
    touched.isObserved = isWanted
    touched.clear()
  }

  /** Called after each command with the length of the reply before it: remembers replies that depend on the commit. */
  note(connection: Connection, replyStart: number): void {
    const { turn } = this.#store
    if (connection.reply.length <= replyStart) return
    if (connection.dirtyEpoch !== turn.epoch) {
      if (!turn.isUnsure) return
      connection.dirtyEpoch = turn.epoch
      connection.unsureFrom = replyStart
      connection.unsureReplies = 0
    }
    connection.unsureReplies++
  }

  /** Commits and sends; also called early, when a turn has gathered much. */
  end(): void {
    this.settle()
    this.#events.ending()
    const joined = this.#joined.splice(0)
    for (const connection of joined) {
      connection.isInTurn = false
      connection.dirtyEpoch = -1
      this.#events.sent(connection, connection.send())
    }
  }

  /** Called between connections: lands what has arrived, and lets a turn that is large enough fly at once. */
  fly(): void {
    const { turn, rocks } = this.#store
    if (turn.isFlying && rocks.hasWritten()) this.land()
    if (!turn.isFlying && turn.batchCount >= EARLY_FACTOR * turn.flyingRecordsMin) this.#takeOff()
  }

  #endTurn(): void {
    if (!this.#takeOff()) this.end()
  }

  /** Lets the turn fly, if it is worth it and nobody waits for its end. */
  #takeOff(): boolean {
    const { turn } = this.#store
    if (!turn.isDirty || this.#joined.some((connection) => connection.isClosing)) return false
    this.land()
    if (!turn.mayFly) return false
    // Whom that concerns joins the turn, and the messages fly with it.
    this.#events.ending()
    const { epoch } = turn
    if (!turn.beginCommit()) return false
    this.#flightStartMs = performance.now()
    for (const connection of this.#joined.splice(0)) {
      const isUnsure = connection.dirtyEpoch === epoch
      this.#passengers.push({
        connection,
        unsureFrom: connection.unsureFrom,
        unsureReplies: isUnsure ? connection.unsureReplies : 0,
      })
      connection.isInTurn = false
      connection.dirtyEpoch = -1
      connection.reply.setAside()
    }
    return true
  }

  /** Waits for the commit under way, if there is one, and sends its replies. */
  land(): void {
    const { turn } = this.#store
    if (this.#passengers.length === 0 && !turn.isFlying && !turn.hasLostFlight) return
    try {
      turn.finish()
    } catch (error) {
      if (!(error instanceof CommitError)) throw error
    }
    const failure = turn.takeFlightError()
    if (failure === undefined) {
      this.#disembark()
    } else {
      this.#store.writeFailure = failure.cause.message
      this.refuse(true)
    }
    this.#events.committed(performance.now() - this.#flightStartMs)
  }

  #disembark(): void {
    const passengers = this.#passengers
    this.#passengers = []
    for (const { connection } of passengers) this.#events.sent(connection, connection.sendAside())
  }

  /** Commits what was written so far; its replies are held no longer. */
  settle(): void {
    this.land()
    if (!this.#store.turn.isDirty) return
    const startMs = performance.now()
    if (!this.#store.commit()) this.refuse()
    this.#events.committed(performance.now() - startMs)
  }

  /**
   * A commit inside a command failed: the replies before it are refused like those of a failed turn; `isFlightLost`: it
   * was the commit under way, on which the running turn was built.
   */
  refuse(isFlightLost = this.#store.turn.takeFlightError() !== undefined): void {
    const { turn } = this.#store
    const reason = this.#store.writeFailure ?? 'unknown'
    const error = writeRefused(reason)
    if (isFlightLost) {
      turn.discard()
      for (const { connection, unsureFrom, unsureReplies } of this.#passengers) {
        if (unsureReplies === 0) continue
        connection.reply.refuseAside(unsureFrom, unsureReplies, error)
        endHalfReply(connection)
      }
      this.#disembark()
    }
    for (const connection of this.#joined) {
      if (connection.dirtyEpoch !== turn.epoch) continue
      connection.reply.truncate(connection.unsureFrom)
      for (let i = 0; i < connection.unsureReplies; i++) connection.reply.error(error)
      endHalfReply(connection)
    }
    turn.epoch++
    this.#events.refused(reason)
  }
}

/** What is still to come of a reply that was refused could not be told from other replies. */
function endHalfReply(connection: Connection): void {
  if (connection.source !== undefined || connection.link !== undefined) connection.kill()
}
