/**
 * Keyspace notifications: messages on __keyspace@N__:key and __keyevent@N__:event for those who subscribed to them.
 * Source: redis src/notify.c, notifyKeyspaceEvent.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { KeyEvents } from '../commands/key-events.js'
import type { Config } from '../config/config.js'
import {
  NOTIFY_EXPIRED,
  NOTIFY_GENERIC,
  NOTIFY_HASH,
  NOTIFY_KEYEVENT,
  NOTIFY_KEYSPACE,
  NOTIFY_NEW,
} from '../config/keyspace-events.js'
import type { ConfigValues } from '../config/options.js'
import type { Channels } from '../pubsub/channels.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Expired } from '../storage/metadata.js'
import type { TouchedKeys } from '../storage/touched-keys.js'

const WHERE = NOTIFY_KEYSPACE | NOTIFY_KEYEVENT

export class KeyNotifier implements KeyEvents {
  readonly #config: Readonly<ConfigValues>
  readonly #channels: Channels
  readonly #namespace: () => Bytes

  /** `namespace` is asked at each event: that of the client whose command it is. */
  constructor(config: Readonly<ConfigValues>, channels: Channels, namespace: () => Bytes) {
    this.#config = config
    this.#channels = channels
    this.#namespace = namespace
  }

  get classes(): number {
    const classes = this.#config['notify-keyspace-events']
    return (classes & WHERE) === 0 ? 0 : classes
  }

  /** Tells of a key that was deleted because its time, or that of all its fields, was over. */
  notifyExpired(key: Bytes, part: Expired): void {
    if (part === 'key') {
      this.notify(NOTIFY_EXPIRED, 'expired', key)
      return
    }
    this.notify(NOTIFY_HASH, 'hexpired', key)
    if (part === 'fields') this.notify(NOTIFY_GENERIC, 'del', key)
  }

  notify(eventClass: number, event: string, key: Bytes): void {
    const { classes } = this
    if ((classes & eventClass) === 0 || this.#channels.isQuiet) return
    const database = databaseLabel(this.#namespace(), this.#config['redis-databases'])
    const name = Buffer.from(event, 'latin1')
    if ((classes & NOTIFY_KEYSPACE) !== 0) {
      this.#channels.publish(Buffer.concat([Buffer.from(`__keyspace@${database}__:`), key]), name)
    }
    if ((classes & NOTIFY_KEYEVENT) !== 0) {
      this.#channels.publish(Buffer.from(`__keyevent@${database}__:${event}`), Buffer.from(key))
    }
  }
}

/** Has keys that come to be told of while the configuration says so: looking for what was there costs a read a write. */
export function tellNewKeys(config: Config, channels: Channels, touched: TouchedKeys): void {
  const tell = (namespace: Bytes, key: Bytes): void => {
    new KeyNotifier(config.values, channels, () => namespace).notify(NOTIFY_NEW, 'new', key)
  }
  const follow = (): void => {
    touched.newKeyListener = (config.values['notify-keyspace-events'] & NOTIFY_NEW) === 0 ? undefined : tell
  }
  config.onChange(['notify-keyspace-events'], follow)
  follow()
}

/**
 * What stands for a namespace where Redis has the number of a database: 0 for the default one, N for the one that SELECT N
 * enters, `ns:` and the name, with unsafe bytes as %XX, for others. Source: kvrocks, MapNamespaceToKeyspaceDB.
 */
function databaseLabel(namespace: Bytes, redisDatabases: number): string {
  if (namespace.equals(DEFAULT_NAMESPACE)) return '0'
  const name = namespace.latin1Slice(0)
  const number = /^db([1-9][0-9]*)$/.exec(name)?.[1]
  if (number !== undefined && Number(number) < redisDatabases) return number
  return `ns:${name.replace(/[^A-Za-z0-9._-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)}`
}
