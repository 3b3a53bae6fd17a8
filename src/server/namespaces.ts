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
import { fitsLine, NAMESPACE_PREFIX } from '../config/line.js'
import { OptionError } from '../config/option.js'
import type { Log } from '../log/log.js'
import { err } from '../protocol/errors.js'
import { CF_PROPAGATE } from '../storage/column-family.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Store } from '../storage/store.js'
import { CommitError } from '../storage/turn.js'
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
const EMPTY_TOKEN = err('the token is empty')
const NOT_MODIFIABLE = err(
  'modify namespace requires the server is running with a configuration file or enabled namespace replication',
)
const ILLEGAL_NAME = err('namespace contain illegal letter')
const LONG_NAME = err(`size exceed limit ${NAME_BYTES_MAX}`)
const READ_ONLY = err('namespace is read-only for slave')

export class NamespaceTable implements Namespaces {
  readonly #config: Config
  readonly #store: Store
  readonly #log: Log
  readonly #isGivenByFile: boolean

  constructor(config: Config, store: Store, log: Log) {
    this.#config = config
    this.#store = store
    this.#log = log
    this.#isGivenByFile = config.namespaces.size > 0
    config.storedNamespaces = () => this.#stored() ?? new Map()
    config.onAccepted('repl-namespace-enabled', () => this.#replicationChanged())
  }

  get needsPassword(): boolean {
    return this.#config.values.requirepass !== ''
  }

  authenticate(password: Bytes): Access | undefined {
    const { requirepass } = this.#config.values
    if (password.equals(Buffer.from(requirepass))) return { namespace: DEFAULT_NAMESPACE, isAdmin: true }
    const namespace = isUtf8(password) ? this.#config.namespaces.get(password.utf8Slice(0)) : undefined
    return namespace === undefined ? undefined : { namespace: Buffer.from(namespace), isAdmin: false }
  }

  list(): readonly (readonly [namespace: string, token: string])[] {
    return [...this.#config.namespaces].sort(byBytes).map(([token, namespace]) => [namespace, token] as const)
  }

  token(namespace: Bytes): string | undefined {
    if (!isUtf8(namespace)) return undefined
    const wanted = namespace.utf8Slice(0)
    for (const [token, name] of this.#config.namespaces) if (name === wanted) return token
    return undefined
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
    this.#command(() => {
      this.#forget(namespace)
      this.#config.namespaces.set(token.utf8Slice(0), namespace)
    })
  }

  delete(name: Bytes): void {
    this.#refuseOnReplica()
    if (name.equals(DEFAULT_NAMESPACE)) throw DELETES_DEFAULT
    if (!this.#isModifiable) throw NOT_MODIFIABLE
    if (this.token(name) === undefined) throw NOT_FOUND
    this.#command(() => this.#forget(name.utf8Slice(0)))
  }

  /** As `load`, at the start of the server: a replica that no master has told of namespaces has those of its file. */
  start(): void {
    if (this.#stored() !== undefined) this.load()
  }

  /**
   * Puts the tokens that the file has given into the database, once the server may write there, and takes them out of
   * the file. A failure is logged alone: both are tried again at the next start, and the file has the tokens until then.
   * Source: kvrocks src/server/namespace.cc, LoadAndRewrite.
   */
  moveToDatabase(): void {
    if (!this.#isGivenByFile || !this.#isStored) return
    const stored = this.#stored()
    const { namespaces } = this.#config
    try {
      if ([...namespaces].some(([token, namespace]) => stored?.get(token) !== namespace)) this.#write()
    } catch (error) {
      if (!(error instanceof CommitError)) throw error
      this.#log.warning(`# namespaces: the database does not take the tokens of the file: ${error.cause.message}`)
      return
    }
    this.#tidyFile()
  }

  /**
   * Takes in what the database has; called on a replica after each change of the row. Throws an OptionError if there are
   * tokens in the database and repl-namespace-enabled is no.
   */
  load(): void {
    const { values, namespaces } = this.#config
    if (values['cluster-enabled']) return
    const stored = this.#stored() ?? new Map<string, string>()
    if (stored.size > 0 && !values['repl-namespace-enabled']) {
      throw new OptionError('cannot switch off repl_namespace_enabled when namespaces exist in db')
    }
    if (this.#isReplica && values['repl-namespace-enabled']) namespaces.clear()
    for (const [token, namespace] of stored) if (!namespaces.has(token)) namespaces.set(token, namespace)
  }

  get #isModifiable(): boolean {
    return this.#config.path !== undefined || this.#config.values['repl-namespace-enabled']
  }

  /** True before the link to the master is made, too. */
  get #isReplica(): boolean {
    return this.#config.master !== undefined
  }

  /** Changes go to the database. A replica adds nothing to its master's data. */
  get #isStored(): boolean {
    const { values } = this.#config
    return values['repl-namespace-enabled'] && !values['cluster-enabled'] && !this.#isReplica
  }

  /** Forgets all tokens of a namespace: a file may give it several. */
  #forget(namespace: string): void {
    const tokens = this.#config.namespaces
    for (const [token, name] of [...tokens]) if (name === namespace) tokens.delete(token)
  }

  #refuseOnReplica(): void {
    if (this.#isReplica && this.#config.values['repl-namespace-enabled']) throw READ_ONLY
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
    if (text === '') throw EMPTY_TOKEN
    const isForFile = !values['repl-namespace-enabled']
    if (isForFile && !fitsLine(`${NAMESPACE_PREFIX}${name.utf8Slice(0)}`, text)) throw ILLEGAL_NAME
    if (text === values.requirepass || text === values.masterauth) throw TOKEN_IN_USE
  }

  #command(change: () => void): void {
    try {
      this.#change(change)
    } catch (error) {
      throw error instanceof OptionError ? err(error.reply) : error
    }
  }

  /** Applies a change and makes it durable; takes it back if that fails. */
  #change(apply: () => void): void {
    const tokens = this.#config.namespaces
    const before = [...tokens]
    try {
      // The file says repl-namespace-enabled before the database has tokens, for without it no server starts then; and
      // it has the tokens that are to move until the database has them.
      if (this.#isStored) this.#rewriteFile()
      apply()
      if (this.#isStored) this.#write()
      else this.#rewriteFile()
    } catch (error) {
      tokens.clear()
      for (const [token, namespace] of before) tokens.set(token, namespace)
      throw error
    }
    if (this.#isStored) this.#tidyFile()
  }

  #rewriteFile(): void {
    if (this.#config.path !== undefined) this.#config.rewrite()
  }

  /** Takes out of the file what the database has; where that fails both have it, until the next change or start. */
  #tidyFile(): void {
    // In a transaction the database has it only at the end.
    if (this.#store.turn.isHeld) return
    try {
      this.#rewriteFile()
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      this.#log.warning(`# namespaces: the configuration file keeps tokens that the database has: ${error.message}`)
    }
  }

  #write(): void {
    const json = Buffer.from(JSON.stringify(Object.fromEntries([...this.#config.namespaces].sort(byBytes))))
    const batch = new WriteBatch()
    batch.put(CF_PROPAGATE, STORED_KEY, STORED_KEY.length, json)
    this.#store.turn.writeAlone(batch)
  }

  /** The tokens in the database, undefined where there has never been one; none while it is closed. */
  #stored(): Map<string, string> | undefined {
    if (!this.#store.rocks.isOpen) return undefined
    const row = this.#store.rocks.get(CF_PROPAGATE, STORED_KEY)
    return row === undefined ? undefined : new Map(Object.entries(JSON.parse(row.utf8Slice(0)) as object))
  }

  #replicationChanged(): void {
    const { values } = this.#config
    if (values['cluster-enabled']) return
    if (values['repl-namespace-enabled']) this.#change(() => this.load())
    else this.load()
  }
}

function byBytes([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
