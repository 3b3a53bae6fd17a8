import { readdirSync } from 'node:fs'

/** What a directory holds; nothing if there is no such directory. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
