/** What BGSAVE leaves in backup-dir, told from what somebody else keeps there. */

import { rm } from 'node:fs/promises'
import { namesIn } from '../files/names-in.js'

/** A checkpoint's files, and those that who only reads it adds. A database that was opened for writing has a LOCK, too. */
const CHECKPOINT_FILE = /^(CURRENT|IDENTITY|(MANIFEST|OPTIONS)-\d+|\d+\.(sst|blob|log)|LOG(\.old\.\d+)?)$/

/** Removes the checkpoint in `directory`, if there is one. Throws, and removes nothing, if more is there. */
export async function removeCheckpoint(directory: string): Promise<void> {
  for (const name of namesIn(directory)) {
    if (CHECKPOINT_FILE.test(name)) continue
    throw new Error(`${directory} is not removed: it holds ${name}, which is not of a backup`)
  }
  await rm(directory, { recursive: true, force: true })
}
