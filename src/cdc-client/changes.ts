/**
 * Reads the change feed of a server, from any program:
 *
 *   for await (const change of changes({ url: 'redis://127.0.0.1:6666', since: 'now' })) …
 *
 * Every change arrives at least once and in order. What was delivered counts as done when the next change is asked for;
 * a checkpoint that is given is saved then, page by page, and a slot moves on; the next run goes on from there. `sequence`
 * tells repeated changes apart. The loop itself is the back-pressure: nothing is fetched while a change is being worked on.
 */

import { commandsOf, type FeedChange, parseChange } from './feed-change.js'
import { type FeedOptions, type FeedPage, FeedReader } from './feed-reader.js'
import {
  type Checkpoint,
  type CommandRunner,
  type FeedPosition,
  fileCheckpoint,
  keyCheckpoint,
  memoryCheckpoint,
} from './position.js'

export type { Checkpoint, CommandRunner, FeedChange, FeedOptions, FeedPage, FeedPosition }
export { commandsOf, fileCheckpoint, keyCheckpoint, memoryCheckpoint, parseChange }

/** Rejects with ServerError `WALGAP` when the changes after the position are gone, and `SLOTLOST` when the slot is lost. */
export async function* changes(options: FeedOptions): AsyncGenerator<FeedChange, void, void> {
  for await (const page of pages(options)) for (const text of page.texts) yield parseChange(text)
}

/** The same, a page at a time; there are empty ones, of which only the position is news. */
export async function* pages(options: FeedOptions): AsyncGenerator<FeedPage, void, void> {
  const { checkpoint, signal } = options
  const reader = new FeedReader(options)
  try {
    let position = (await checkpoint?.load()) ?? (await reader.slotPosition())
    if (position?.snapshot !== undefined || (position === undefined && options.snapshot === true)) {
      for await (const page of reader.snapshot(position)) {
        yield page
        position = page.position
        await checkpoint?.save(position)
      }
    }
    position ??= await reader.start()
    await reader.placeSlot(position)
    for (;;) {
      const page = await reader.poll(position)
      yield page
      if (page.position.sequence !== position.sequence) await checkpoint?.save(page.position)
      else if (options.follow === false && page.texts.length === 0) return
      position = page.position
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
  } finally {
    reader.close()
  }
}
