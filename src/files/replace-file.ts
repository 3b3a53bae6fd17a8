/** Replaces files as a whole: a crash, of the machine too, leaves the old content or the new one. */

import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** `mode`: the permissions, exactly; left out: those of a new file. */
export function replaceFileSync(path: string, content: string | Uint8Array, mode?: number): void {
  const fresh = `${path}.new`
  const file = openSync(fresh, 'w', mode)
  try {
    if (mode !== undefined) fchmodSync(file, mode)
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, path)
  syncDirectorySync(dirname(path))
}

/** Removes a file, if it is there, for good: no crash brings it back. */
export function removeFileSync(path: string): void {
  if (!existsSync(path)) return
  rmSync(path)
  syncDirectorySync(dirname(path))
}

/** The same for one caller at a time. Resolves when the content is on the disk. */
export async function replaceFile(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const fresh = `${path}.new`
  const file = await open(fresh, 'w', mode)
  try {
    if (mode !== undefined) await file.chmod(mode)
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  await syncDirectory(dirname(path))
}

function syncDirectorySync(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Makes what was created, renamed or removed in a directory last. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
