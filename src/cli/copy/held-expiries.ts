/**
 * When keys expire at the target of a copy. A copy lags behind: a key that the source still extends must not be gone at
 * the target before the copy has read that. So a key that expires soon gets a longer life there, and its time is kept
 * here, until the copy has read all that the source did before it.
 */

import type { FeedChange } from '../../cdc-client/feed-change.js'

export type Words = readonly (string | Buffer)[]

/** Keys that expire within this time are held: as long may a copy lag, or be down. */
const NEAR_MS = 60_000
/** The life of a held key, should the copy never come back. */
const GRACE_MS = 24 * 3_600_000
/** Clocks of two machines differ. */
const SKEW_MS = 1000

/** A time that is kept: of a key, or of a field of a hash. */
interface Held {
  readonly key: Buffer
  readonly field: Buffer | undefined
  readonly atMs: number
}

export class HeldExpiries {
  readonly #held = new Map<string, Map<string, Held>>()
  /** When all that the source had was read last. */
  #currentAtMs = Number.NEGATIVE_INFINITY
  /** Keys whose times changed since `takeDirty`. */
  readonly #dirty = new Set<string>()

  get count(): number {
    return this.#held.size
  }

  /** The commands of `change`, with lives that are long enough. */
  commandsOf(change: FeedChange, nowMs: number): Words[] {
    const { command, key, fresh, expire } = change
    if (command === undefined) return []
    if (key === undefined) {
      if (change.op === 'invalidate') this.#forgetAll()
      return [command]
    }
    const name = command[0]?.latin1Slice(0)
    const startsAnew = fresh === true || change.op === 'delete' || name === 'SET' || name === 'DEL'
    if (startsAnew) this.#forget(key)
    const commands: Words[] = fresh === true && name !== 'SET' ? [['DEL', key]] : []
    if (name === 'PEXPIREAT') return [...commands, this.#expire(key, expire ?? Number(command[2]), nowMs)]
    if (name === 'PERSIST') this.#drop(key, undefined)
    if (name === 'HSETEX') commands.push(this.#field(key, command, nowMs))
    else if (name === 'SET') commands.push(command.slice(0, 3))
    else commands.push(command)
    if ((name === 'HSET' || name === 'HDEL') && command[2] !== undefined) this.#drop(key, command[2])
    if (expire !== undefined) commands.push(this.#expire(key, expire, nowMs))
    return commands
  }

  /** The command that makes `key` expire, sooner or later. */
  #expire(key: Buffer, atMs: number, nowMs: number): Words {
    return ['PEXPIREAT', key, String(this.#lifeOf(key, undefined, atMs, nowMs))]
  }

  /** HSETEX key PXAT ms FIELDS 1 field value. */
  #field(key: Buffer, command: readonly Buffer[], nowMs: number): Words {
    const atMs = String(this.#lifeOf(key, command[6], Number(command[3]), nowMs))
    return [...command.slice(0, 3), atMs, ...command.slice(4)]
  }

  #lifeOf(key: Buffer, field: Buffer | undefined, atMs: number, nowMs: number): number {
    if (this.#isFar(atMs, nowMs)) {
      this.#drop(key, field)
      return atMs
    }
    const id = key.latin1Slice(0)
    const fields = this.#held.get(id) ?? new Map<string, Held>()
    fields.set(fieldId(field), { key, field, atMs })
    this.#held.set(id, fields)
    this.#dirty.add(id)
    return Math.max(atMs, nowMs) + GRACE_MS
  }

  /** The copy may lag by the time since it was current. */
  #isFar(atMs: number, nowMs: number): boolean {
    return atMs > nowMs + (nowMs - this.#currentAtMs) + NEAR_MS
  }

  /**
   * All that the source had at `nowMs` has been read: the commands that give keys their true times, where these are far
   * or over.
   */
  release(nowMs: number): Words[] {
    this.#currentAtMs = nowMs
    const commands: Words[] = []
    for (const fields of [...this.#held.values()]) {
      for (const { key, field, atMs } of [...fields.values()]) {
        if (!this.#isFar(atMs, nowMs) && atMs + SKEW_MS > nowMs) continue
        commands.push(
          field === undefined
            ? ['PEXPIREAT', key, String(atMs)]
            : ['HPEXPIREAT', key, String(atMs), 'FIELDS', '1', field],
        )
        this.#drop(key, field)
      }
    }
    return commands
  }

  /** The commands that keep the changed times in the hash `store`, for the next run. */
  takeDirty(store: string): Words[] {
    const commands: Words[] = []
    for (const id of this.#dirty) {
      const fields = this.#held.get(id)
      const key = Buffer.from(id, 'latin1')
      if (fields === undefined) commands.push(['HDEL', store, key])
      else commands.push(['HSET', store, key, JSON.stringify([...fields].map(([field, { atMs }]) => [field, atMs]))])
    }
    this.#dirty.clear()
    return commands
  }

  /** Takes up what `takeDirty` kept: keys and values in turn. */
  restore(kept: readonly Buffer[]): void {
    for (let at = 0; at + 1 < kept.length; at += 2) {
      const key = kept[at] as Buffer
      const times = JSON.parse((kept[at + 1] as Buffer).utf8Slice()) as [string, number][]
      const fields = new Map<string, Held>()
      for (const [field, atMs] of times) {
        fields.set(field, { key, field: field === '' ? undefined : Buffer.from(field.slice(1), 'latin1'), atMs })
      }
      this.#held.set(key.latin1Slice(0), fields)
    }
  }

  #drop(key: Buffer, field: Buffer | undefined): void {
    const id = key.latin1Slice(0)
    const fields = this.#held.get(id)
    if (fields?.delete(fieldId(field)) !== true) return
    this.#dirty.add(id)
    if (fields.size === 0) this.#held.delete(id)
  }

  #forget(key: Buffer): void {
    const id = key.latin1Slice(0)
    if (this.#held.delete(id)) this.#dirty.add(id)
  }

  #forgetAll(): void {
    for (const id of this.#held.keys()) this.#dirty.add(id)
    this.#held.clear()
  }
}

/** Empty for the key itself. */
function fieldId(field: Buffer | undefined): string {
  return field === undefined ? '' : `:${field.latin1Slice(0)}`
}
