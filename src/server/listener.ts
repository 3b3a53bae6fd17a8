/** Listens on the configured addresses: TCP, TLS and the Unix socket. */

import { constants } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { Config } from '../config/config.js'
import type { ConfigValues } from '../config/options.js'

export type OnSocket = (socket: Socket) => void

/** A client that ends its side after its requests still gets their replies. */
const SOCKET_OPTIONS = { allowHalfOpen: true }

export class Listener {
  readonly #config: Config
  readonly #onSocket: OnSocket
  readonly #servers: NetServer[] = []
  readonly #tlsServers: (NetServer & { setSecureContext(options: TlsOptions): void })[] = []
  /** The TCP port in use; 0 if there is none. */
  port = 0
  /** The TLS port in use; 0 if there is none. */
  tlsPort = 0

  constructor(config: Config, onSocket: OnSocket) {
    this.#config = config
    this.#onSocket = onSocket
  }

  /** Listens on all of the configured addresses, or on none: the error of the first that fails is thrown. */
  async open(): Promise<void> {
    const { values } = this.#config
    try {
      if (values['socket-fd'] >= 0)
        await this.#listen(createServer(SOCKET_OPTIONS, this.#onSocket), { fd: values['socket-fd'] })
      else for (const host of this.#config.binds) this.port = await this.#listenTcp(host, this.port || values.port)
      if (values['tls-port'] > 0) {
        for (const host of this.#config.binds) this.tlsPort = await this.#listenTls(host, values['tls-port'])
      }
      if (values.unixsocket !== '') await this.#listenUnix(values.unixsocket, values.unixsocketperm)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Reads certificates and settings of TLS again, for connections to come. Throws if they are not usable. */
  reloadTls(): void {
    if (this.#tlsServers.length === 0) return
    const options = tlsOptions(this.#config.values)
    for (const server of this.#tlsServers) server.setSecureContext(options)
  }

  /** Accepts no more connections; those that there are stay. */
  async close(): Promise<void> {
    const closing = this.#servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done())))
    // close() answers when the last connection has ended, which its owner sees to.
    await Promise.race([Promise.all(closing), new Promise((done) => setImmediate(done))])
  }

  async #listenTcp(host: string, port: number): Promise<number> {
    const server = createServer(SOCKET_OPTIONS, this.#onSocket)
    await this.#listen(server, { host, port, backlog: this.#config.values['tcp-backlog'] })
    return boundPort(server)
  }

  async #listenTls(host: string, port: number): Promise<number> {
    const server = createTlsServer({ ...SOCKET_OPTIONS, ...tlsOptions(this.#config.values) }, this.#onSocket)
    // A client that fails the handshake is no error of the server.
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#tlsServers.push(server)
    await this.#listen(server, { host, port, backlog: this.#config.values['tcp-backlog'] })
    return boundPort(server)
  }

  async #listenUnix(path: string, mode: number): Promise<void> {
    rmSync(path, { force: true })
    await this.#listen(createServer(SOCKET_OPTIONS, this.#onSocket), { path })
    chmodSync(path, mode)
  }

  #listen(server: NetServer, where: object): Promise<void> {
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...where, exclusive: false }, () => {
        server.off('error', reject)
        // An accept that fails, as for want of file descriptors, must not end the server.
        server.on('error', () => {})
        resolve()
      })
    })
  }
}

/** How CLIENT LIST shows an end of a connection; `unixPath` for one of a unix socket. */
export function addressOf(host: string | undefined, port: number | undefined, unixPath: string): string {
  if (host === undefined || port === undefined) return `${unixPath}:0`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function boundPort(server: NetServer): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const PROTOCOL_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

/** The tls-* options of both ends of a connection. Throws if a file cannot be read. */
export function secureContext(values: Readonly<ConfigValues>): SecureContextOptions {
  const named = PROTOCOL_VERSIONS.filter((version) =>
    values['tls-protocols'].toLowerCase().split(/\s+/).includes(version.toLowerCase()),
  )
  const ciphers = [values['tls-ciphersuites'], values['tls-ciphers']].filter((list) => list !== '').join(':')
  const authorities = authorityFiles(values).map((path) => readFileSync(path))
  return {
    cert: readFileSync(values['tls-cert-file']),
    key: readFileSync(values['tls-key-file']),
    ...(values['tls-key-file-pass'] === '' ? {} : { passphrase: values['tls-key-file-pass'] }),
    ...(authorities.length === 0 ? {} : { ca: authorities }),
    // Node keeps no cache of sessions: what a client may resume is in the ticket that it was given.
    ...(values['tls-session-caching'] ? {} : { secureOptions: constants.SSL_OP_NO_TICKET }),
    ...(ciphers === '' ? {} : { ciphers }),
    ...(named.length === 0 ? {} : { minVersion: named[0]!, maxVersion: named.at(-1)! }),
    honorCipherOrder: values['tls-prefer-server-ciphers'],
    sessionTimeout: values['tls-session-cache-timeout'],
  }
}

/** The tls-* options of a server. Throws if a file cannot be read. */
function tlsOptions(values: Readonly<ConfigValues>): TlsOptions {
  const mode = values['tls-auth-clients'].toLowerCase()
  return {
    ...secureContext(values),
    requestCert: mode !== 'no',
    rejectUnauthorized: mode !== 'no' && mode !== 'optional',
  }
}

function authorityFiles(values: Readonly<ConfigValues>): string[] {
  const file = values['tls-ca-cert-file']
  const directory = values['tls-ca-cert-dir']
  const found = directory === '' ? [] : readdirSync(directory).map((name) => join(directory, name))
  return [...(file === '' ? [] : [file]), ...found.filter((path) => statSync(path).isFile())]
}
