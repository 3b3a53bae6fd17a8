/**
 * The seed of what tests do by chance: the same for everyone, so that a failure belongs to the change that brings it.
 * The environment variable SEED gives another, and `SEED=fresh` a new one each time; failures tell it.
 */

import fc from 'fast-check'

function chooseSeed(given: string): number {
  if (given === 'fresh') return 1 + Math.floor(Math.random() * (2 ** 31 - 1))
  const seed = Number(given)
  if (!Number.isInteger(seed)) throw new Error(`SEED is a number or 'fresh', not '${given}'`)
  return seed
}

export const SEED = chooseSeed(process.env['SEED'] ?? '1')

fc.configureGlobal({ seed: SEED })
