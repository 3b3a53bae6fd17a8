/** What a script or a function says about itself, as bits. Source: Redis's documentation of script flags. */
export const NO_WRITES = 1
export const ALLOW_OOM = 2
export const ALLOW_STALE = 4
export const NO_CLUSTER = 8
export const ALLOW_CROSS_SLOT_KEYS = 16

/** By name, in the order in which FUNCTION LIST shows them. */
export const SCRIPT_FLAGS: ReadonlyMap<string, number> = new Map([
  ['no-writes', NO_WRITES],
  ['allow-oom', ALLOW_OOM],
  ['allow-stale', ALLOW_STALE],
  ['no-cluster', NO_CLUSTER],
  ['allow-cross-slot-keys', ALLOW_CROSS_SLOT_KEYS],
])

/** The names of the bits that are set. */
export function flagNames(flags: number): string[] {
  return [...SCRIPT_FLAGS].filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name)
}
