import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { t as tap, test } from 'tap'
import { startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

/** KILL_ROUNDS=100 takes two minutes on a machine that does nothing else. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 3)
const TIMEOUT_MS = 300_000 + ROUNDS * 10_000
const CLIENTS = 4

tap.setTimeout(2 * TIMEOUT_MS)

/** Writes until the connection breaks; the number of the last write that was acknowledged. */
async function writeOn(port: number, name: string, from: number): Promise<number> {
  const client = await RawClient.connect(port)
  let acknowledged = from - 1
  try {
    for (let next = from; ; next++) {
      if ((await client.run('set', `${name}:${next}`, next)) !== '+OK\r\n') return acknowledged
      acknowledged = next
    }
  } catch {
    return acknowledged
  }
}

test(`${ROUNDS} times kill -9 during writes: whatever was acknowledged is there`, {
  timeout: TIMEOUT_MS,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-kill-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const last = new Array<number>(CLIENTS).fill(-1)
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startProcess(dir)
    const writing = last.map((value, index) => writeOn(server.port, `c${index}`, value + 1))
    await new Promise((done) => setTimeout(done, 150 + Math.random() * 200))
    t.equal(await server.end('SIGKILL'), 'SIGKILL')
    for (const [index, value] of (await Promise.all(writing)).entries()) last[index] = value
  }
  const server = await startProcess(dir)
  const client = await RawClient.connect(server.port)
  for (const [index, value] of last.entries()) {
    t.ok(value >= 0, 'something was acknowledged')
    let lost = 0
    for (let start = 0; start <= value; start += 1000) {
      const numbers = Array.from({ length: Math.min(1000, value + 1 - start) }, (_, at) => start + at)
      const values = (await client.value('mget', ...numbers.map((number) => `c${index}:${number}`))) as string[]
      lost += numbers.filter((number, at) => values[at] !== String(number)).length
    }
    t.equal(lost, 0)
  }
  client.close()
  t.equal(await server.end(), 0)
})
