/** The link of an import to its source: where the file ends and the stream begins. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Test, test } from 'tap'
import { SourceLink } from '../../src/cli/import/source-link.js'
import { RdbFileReader } from '../../src/storage/rdb/file-reader.js'
import { RdbWriter } from '../../src/storage/rdb/file-writer.js'

const MARK = '0123456789abcdef0123456789abcdef01234567'

/** A source that answers the handshake; what follows +FULLRESYNC is the test's. */
async function openLink(t: Test): Promise<{ link: SourceLink; source: Socket }> {
  const server = createServer((socket) => {
    socket.setNoDelay(true).on('error', () => {})
    socket.on('data', (request) => {
      for (const [, word] of request.toString('latin1').matchAll(/\r\n(PING|REPLCONF|PSYNC)\r\n/g)) {
        socket.write(word === 'PSYNC' ? `+FULLRESYNC ${MARK} 7\r\n` : '+OK\r\n')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const { port } = server.address() as AddressInfo
  const address = { host: '127.0.0.1', port, isTls: false, user: '', password: '' }
  const link = await SourceLink.open(address, new AbortController().signal)
  const [source] = (await accepted) as [Socket]
  t.teardown(() => {
    link.close()
    source.destroy()
    server.close()
  })
  t.same(await link.psync(undefined, 0), { kind: 'full', id: MARK, offset: 7 })
  return { link, source }
}

function smallFile(): Buffer {
  const writer = new RdbWriter()
  const members = Array.from({ length: 40 }, (_, index) => Buffer.from(`member ${index}`))
  writer.entry(Buffer.from('s'), { type: 'set', members })
  return writer.end() as Buffer
}

/** Reads the file whose head and first bytes were sent; `more` is called when the reader has passed them all. */
async function readFile(link: SourceLink, firstBytes: number, more: () => void): Promise<number> {
  let seen = 0
  let isAsked = false
  async function* watched(): AsyncGenerator<Buffer, void> {
    for await (const bytes of link.file) {
      seen += bytes.length
      yield bytes
      if (isAsked || seen < firstBytes) continue
      isAsked = true
      more()
    }
  }
  if (firstBytes <= 0) {
    isAsked = true
    more()
  }
  const reader = new RdbFileReader(watched())
  let members = 0
  for await (const event of reader.events()) {
    if (event.kind === 'part' && event.value.type === 'set') members += event.value.members.length
  }
  await link.endFile(reader.rest)
  return members
}

test('a file with a mark is read to its end while nothing follows, wherever it was cut', async (t) => {
  const whole = Buffer.concat([smallFile(), Buffer.from(MARK)])
  for (let cut = 1; cut < whole.length; cut += 11) {
    const { link, source } = await openLink(t)
    source.write(Buffer.concat([Buffer.from(`$EOF:${MARK}\r\n`), whole.subarray(0, cut)]))
    t.equal(await link.fileLength(), undefined)
    // As many bytes as a mark are held back, but for one.
    const members = await readFile(link, cut - MARK.length + 1, () => source.write(whole.subarray(cut)))
    t.equal(members, 40, `cut at ${cut}`)
    const next = link.stream().next()
    source.write('+later')
    t.same(await next, { done: false, value: Buffer.from('+later') })
    link.close()
  }
})

for (const { name, head, tail } of [
  { name: 'whose length is known', head: (bytes: number) => `$${bytes}\r\n`, tail: '' },
  { name: 'with a mark', head: () => `$EOF:${MARK}\r\n`, tail: MARK },
]) {
  test(`what follows a file ${name} is the stream`, async (t) => {
    const { link, source } = await openLink(t)
    const whole = smallFile()
    source.write(Buffer.concat([Buffer.from(head(whole.length)), whole, Buffer.from(`${tail}*1\r\n`)]))
    t.equal(await link.fileLength(), tail === '' ? whole.length : undefined)
    t.equal(await readFile(link, Number.POSITIVE_INFINITY, () => {}), 40)
    t.same(await link.stream().next(), { done: false, value: Buffer.from('*1\r\n') })
  })

  test(`a file ${name} that goes on behind its end is refused`, async (t) => {
    const { link, source } = await openLink(t)
    const whole = smallFile()
    source.write(Buffer.concat([Buffer.from(head(whole.length + 3)), whole, Buffer.from(`xyz${tail}`)]))
    await link.fileLength()
    await t.rejects(
      readFile(link, Number.POSITIVE_INFINITY, () => {}),
      {
        message: "the source's file goes on for 3 bytes behind its end",
      },
    )
  })
}

test('a file of neither kind is refused', async (t) => {
  const { link, source } = await openLink(t)
  source.write('-ERR no\r\n')
  await t.rejects(link.fileLength(), { message: 'the source sends no file: -ERR no' })
})
