/**
 * The slots of this server. Positions are acknowledged in memory and saved once a second and at the end, so after a crash
 * a slot may stand a second further back: its consumer gets some changes again, and loses none, for the log is held from
 * the saved position on.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Log } from '../log/log.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Store } from '../storage/store.js'
import type { HoldLimits } from '../storage/wal-retention.js'
import type { ChangeOp } from './change.js'
import type { ChangeFilter } from './filter.js'
import type { SequenceTimes } from './sequence-times.js'
import { SLOT_LOSS_TEXTS, Slot, type SlotLossReason, type SlotSpec } from './slot.js'
import { SlotFile, type SlotRecord } from './slot-file.js'

/** A slot cannot be made, or not be found. */
export class SlotError extends Error {
  constructor(readonly fault: 'no-slot' | 'exists' | 'too-many') {
    super(fault)
  }
}

interface SlotsParts {
  readonly store: Store
  /** Of the file that they are kept in. */
  readonly path: string
  /** Of each slot. */
  readonly limits: () => HoldLimits
  /** How many one namespace may have. */
  readonly countMax: () => number
  readonly times: SequenceTimes
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
}

export class Slots {
  readonly #store: Store
  readonly #file: SlotFile
  readonly #limits: () => HoldLimits
  readonly #countMax: () => number
  readonly #log: Log
  readonly #now: () => number
  readonly #slots = new Map<string, Slot>()
  /** Those of them that are being dropped: nobody sees them, but their names are not free yet. */
  readonly #dropping = new Set<Slot>()
  readonly #times: SequenceTimes
  #hasChanges = false
  /** Of the last save. */
  #failure: string | undefined
  /** Saves, one after the other. */
  #queue: Promise<void> = Promise.resolve()

  /** Takes up the saved slots. Throws an Error if their file cannot be read. */
  constructor({ store, path, limits, countMax, times, log, now }: SlotsParts) {
    this.#times = times
    this.#store = store
    this.#file = new SlotFile(path)
    this.#limits = limits
    this.#countMax = countMax
    this.#log = log
    this.#now = now
    for (const record of this.#file.read()) {
      const slot = slotOf(record)
      this.#slots.set(idOf(slot.spec.namespace, slot.spec.name), slot)
      if (slot.loss === undefined) this.#hold(slot)
    }
    this.#checkHistory()
  }

  /** Those of a namespace, or all, in the order in which they were made. */
  list(namespace?: Bytes): Slot[] {
    const all = [...this.#slots.values()].filter((slot) => !this.#dropping.has(slot))
    return namespace === undefined ? all : all.filter(({ spec }) => spec.namespace.equals(namespace))
  }

  /** Throws SlotError. */
  get(namespace: Bytes, name: string): Slot {
    const slot = this.#slots.get(idOf(namespace, name))
    if (slot === undefined || this.#dropping.has(slot)) throw new SlotError('no-slot')
    return slot
  }

  /**
   * Makes a slot that has acknowledged the position that is asked for; its next change must be readable. The log is held
   * from now on, and the slot lasts when the promise resolves. Throws SlotError, and what `positionAt` throws; rejects if
   * it cannot be saved, and then there is none.
   */
  create(spec: SlotSpec, positionAt: () => number): Promise<Slot> {
    const id = idOf(spec.namespace, spec.name)
    if (this.#slots.has(id)) throw new SlotError('exists')
    if (this.list(spec.namespace).length >= this.#countMax()) throw new SlotError('too-many')
    const slot = new Slot(spec, positionAt(), this.#now())
    this.#slots.set(id, slot)
    this.#hold(slot)
    this.#hasChanges = true
    return this.save().then(
      () => slot,
      (error: unknown) => {
        this.#slots.delete(id)
        slot.hold?.release()
        throw error
      },
    )
  }

  /** The slot is gone for good when the promise resolves; rejects if that cannot be saved, and then it stays. */
  drop(slot: Slot): Promise<void> {
    this.#dropping.add(slot)
    this.#hasChanges = true
    return this.save().then(
      () => {
        this.#dropping.delete(slot)
        this.#slots.delete(idOf(slot.spec.namespace, slot.spec.name))
        slot.isDropped = true
        slot.hold?.release()
      },
      (error: unknown) => {
        this.#dropping.delete(slot)
        throw error
      },
    )
  }

  /** Its consumer has dealt with all changes up to `sequence`, which must not lie behind its position. */
  acknowledge(slot: Slot, sequence: number): void {
    slot.activeMs = this.#now()
    if (slot.position === sequence) return
    slot.position = sequence
    this.#hasChanges = true
  }

  /** Called every second: saves positions. */
  async tick(): Promise<void> {
    try {
      await this.save()
      this.#failure = undefined
    } catch (error) {
      const { message } = error as Error
      if (message !== this.#failure) this.#log.error(`[cdc] the slots cannot be saved: ${message}`)
      this.#failure = message
    }
  }

  /** Whole seconds since the first change that the slot has not acknowledged; 0 if it has all. */
  lagSeconds({ position }: Slot): number {
    if (position >= this.#store.latestSequence()) return 0
    const nowMs = this.#now()
    return Math.max(0, Math.floor((nowMs - (this.#times.timeOf(position + 1) ?? nowMs)) / 1000))
  }

  /** Resolves when all that has happened so far is on the disk. */
  save(): Promise<void> {
    const saved = this.#queue.then(() => this.#save())
    this.#queue = saved.catch(() => {})
    return saved
  }

  /** Saves also when slots were last used. */
  async close(): Promise<void> {
    this.#hasChanges ||= this.#slots.size > 0
    await this.tick()
  }

  /** Loses all: the sequences of the database that is open now tell of something else. */
  databaseReplaced(): void {
    for (const slot of this.#slots.values()) if (slot.loss === undefined) this.#lose(slot, 'replaced')
  }

  /** Loses slots whose place is not in the log, as when files were taken away, or an older backup was restored. */
  #checkHistory(): void {
    const waiting = this.list().filter(({ loss }) => loss === undefined)
    if (waiting.length === 0) return
    const { oldest, latest } = this.#store.wal.range(this.#now())
    for (const slot of waiting) {
      if (slot.position > latest) this.#lose(slot, 'ahead')
      else if (slot.position + 1 < oldest) this.#lose(slot, 'missing')
    }
  }

  #hold(slot: Slot): void {
    const { bytesMax, ageMsMax } = slot.spec
    slot.hold = this.#store.retention.hold({
      name: titleOf(slot),
      sequence: slot.position,
      limits: () => {
        const common = this.#limits()
        return {
          bytesMax: Math.min(bytesMax || Number.POSITIVE_INFINITY, common.bytesMax),
          ageMsMax: Math.min(ageMsMax || Number.POSITIVE_INFINITY, common.ageMsMax),
        }
      },
      onLost: ({ reason }) => this.#lost(slot, reason),
    })
  }

  #lose(slot: Slot, reason: SlotLossReason): void {
    this.#log.warning(
      `[wal] ${titleOf(slot)} has lost its place at sequence ${slot.position + 1}: ${SLOT_LOSS_TEXTS[reason]}`,
    )
    slot.hold?.release()
    this.#lost(slot, reason)
  }

  #lost(slot: Slot, reason: SlotLossReason): void {
    slot.loss = { reason, sequence: slot.position + 1, atMs: this.#now() }
    slot.hold = undefined
    this.#hasChanges = true
  }

  async #save(): Promise<void> {
    if (!this.#hasChanges) return
    this.#hasChanges = false
    const slots = this.list()
    const records = slots.map(recordOf)
    try {
      await this.#file.write(records)
    } catch (error) {
      this.#hasChanges = true
      throw error
    }
    for (const [i, { position }] of records.entries()) slots[i]?.hold?.advance(position)
  }
}

/** Names hold no NUL. */
function idOf(namespace: Bytes, name: string): string {
  return `${name}\0${namespace.latin1Slice(0)}`
}

/** For the log. */
function titleOf({ spec: { name, namespace } }: Slot): string {
  return namespace.equals(DEFAULT_NAMESPACE) ? `slot ${name}` : `slot ${name} of namespace ${namespace.latin1Slice(0)}`
}

function recordOf({ spec, position, createdMs, activeMs, loss }: Slot): SlotRecord {
  const { name, namespace, filter, bytesMax, ageMsMax } = spec
  return {
    name,
    namespace: namespace.toString('base64'),
    position,
    filter: {
      patterns: texts(filter.patterns),
      types: [...(filter.types ?? [])],
      ops: [...(filter.ops ?? [])],
      namespaces: texts(filter.namespaces),
    },
    bytesMax,
    ageMsMax,
    createdMs,
    activeMs,
    ...(loss === undefined ? {} : { loss }),
  }
}

function slotOf(record: SlotRecord): Slot {
  const { name, filter, position, bytesMax, ageMsMax, createdMs, activeMs, loss } = record
  const namespace = Buffer.from(record.namespace, 'base64')
  const slot = new Slot({ name, namespace, filter: filterOf(filter), bytesMax, ageMsMax }, position, createdMs)
  slot.activeMs = activeMs
  slot.loss = loss
  return slot
}

function filterOf({ patterns, types, ops, namespaces }: SlotRecord['filter']): ChangeFilter {
  return {
    ...(patterns.length > 0 ? { patterns: patterns.map(bytes) } : {}),
    ...(types.length > 0 ? { types: new Set(types) } : {}),
    ...(ops.length > 0 ? { ops: new Set(ops as ChangeOp[]) } : {}),
    ...(namespaces.length > 0 ? { namespaces: namespaces.map(bytes) } : {}),
  }
}

function texts(list: readonly Bytes[] = []): string[] {
  return list.map((one) => one.toString('base64'))
}

function bytes(text: string): Bytes {
  return Buffer.from(text, 'base64')
}
