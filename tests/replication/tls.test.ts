import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { makeCertificates } from '../support/certificates.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { caughtUp, infoField, startNode } from '../support/nodes.js'

test('with tls-replication changes and files come over TLS, and only from a master that the authority vouches for', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-tls-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  makeCertificates(dir)
  const certificates = {
    'tls-cert-file': join(dir, 'own.crt'),
    'tls-key-file': join(dir, 'own.key'),
    'tls-ca-cert-file': join(dir, 'ca.crt'),
    'tls-auth-clients': 'yes',
    'tls-replication': true,
  }
  const withPort = async () => ({ ...certificates, 'tls-port': await freePort() })
  await using master = await startNode({ config: await withPort() })
  await using replica = await startNode({ config: await withPort() })
  await master.run('set', 'k', 'v')
  // Its own history: it needs a full sync.
  for (const value of ['a', 'b', 'c']) await replica.run('set', 'own', value)
  t.equal(await replica.run('slaveof', '127.0.0.1', master.server.tlsPort), '+OK\r\n')
  await caughtUp(replica, master)
  await master.run('set', 'l', 'w')
  await caughtUp(replica, master)
  t.equal(await replica.run('mget', 'k', 'l', 'own'), '*3\r\n$1\r\nv\r\n$1\r\nw\r\n$-1\r\n')
  t.equal(await infoField(master, 'sync_full'), '1')
  t.match(await master.run('info', 'replication'), `slave0:ip=127.0.0.1,port=${replica.server.tlsPort},`)

  const others = mkdtempSync(join(tmpdir(), 'kvrocks-ts-tls-'))
  t.teardown(() => rmSync(others, { recursive: true, force: true }))
  makeCertificates(others)
  await using stranger = await startNode({
    config: { ...(await withPort()), 'tls-ca-cert-file': join(others, 'ca.crt') },
  })
  await stranger.run('slaveof', '127.0.0.1', master.server.tlsPort)
  await eventually(async () => {
    const error = await infoField(stranger, 'last_sync_error')
    return error?.includes('certificate') ? true : undefined
  })
})
