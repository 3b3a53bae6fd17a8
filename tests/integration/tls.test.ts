/** TLS: who is let in, which versions and ciphers are spoken, and replication over it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type Test, test } from 'tap'
import type { ConfigValues } from '../../src/index.js'
import { makeCertificates } from '../support/certificates.js'
import { freePort } from '../support/free-port.js'
import { caughtUp, infoField, startNode } from '../support/nodes.js'
import { RawClient } from '../support/raw-client.js'
import type { TestServer } from '../support/server.js'

interface Certificates {
  readonly dir: string
  /** The settings that use them. */
  readonly config: Partial<ConfigValues>
}

function certificates(t: Test): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'tls-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  makeCertificates(dir)
  const files = { cert: join(dir, 'own.crt'), key: join(dir, 'own.key'), ca: join(dir, 'ca.crt') }
  return { dir, config: { 'tls-cert-file': files.cert, 'tls-key-file': files.key, 'tls-ca-cert-file': files.ca } }
}

async function startSecure(config: Partial<ConfigValues>): Promise<TestServer> {
  return startNode({ config: { ...config, 'tls-port': await freePort() } })
}

/** What PING is answered over TLS; the code of the error if there is no connection. */
function ping(s: TestServer, options: ConnectionOptions = {}): Promise<{ reply: string; socket: TLSSocket }> {
  return new Promise((resolve) => {
    const socket = connect({ port: s.server.tlsPort, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    const end = (reply: string) => {
      resolve({ reply, socket })
      socket.destroy()
    }
    socket.on('data', (data) => end(data.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.on('close', () => end('closed'))
    socket.write('PING\r\n')
  })
}

test('the port of TLS takes nothing else', async (t) => {
  const { config } = certificates(t)
  await using s = await startSecure(config)
  const client = await RawClient.connect(s.server.tlsPort)
  client.write('PING\r\n')
  t.notMatch(await client.untilClosed(), /PONG/)
})

test('client certificates are asked for, may be shown, or are not asked for', async (t) => {
  const { dir, config } = certificates(t)
  const own = { cert: readFileSync(join(dir, 'own.crt')), key: readFileSync(join(dir, 'own.key')) }
  for (const [policy, isLetIn] of [
    ['yes', false],
    ['optional', true],
    ['no', true],
  ] as const) {
    await using s = await startSecure({ ...config, 'tls-auth-clients': policy })
    t.equal((await ping(s, own)).reply, '+PONG\r\n', policy)
    t.equal((await ping(s)).reply === '+PONG\r\n', isLetIn, policy)
  }
})

test('only the versions of tls-protocols are spoken', async (t) => {
  const { config } = certificates(t)
  const versions = ['TLSv1.2', 'TLSv1.3'] as const
  for (const spoken of versions) {
    await using s = await startSecure({ ...config, 'tls-auth-clients': 'no', 'tls-protocols': spoken })
    for (const version of versions) {
      const { reply } = await ping(s, { minVersion: version, maxVersion: version })
      t.equal(reply === '+PONG\r\n', version === spoken, `${version} where ${spoken} is spoken`)
    }
  }
})

const TLS12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
const [STRONG, OTHER] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256']

test('only the ciphers of tls-ciphers are spoken', async (t) => {
  const { config } = certificates(t)
  await using s = await startSecure({
    ...config,
    'tls-auth-clients': 'no',
    'tls-protocols': 'TLSv1.2',
    'tls-ciphers': STRONG,
  })
  t.equal((await ping(s, { ...TLS12, ciphers: STRONG })).reply, '+PONG\r\n')
  t.not((await ping(s, { ...TLS12, ciphers: OTHER })).reply, '+PONG\r\n')
  t.equal(await s.run('config', 'set', 'tls-ciphers', OTHER), '+OK\r\n')
  t.equal((await ping(s, { ...TLS12, ciphers: OTHER })).reply, '+PONG\r\n')
  t.not((await ping(s, { ...TLS12, ciphers: STRONG })).reply, '+PONG\r\n')
})

for (const isPreferred of [false, true]) {
  test('the order of ciphers is that of the client, or of the server if it says so', async (t) => {
    const { config } = certificates(t)
    await using s = await startSecure({
      ...config,
      'tls-auth-clients': 'no',
      'tls-protocols': 'TLSv1.2',
      'tls-ciphers': `${STRONG}:${OTHER}`,
      'tls-prefer-server-ciphers': isPreferred,
    })
    const socket = connect({
      port: s.server.tlsPort,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...TLS12,
      ciphers: `${OTHER}:${STRONG}`,
    })
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    t.equal(socket.getCipher().name, isPreferred ? STRONG : OTHER)
    socket.destroy()
  })
}

for (const keepsLog of [true, false]) {
  test('a replica follows its master over TLS, by the log or by files', async (t) => {
    const { config } = certificates(t)
    const secure = { ...config, 'tls-replication': true }
    await using master = await startSecure(
      keepsLog ? secure : { ...secure, 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 },
    )
    await using replica = await startSecure(secure)
    await master.run('set', 'before', 'x'.repeat(100_000))
    if (!keepsLog) {
      for (let round = 0; round < 2; round++) {
        await master.run('set', 'padding', 'x'.repeat(1 << 20))
        await master.server.store.rocks.flush()
      }
      master.server.store.retention.prune(Date.now())
      await master.server.store.retention.settled()
    }
    t.equal(await replica.run('slaveof', '127.0.0.1', master.server.tlsPort), '+OK\r\n')
    await caughtUp(replica, master)
    await master.run('set', 'after', 'v')
    await caughtUp(replica, master)
    t.equal(await replica.run('strlen', 'before'), ':100000\r\n')
    t.equal(await replica.run('get', 'after'), '$1\r\nv\r\n')
    t.equal(await infoField(master, 'sync_full'), keepsLog ? '0' : '1')
  })
}
