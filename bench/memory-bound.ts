/**
 * A bound for the memory of a process, page cache included: a control group of Linux, of version 1 or 2. Making one
 * takes the rights of root.
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const VERSION_1 = '/sys/fs/cgroup/memory'
const VERSION_2 = '/sys/fs/cgroup'

export class MemoryBound implements Disposable {
  /** A process joins by writing its id to `cgroup.procs` there. */
  readonly directory: string
  readonly #isVersion1: boolean

  /** Throws where the machine has no such groups, or lets only others make them. */
  constructor() {
    this.#isVersion1 = existsSync(join(VERSION_1, 'memory.limit_in_bytes'))
    this.directory = join(this.#isVersion1 ? VERSION_1 : VERSION_2, `kvrocks-ts-bench-${process.pid}`)
    mkdirSync(this.directory)
    if (existsSync(this.#limitFile)) return
    rmdirSync(this.directory)
    throw new Error('no memory controller for control groups')
  }

  get #limitFile(): string {
    return join(this.directory, this.#isVersion1 ? 'memory.limit_in_bytes' : 'memory.max')
  }

  /** Bytes of all processes of the group that are no copy of a file, and those of the page cache. */
  usage(): { own: number; pageCache: number } {
    const text = readFileSync(join(this.directory, 'memory.stat'), 'utf8')
    const field = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
    return this.#isVersion1
      ? { own: field('total_rss'), pageCache: field('total_cache') }
      : { own: field('anon'), pageCache: field('file') }
  }

  /** What the group holds beyond `bytes` is given back to the system, pages of files first. */
  limit(bytes: number): void {
    writeFileSync(this.#limitFile, String(bytes))
  }

  /** After the last process of the group has ended. */
  [Symbol.dispose](): void {
    rmdirSync(this.directory)
  }
}
