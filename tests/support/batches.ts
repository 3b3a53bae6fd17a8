/** Reads what a command wrote, record by record, without the code under test: for comparison with what Kvrocks writes. */

import type { TestServer } from './server.js'

const FAMILIES = ['default', 'metadata', 'zset_score', 'pubsub', 'propagate', 'stream', 'search']
const NAMESPACE = Buffer.from('\x0b__namespace', 'latin1')

/**
 * The records of the batches after `sequence`, a list of lines for each batch: `log 0 8`, `put metadata KEY = VALUE`,
 * `delete default KEY`. KEY and VALUE are hexadecimal, `~` stands for the prefix of the default namespace.
 */
export function batchesAfter({ server }: TestServer, sequence: number): string[][] {
  using updates = server.store.rocks.updatesSince(sequence + 1)
  return updates.next(1000).map(({ data }) => recordsOf(data))
}

function recordsOf(batch: Buffer): string[] {
  const records: string[] = []
  let at = 12
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = batch[at++] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const bytes = (): Buffer => {
    const length = varint()
    at += length
    return batch.subarray(at - length, at)
  }
  while (at < batch.length) {
    const tag = batch[at++] as number
    if (tag === 0x03) records.push(`log ${bytes().toString('latin1')}`)
    else if (tag === 0x00 || tag === 0x04)
      records.push(`delete ${familyOf(tag === 0x04 ? varint() : 0)} ${keyText(bytes())}`)
    else if (tag === 0x01 || tag === 0x05) {
      const family = familyOf(tag === 0x05 ? varint() : 0)
      records.push(`put ${family} ${keyText(bytes())} = ${bytes().toString('hex')}`)
    } else if (tag === 0x0e || tag === 0x0f) {
      const family = familyOf(tag === 0x0e ? varint() : 0)
      records.push(`delete-range ${family} ${keyText(bytes())} ${keyText(bytes())}`)
    } else throw new Error(`unknown record ${tag} at ${at - 1}`)
  }
  return records
}

function familyOf(index: number): string {
  return FAMILIES[index] ?? `family ${index}`
}

function keyText(key: Buffer): string {
  const isDefault = key.subarray(0, NAMESPACE.length).equals(NAMESPACE)
  return isDefault ? `~${key.subarray(NAMESPACE.length).toString('hex')}` : key.toString('hex')
}
