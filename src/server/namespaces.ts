/**
 * Who a password belongs to: requirepass is the administrator's and opens the default namespace, each token opens its
 * namespace. Tokens are kept in the configuration file or, with repl-namespace-enabled, in one row of the propagate
 * column family, which reaches replicas: a JSON object of token to namespace.
 * Source: kvrocks src/server/namespace.cc.
 */

import { isUtf8 } from 'node:buffer'
import type { Bytes } from '../bytes/bytes.js'
import type { Access, Namespaces } from '../commands/server-view.js'
import type { Config } from '../config/config.js'
import { OptionError } from '../config/option.js'
import { err } from '../protocol/errors.js'
import { CF_PROPAGATE } from '../storage/column-family.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Store } from '../storage/store.js'
import { WriteBatch } from '../storage/write-batch.js'

const STORED_KEY = Buffer.from('__namespace_keys__')
const NAME_BYTES_MAX = 255
/** A name must not end in the greatest char, for the end of its range of keys is its successor. */
const GREATEST_CHAR = 0x7f

const EXISTS = err('the namespace already exists')
const TOKEN_EXISTS = err('the token already exists')
const NOT_FOUND = err('the namespace was not found')
const NEEDS_PASSWORD = err('forbidden to add namespace when requirepass was empty')
const NOT_IN_CLUSTER = err('forbidden to add namespace when cluster mode was enabled')
const DELETES_DEFAULT = err('forbidden to delete the default namespace')
const ADDS_DEFAULT = err('forbidden to add the default namespace')
const TOKEN_IN_USE = err('the token is duplicated with requirepass or masterauth')
const NOT_MODIFIABLE = err(
  'modify namespace requires the server is running with a configuration file or enabled namespace replication',
)
const ILLEGAL_NAME = err('namespace contain illegal letter')
const LONG_NAME = err(`size exceed limit ${NAME_BYTES_MAX}`)
const READ_ONLY = err('namespace is read-only for slave')

export class NamespaceTable implements Namespaces {
  readonly #config: Config
  readonly #store: Store
  readonly #isReplica: () => boolean

  constructor(config: Config, store: Store, isReplica: () => boolean) {
    this.#config = config
    this.#store = store
    this.#isReplica = isReplica
    config.onChange('repl-namespace-enabled', () => this.#replicationChanged())
  }

  get needsPassword(): boolean {
    return this.#config.values.requirepass !== ''
  }

  authenticate(password: Bytes): Access | undefined {
    const { requirepass } = this.#config.values
    if (password.equals(Buffer.from(requirepass))) return { namespace: DEFAULT_NAMESPACE, isAdmin: true }
    const namespace = this.#config.namespaces.get(password.utf8Slice(0))
    return namespace === undefined ? undefined : { namespace: Buffer.from(namespace), isAdmin: false }
  }

  list(): readonly (readonly [namespace: string, token: string])[] {
    return [...this.#config.namespaces].sort(byBytes).map(([token, namespace]) => [namespace, token] as const)
  }

  token(namespace: Bytes): string | undefined {
    return this.#tokenOf(namespace.utf8Slice(0))
  }

  add(name: Bytes, token: Bytes): void {
    this.#refuseOnReplica()
    const current = this.token(name)
    if (current !== undefined) {
      if (current === token.utf8Slice(0)) return
      throw EXISTS
    }
    if (this.#config.namespaces.has(token.utf8Slice(0))) throw TOKEN_EXISTS
    this.set(name, token)
  }

  set(name: Bytes, token: Bytes): void {
    this.#refuseOnReplica()
    this.#checkName(name, token)
    const namespace = name.utf8Slice(0)
    const owner = this.#config.namespaces.get(token.utf8Slice(0))
    if (owner !== undefined && owner !== namespace) throw TOKEN_EXISTS
    this.#change((tokens) => {
      const old = this.#tokenOf(namespace)
      if (old !== undefined) tokens.delete(old)
      tokens.set(token.utf8Slice(0), namespace)
    })
  }

  delete(name: Bytes): void {
    this.#refuseOnReplica()
    if (name.equals(DEFAULT_NAMESPACE)) throw DELETES_DEFAULT
    if (!this.#isModifiable) throw NOT_MODIFIABLE
    const token = this.token(name)
    if (token === undefined) throw NOT_FOUND
    this.#change((tokens) => tokens.delete(token))
  }

  /**
   * Takes in what the database has; called at the start, and on a replica after each change of the row. Throws an
   * OptionError if there are tokens in the database and repl-namespace-enabled is no.
   */
  load(): void {
    const { values, namespaces } = this.#config
    if (values['cluster-enabled']) return
    const stored = this.#stored()
    if (stored.size > 0 && !values['repl-namespace-enabled']) {
      throw new OptionError('cannot switch off repl_namespace_enabled when namespaces exist in db')
    }
    if (this.#isReplica() && values['repl-namespace-enabled']) namespaces.clear()
    for (const [token, namespace] of stored) if (!namespaces.has(token)) namespaces.set(token, namespace)
  }

  get #isModifiable(): boolean {
    return this.#config.path !== undefined || this.#config.values['repl-namespace-enabled']
  }

  #tokenOf(namespace: string): string | undefined {
    for (const [token, name] of this.#config.namespaces) if (name === namespace) return token
    return undefined
  }

  #refuseOnReplica(): void {
    if (this.#isReplica() && this.#config.values['repl-namespace-enabled']) throw READ_ONLY
  }

  #checkName(name: Bytes, token: Bytes): void {
    const { values } = this.#config
    if (name.length > NAME_BYTES_MAX) throw LONG_NAME
    if (name.length === 0 || name.at(-1) === GREATEST_CHAR || !isUtf8(name) || !isUtf8(token)) throw ILLEGAL_NAME
    if (values.requirepass === '') throw NEEDS_PASSWORD
    if (values['cluster-enabled']) throw NOT_IN_CLUSTER
    if (!this.#isModifiable) throw NOT_MODIFIABLE
    if (name.equals(DEFAULT_NAMESPACE)) throw ADDS_DEFAULT
    const text = token.utf8Slice(0)
    if (text === values.requirepass || text === values.masterauth) throw TOKEN_IN_USE
  }

  /** Applies a change and makes it durable; takes it back if that fails. */
  #change(apply: (tokens: Map<string, string>) => void): void {
    const tokens = this.#config.namespaces
    const before = [...tokens]
    apply(tokens)
    try {
      this.#persist()
    } catch (error) {
      tokens.clear()
      for (const [token, namespace] of before) tokens.set(token, namespace)
      throw error instanceof OptionError ? err(error.reply) : error
    }
  }

  #persist(): void {
    if (this.#config.path !== undefined) this.#config.rewrite()
    if (this.#isReplica() || !this.#config.values['repl-namespace-enabled']) return
    const json = Buffer.from(JSON.stringify(Object.fromEntries([...this.#config.namespaces].sort(byBytes))))
    const batch = new WriteBatch()
    batch.put(CF_PROPAGATE, STORED_KEY, STORED_KEY.length, json)
    this.#store.turn.writeAlone(batch)
  }

  #stored(): Map<string, string> {
    const row = this.#store.rocks.get(CF_PROPAGATE, STORED_KEY)
    return row === undefined ? new Map() : new Map(Object.entries(JSON.parse(row.utf8Slice(0)) as object))
  }

  #replicationChanged(): void {
    this.load()
    if (this.#config.namespaces.size > 0 && this.#config.values['repl-namespace-enabled']) this.#persist()
  }
}

function byBytes([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
