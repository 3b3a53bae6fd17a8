/**
 * When sequences were written, to the second: a file beside the database to which a note is added each second in which
 * there was a write, and from which notes go when the log no longer holds what they tell of.
 *
 *   note   sequence(8) time(8) crc32(4)       the latest sequence at that time, in Unix milliseconds; little-endian
 *
 * What a crash or a full disk leaves half-written is cut off, and passed over where notes follow it. The log of RocksDB
 * itself knows no times.
 */

import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { replaceFileSync } from '../files/replace-file.js'

interface Note {
  /** The latest sequence at that time. */
  readonly sequence: number
  readonly atMs: number
}

const NOTE_BYTES = 20
/** The file is written anew when it has this many notes that are of no use, and more than others. */
const STALE_NOTES_MAX = 1024

export class SequenceTimes {
  readonly #path: string
  #notes: Note[]
  #fileNotes: number
  #fd: number
  /** The file may end with a part of a note. */
  #isTorn = false

  /** Takes up what the file at `path` holds. Throws if it cannot be opened. */
  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, 'a+')
    const { notes, isTorn, isMixed } = notesOf(readFileSync(path))
    this.#notes = notes
    this.#fileNotes = notes.length
    // To cut a file off takes no room on a full disk.
    if (isMixed) this.#rewrite()
    else if (isTorn) ftruncateSync(this.#fd, this.#fileNotes * NOTE_BYTES)
  }

  /** The sequence of the last note; undefined if there is none. */
  get lastSequence(): number | undefined {
    return this.#notes.at(-1)?.sequence
  }

  /** `sequence` is the latest one at `atMs`. Throws if it cannot be written. */
  note(sequence: number, atMs: number): void {
    const last = this.#notes.at(-1)
    // A clock that was set back tells nothing until it has caught up.
    if (last !== undefined && (sequence <= last.sequence || atMs < last.atMs)) return
    this.#notes.push({ sequence, atMs })
    this.#append(encoded({ sequence, atMs }))
  }

  /** When a sequence was there first, at the latest; undefined if it is newer than all notes. */
  timeOf(sequence: number): number | undefined {
    return this.#notes[firstIndex(this.#notes, (note) => note.sequence >= sequence)]?.atMs
  }

  /** The latest sequence at a time: all that was written later comes after it. Undefined if the notes begin later. */
  sequenceAt(atMs: number): number | undefined {
    return this.#notes[firstIndex(this.#notes, (note) => note.atMs > atMs) - 1]?.sequence
  }

  /** True if the notes tell of the time at which `sequence` was written. */
  covers(sequence: number): boolean {
    const [first] = this.#notes
    return first !== undefined && sequence > first.sequence
  }

  /** Nothing before `sequence` is asked for any more. */
  prune(sequence: number): void {
    // The note before tells when the first one that stays was not yet there.
    const kept = Math.max(0, firstIndex(this.#notes, (note) => note.sequence >= sequence) - 1)
    if (kept > 0) this.#notes = this.#notes.slice(kept)
    const stale = this.#fileNotes - this.#notes.length
    if (stale > STALE_NOTES_MAX && stale > this.#notes.length) this.#rewrite()
  }

  /** Another database has taken the place of the one that the notes tell of. */
  clear(): void {
    this.#notes = []
    // It takes no room on a full disk.
    ftruncateSync(this.#fd, 0)
    fsyncSync(this.#fd)
    this.#fileNotes = 0
    this.#isTorn = false
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd)
    this.#fd = -1
  }

  /** What does not fit on the disk may be there in part: the next note takes its place. */
  #append(bytes: Buffer): void {
    if (this.#isTorn) ftruncateSync(this.#fd, this.#fileNotes * NOTE_BYTES)
    this.#isTorn = true
    appendFileSync(this.#fd, bytes)
    this.#isTorn = false
    this.#fileNotes++
  }

  #rewrite(): void {
    replaceFileSync(this.#path, Buffer.concat(this.#notes.map(encoded)))
    this.close()
    this.#fd = openSync(this.#path, 'a+')
    this.#fileNotes = this.#notes.length
    this.#isTorn = false
  }
}

function encoded({ sequence, atMs }: Note): Buffer {
  const bytes = Buffer.allocUnsafe(NOTE_BYTES)
  bytes.writeBigUInt64LE(BigInt(sequence), 0)
  bytes.writeBigUInt64LE(BigInt(atMs), 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 16)), 16)
  return bytes
}

interface FileNotes {
  readonly notes: Note[]
  /** There is more than whole notes … */
  readonly isTorn: boolean
  /** … and it is not at the end. */
  readonly isMixed: boolean
}

/** All whole notes, wherever they begin. */
function notesOf(bytes: Buffer): FileNotes {
  const notes: Note[] = []
  let passed = 0
  let isMixed = false
  for (let at = 0; at < bytes.length; ) {
    const note = noteAt(bytes, at)
    if (note === undefined) {
      passed++
      at++
      continue
    }
    isMixed ||= passed > 0
    notes.push(note)
    at += NOTE_BYTES
  }
  return { notes, isTorn: passed > 0, isMixed }
}

function noteAt(bytes: Buffer, at: number): Note | undefined {
  if (at + NOTE_BYTES > bytes.length) return undefined
  if (crc32(bytes.subarray(at, at + 16)) !== bytes.readUInt32LE(at + 16)) return undefined
  return { sequence: Number(bytes.readBigUInt64LE(at)), atMs: Number(bytes.readBigUInt64LE(at + 8)) }
}

/** The index of the first note of which `holds` is true, as it is of all after it; the length if of none. */
function firstIndex(notes: readonly Note[], holds: (note: Note) => boolean): number {
  let low = 0
  let high = notes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(notes[middle] as Note)) high = middle
    else low = middle + 1
  }
  return low
}
