import type { NativeSession } from './native.js'

/** The database as it was at one sequence, until release(). One that is forgotten is released when it is collected. */
export class Snapshot {
  static readonly #forgotten = new FinalizationRegistry<{ session: NativeSession; id: number }>(({ session, id }) =>
    session.releaseSnapshot(id),
  )

  readonly id: number
  readonly sequence: number
  readonly #session: NativeSession

  constructor(session: NativeSession) {
    this.#session = session
    this.id = session.snapshot()
    this.sequence = session.snapshotSequence(this.id)!
    Snapshot.#forgotten.register(this, { session, id: this.id }, this)
  }

  /** Releasing twice, or after the database is closed, does nothing. */
  release(): void {
    Snapshot.#forgotten.unregister(this)
    this.#session.releaseSnapshot(this.id)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
