/** Where `cdc copy` brings changes to. */

import type { FeedPage } from '../../cdc-client/feed-reader.js'
import type { FeedPosition } from '../../cdc-client/position.js'

export interface CopyTarget {
  /** The position that the target itself keeps; undefined if it keeps none. */
  load(): Promise<FeedPosition | undefined>
  /** Brings a page there, and keeps its position if it keeps any. Returns how many changes arrived. */
  apply(page: FeedPage): Promise<number>
  close(): void
}

/** Told once of each kind of change that does not arrive. */
export type Tell = (kind: string) => void
