import type { Bytes } from '../../bytes/bytes.js'
import type { PendingEntry, StreamConsumer } from './value.js'

/**
 * Pending entries as their rows have them, where no owner is an owner without a name. Those of an owner that is not
 * among the consumers of the group are without one; a consumer may well have the empty name.
 */
export function withKnownOwners(
  pending: readonly (PendingEntry & { readonly consumer: Bytes })[],
  consumers: readonly StreamConsumer[],
): PendingEntry[] {
  const known = new Set(consumers.map(({ name }) => name.latin1Slice(0)))
  return pending.map((entry) => (known.has(entry.consumer.latin1Slice(0)) ? entry : { ...entry, consumer: undefined }))
}
