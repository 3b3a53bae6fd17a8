/** Stamps: a file beside a build's results that holds the hash of what they were built from. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** True if `path` holds `hash`. @param {string} path @param {string} hash */
export function isStamped(path, hash) {
  try {
    return readFileSync(path, 'utf8') === hash
  } catch {
    return false
  }
}

/** @param {string} path @param {string} hash */
export function stamp(path, hash) {
  writeFileSync(path, hash)
}

/** The files below a directory whose names match, sorted; none if it does not exist. Skips build output.
 *
 * @param {string} directory
 * @param {RegExp} name
 * @returns {string[]}
 */
export function listFiles(directory, name) {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const path = join(directory, entry.name)
        if (entry.isDirectory()) return entry.name === 'build' ? [] : listFiles(path, name)
        return name.test(entry.name) ? [path] : []
      })
  } catch {
    return []
  }
}

/** Hashes values and the contents of files. @param {unknown} values @param {readonly string[]} files */
export function hashContents(values, files) {
  const hash = createHash('sha256').update(JSON.stringify([values, files]))
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex')
}

/** Hashes the names, sizes and times of files: much cheaper than their contents. @param {readonly string[]} files */
export function hashTimes(files) {
  const states = files.map((file) => {
    const { size, mtimeMs } = statSync(file)
    return [file, size, mtimeMs]
  })
  return createHash('sha256').update(JSON.stringify(states)).digest('hex')
}

/** When a file was last changed, in ms; 0 if it does not exist. @param {string} path */
export function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
