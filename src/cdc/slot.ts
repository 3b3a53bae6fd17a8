/** A slot: a consumer's named place in the feed, for whose sake the log is kept. */

import type { Bytes } from '../bytes/bytes.js'
import { LOSS_TEXTS, type LossReason, type WalHold } from '../storage/wal-retention.js'
import type { ChangeFilter } from './filter.js'

/** `ahead`: it has read what the database never had; `replaced`: as after a full sync. */
export type SlotLossReason = LossReason | 'ahead' | 'replaced'

/** Continues `…: `. */
export const SLOT_LOSS_TEXTS: Readonly<Record<SlotLossReason, string>> = {
  ...LOSS_TEXTS,
  ahead: 'the database was set back behind it',
  replaced: 'the database was replaced by another',
}

export interface SlotLoss {
  readonly reason: SlotLossReason
  /** The first sequence that it had not acknowledged. */
  readonly sequence: number
  /** Unix milliseconds. */
  readonly atMs: number
}

/** What is said of a slot when it is made. */
export interface SlotSpec {
  readonly name: string
  /** Whose it is, as it is stored; the administrator's are of the default namespace. */
  readonly namespace: Bytes
  /** Of every poll; empty for all changes. */
  readonly filter: ChangeFilter
  /** Its own limits, within those of the configuration; 0 = those. */
  readonly bytesMax: number
  readonly ageMsMax: number
}

export type SlotState = 'active' | 'idle' | 'lost'

/** For so long after its last use a slot counts as active. */
const ACTIVE_MS = 60_000

export class Slot {
  readonly spec: SlotSpec
  /** Unix milliseconds. */
  readonly createdMs: number
  /** The last sequence that its consumer has acknowledged. */
  position: number
  /** When it was read or acknowledged last, in Unix milliseconds. */
  activeMs: number
  loss: SlotLoss | undefined
  isDropped = false
  /** Undefined once it is lost. It stands where the saved position is, so that a crash loses nothing. */
  hold: WalHold | undefined

  constructor(spec: SlotSpec, position: number, createdMs: number) {
    this.spec = spec
    this.position = position
    this.createdMs = createdMs
    this.activeMs = createdMs
  }

  state(nowMs: number): SlotState {
    if (this.loss !== undefined) return 'lost'
    return nowMs - this.activeMs < ACTIVE_MS ? 'active' : 'idle'
  }
}
