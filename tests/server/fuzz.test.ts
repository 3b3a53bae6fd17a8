/**
 * Malformed requests: neither the parser nor the server may hang, crash or keep memory. FUZZ_FRAMES=1000000 is the long
 * run; SEED gives another (support/seed.ts).
 */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { t as tap, test } from 'tap'
import { ProtocolError } from '../../src/protocol/errors.js'
import { RequestParser } from '../../src/protocol/request-parser.js'
import { RawClient } from '../support/raw-client.js'
import { encodeRequest } from '../support/resp.js'
import { SEED } from '../support/seed.js'
import { startServer } from '../support/server.js'

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 20_000)
const TIMEOUT_MS = 300_000 + FRAMES * 10

tap.setTimeout(TIMEOUT_MS)

/** Mulberry32: numbers in [0, bound) that a seed repeats. */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

const SEEDS: readonly Buffer[] = [
  encodeRequest(['set', 'key', 'value']),
  encodeRequest(['get', 'key']),
  encodeRequest(['mset', 'a', '1', 'b', '2']),
  encodeRequest(['multi']),
  encodeRequest(['exec']),
  encodeRequest(['client', 'reply', 'off']),
  encodeRequest(['hello', '3', 'setname', 'x']),
  encodeRequest(['config', 'get', '*max*']),
  encodeRequest(['hset', 'h', 'f', 'v']),
  encodeRequest(['set', 'n', '9223372036854775807', 'px', '1']),
  Buffer.from('PING\r\nSET k "a\\x00b"\r\n'),
  Buffer.from('*-1\r\n*0\r\n$5\r\n'),
]
const SPLICES = [
  '\r\n',
  '*',
  '$',
  '-1',
  '\0',
  '"',
  '*1048577\r\n',
  '$536870913\r\n',
  '*2\r\n',
  '$9999999999999999999\r\n',
  'é',
]

/** A frame with one to four changes: bytes flipped, cut, doubled, spliced. */
function mutate(random: Random): Buffer {
  let frame = Buffer.from(SEEDS[random.below(SEEDS.length)] as Buffer)
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(frame.length + 1)
    const end = at + random.below(frame.length - at + 1)
    switch (random.below(5)) {
      case 0:
        if (at < frame.length) frame[at] = random.below(256)
        break
      case 1:
        frame = Buffer.concat([frame.subarray(0, at), frame.subarray(end)])
        break
      case 2:
        frame = Buffer.concat([frame.subarray(0, end), frame.subarray(at)])
        break
      case 3:
        frame = Buffer.concat([
          frame.subarray(0, at),
          Buffer.from(SPLICES[random.below(SPLICES.length)] as string),
          frame.subarray(at),
        ])
        break
      default:
        frame = Buffer.concat([frame.subarray(0, at), SEEDS[random.below(SEEDS.length)] as Buffer, frame.subarray(at)])
    }
  }
  return frame
}

/** All requests of `chunks`, and how the stream ended. */
function parseAll(chunks: readonly Buffer[]): { requests: string[][]; error: string | undefined } {
  const parser = new RequestParser({ bulkBytesMax: 2 ** 29, authenticated: true })
  const requests: string[][] = []
  try {
    for (const chunk of chunks) {
      parser.feed(chunk)
      while (parser.next()) requests.push(parser.args.rest(0).map((word) => word.toString('latin1')))
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { requests, error: error.text }
  }
  return { requests, error: undefined }
}

test('requests come out as they went in, however they are cut', (t) => {
  const words = fc.array(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(fc.array(words, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 8 }), (requests, cuts) => {
      const bytes = Buffer.concat(requests.map((request) => encodeRequest(request)))
      const { requests: found, error } = parseAll(cutAt(bytes, cuts))
      t.equal(error, undefined)
      t.same(
        found,
        requests.map((request) => request.map((word) => word.toString('latin1'))),
      )
    }),
    { numRuns: 200 },
  )
  t.end()
})

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
  return [0, ...places].map((place, index) => bytes.subarray(place, places[index] ?? bytes.length))
}

test('a mutated stream is read the same whole and byte by byte', (t) => {
  const random = new Random(SEED)
  for (let i = 0; i < FRAMES / 10; i++) {
    const bytes = Buffer.concat([mutate(random), mutate(random)])
    const whole = parseAll([bytes])
    const single = parseAll(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))
    if (JSON.stringify(whole) !== JSON.stringify(single)) t.same(single, whole, bytes.toString('latin1'))
  }
  t.pass(`seed ${SEED}`)
  t.end()
})

test(`${FRAMES} mutated frames leave the server as it was`, { timeout: TIMEOUT_MS }, async (t) => {
  await using s = await startServer()
  const random = new Random(SEED + 1)
  const collect = garbageCollector()
  // Few, for after its first violation of the protocol the rest of a connection is not read.
  const perConnection = 8
  let settledBytes = 0
  for (let sent = 0; sent < FRAMES; sent += perConnection) {
    const client = await RawClient.connect(s.port)
    for (let i = 0; i < perConnection; i++) client.write(mutate(random))
    client.socket.end()
    await client.untilClosed()
    if (sent >= FRAMES / 4 && settledBytes === 0) {
      collect()
      settledBytes = process.memoryUsage.rss()
    }
  }
  collect()
  const grownMib = (process.memoryUsage.rss() - settledBytes) / 2 ** 20
  t.equal(await s.run('set', 'alive', '1'), '+OK\r\n')
  t.equal(s.server.clients.count, 1)
  t.same(s.logged, [], `seed ${SEED}`)
  t.ok(grownMib < 64, `memory grew by ${grownMib.toFixed(1)} MiB after the first quarter`)
  t.comment(
    `${FRAMES} frames, seed ${SEED}: ${(settledBytes / 2 ** 20).toFixed(1)} MiB, ${grownMib.toFixed(1)} more at the end`,
  )
})

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
