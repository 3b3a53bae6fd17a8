/** When sequences were written, as noted every second. Old notes are thinned out, so that their number is bounded. */

interface Note {
  /** The latest sequence at that time. */
  readonly sequence: number
  readonly atMs: number
}

const NOTES_MAX = 4096

export class SequenceClock {
  #notes: Note[] = []

  /** `sequence` is the latest one at `atMs`. */
  note(sequence: number, atMs: number): void {
    if (this.#notes.at(-1)?.sequence === sequence) return
    this.#notes.push({ sequence, atMs })
    if (this.#notes.length > NOTES_MAX) {
      const newest = NOTES_MAX / 2
      this.#notes = this.#notes.filter((_, i) => i >= this.#notes.length - newest || i % 2 === 0)
    }
  }

  /** When a sequence was there first, at the latest, in Unix milliseconds; undefined if it is newer than all notes. */
  timeOf(sequence: number): number | undefined {
    let low = 0
    let high = this.#notes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#notes[middle] as Note).sequence < sequence) low = middle + 1
      else high = middle
    }
    return this.#notes[low]?.atMs
  }
}
