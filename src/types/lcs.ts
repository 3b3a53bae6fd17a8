/**
 * Longest common subsequences, by the table of those of all prefixes. Source: redis src/t_string.c, lcsCommand, whose
 * choices among equal results are kept.
 */

import type { Bytes } from '../bytes/bytes.js'

/** Bytes that the table takes. */
export function tableBytes(a: Bytes, b: Bytes): number {
  return (a.length + 1) * (b.length + 1) * Uint32Array.BYTES_PER_ELEMENT
}

/** A run that both have, by its first and last offset in each. */
export interface CommonRun {
  readonly aFirst: number
  readonly aLast: number
  readonly bFirst: number
  readonly bLast: number
}

export interface CommonSubsequence {
  readonly value: Bytes
  /** From the last to the first. */
  readonly runs: CommonRun[]
}

/** The length alone, in memory proportional to `b`. */
export function commonLength(a: Bytes, b: Bytes): number {
  let above = new Uint32Array(b.length + 1)
  let row = new Uint32Array(b.length + 1)
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      row[j + 1] = a[i] === b[j] ? (above[j] as number) + 1 : Math.max(above[j + 1] as number, row[j] as number)
    }
    const full = row
    row = above
    above = full
  }
  return above[b.length] as number
}

export function commonSubsequence(a: Bytes, b: Bytes): CommonSubsequence {
  const width = b.length + 1
  const table = fillTable(a, b, width)
  const value = Buffer.alloc(table[a.length * width + b.length] as number)
  const runs: CommonRun[] = []
  let at = value.length
  let run: CommonRun | undefined
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      i--
      j--
      value[--at] = a[i] as number
      const grows = run !== undefined && run.aFirst === i + 1 && run.bFirst === j + 1
      if (run !== undefined && !grows) runs.push(run)
      run = grows && run !== undefined ? { ...run, aFirst: i, bFirst: j } : { aFirst: i, aLast: i, bFirst: j, bLast: j }
    } else if ((table[(i - 1) * width + j] as number) > (table[i * width + j - 1] as number)) {
      i--
    } else {
      j--
    }
  }
  if (run !== undefined) runs.push(run)
  return { value, runs }
}

function fillTable(a: Bytes, b: Bytes, width: number): Uint32Array {
  const table = new Uint32Array((a.length + 1) * width)
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1]
    const row = i * width
    for (let j = 1; j <= b.length; j++) {
      table[row + j] =
        byte === b[j - 1]
          ? (table[row - width + j - 1] as number) + 1
          : Math.max(table[row - width + j] as number, table[row + j - 1] as number)
    }
  }
  return table
}
