/** Writes a change a line: to standard output, or to the end of a file, which is on the disk before the checkpoint is. */

import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import type { FeedPage } from '../../cdc-client/feed-reader.js'
import type { CopyTarget } from './target.js'

export class LineTarget implements CopyTarget {
  readonly #output: Writable | string
  #file: FileHandle | undefined

  /** A stream, or the path of a file. */
  constructor(output: Writable | string) {
    this.#output = output
  }

  load(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async apply({ texts }: FeedPage): Promise<number> {
    if (texts.length === 0) return 0
    const lines = texts.map((text) => `${text}\n`).join('')
    if (typeof this.#output !== 'string') {
      if (!this.#output.write(lines)) await once(this.#output, 'drain')
      return texts.length
    }
    this.#file ??= await open(this.#output, 'a')
    await this.#file.appendFile(lines)
    await this.#file.datasync()
    return texts.length
  }

  close(): void {
    void this.#file?.close()
  }
}
