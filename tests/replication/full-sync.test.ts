/** How a replica copies files: what is written to its disk, and how long it waits for them. */

import { readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { SILENT_LOG } from '../../src/log/log.js'
import { FullSync } from '../../src/replication/full-sync.js'
import { MasterSocket } from '../../src/replication/master-socket.js'
import { encodeRequest } from '../support/resp.js'
import { WireListener } from './wire.js'

function syncFrom({ port }: WireListener, directory: string, listTimeoutMs = 0): FullSync {
  return new FullSync({
    directory,
    sendsBackups: false,
    source: `127.0.0.1:${port}`,
    log: SILENT_LOG,
    connect: () => MasterSocket.connect({ host: '127.0.0.1', port, tls: undefined, connectTimeoutMs: 0 }),
    listTimeoutMs,
    receiveTimeoutMs: 0,
    fileDelayMs: 0,
  })
}

/** Has files take what `take` leaves of the pieces of one write, until the test ends. */
async function limitWrites(t: Test, take: (pieces: readonly Uint8Array[]) => Uint8Array[]): Promise<void> {
  const file = await open(join(t.testdir({ probe: '' }), 'probe'))
  await file.close()
  const prototype = Object.getPrototypeOf(file) as FileHandle
  const { writev } = prototype
  t.teardown(() => Object.assign(prototype, { writev }))
  Object.assign(prototype, {
    writev(this: FileHandle, pieces: readonly Uint8Array[]) {
      return writev.call(this, take(pieces))
    },
  })
}

test('a file system that takes a part of a write gets the rest, too', async (t) => {
  await using master = await WireListener.open()
  await limitWrites(t, ([first]) => [(first as Uint8Array).subarray(0, 1000)])
  const directory = join(t.testdirName, 'sync')
  const sync = syncFrom(master, directory)
  const files = [Buffer.alloc(300_000, 'one after the other, '), Buffer.from('MANIFEST-000001\n')]
  const done = sync.fetch(['000007.sst', 'CURRENT'].map((name) => ({ name, path: name, crc: 0 })))
  const wire = await master.accept()
  const request = encodeRequest(['_fetch_file', '000007.sst,CURRENT']).toString('latin1')
  t.equal(await wire.takeLike(request), request)
  for (const content of files) wire.write(Buffer.concat([Buffer.from(`${content.length}\r\n`), content]))
  await done
  t.ok(readFileSync(join(directory, '000007.sst')).equals(files[0] as Buffer))
  t.equal(readFileSync(join(directory, 'CURRENT'), 'latin1'), 'MANIFEST-000001\n')
  t.equal(sync.bytes, 300_016)
})

test('a master that does not say which files there are is given up', async (t) => {
  await using master = await WireListener.open()
  const sync = syncFrom(master, join(t.testdirName, 'sync'), 50)
  await t.rejects(sync.list(), { message: 'the master has sent nothing for 50 ms' })
  t.equal(await (await master.accept()).takeRest(), encodeRequest(['_fetch_meta']).toString('latin1'))
})
