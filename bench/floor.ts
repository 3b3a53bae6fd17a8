/**
 * The least that a server of this design can be: `net`, the parser, one batch a turn, RocksDB; PING, GET, SET and MSET of
 * plain strings, and no checks, statistics, namespaces, limits or cache. What kvrocks-ts takes more than this is what all
 * that costs; what this takes more than redis-server is what Node.js and RocksDB cost.
 *
 *   node dist/bench/floor.js --port N --dir DIRECTORY
 */

import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bytes } from '../src/bytes/bytes.js'
import { createConfig } from '../src/config/load.js'
import type { Args } from '../src/protocol/args.js'
import { RequestParser } from '../src/protocol/request-parser.js'
import { RocksDB } from '../src/rocksdb/rocksdb.js'
import { CF_METADATA } from '../src/storage/column-family.js'
import { DEFAULT_NAMESPACE, namespacePrefix } from '../src/storage/keys.js'
import { TYPE_LOG_DATA } from '../src/storage/log-data.js'
import { freshHeader, TYPE_STRING } from '../src/storage/metadata.js'
import { rocksdbOptions } from '../src/storage/open-store.js'
import { WriteBatch } from '../src/storage/write-batch.js'

interface Client {
  readonly socket: Socket
  readonly parser: RequestParser
  out: Buffer
  length: number
  isInTurn: boolean
}

const OUT_BYTES = 1 << 16
/** A turn ends when less than this is left of a client's buffer: the bench asks for small values. */
const OUT_BYTES_LEFT_MIN = 1 << 13
const OK = Buffer.from('+OK\r\n')
const PONG = Buffer.from('+PONG\r\n')
const NOTHING = Buffer.from('*0\r\n')
const NIL = Buffer.from('$-1\r\n')
const HEADER = freshHeader(TYPE_STRING)
const PREFIX = namespacePrefix(DEFAULT_NAMESPACE)

const { values: given } = parseArgs({ options: { port: { type: 'string' }, dir: { type: 'string' } } })
const rocks = RocksDB.open(join(given.dir ?? '.', 'db'), rocksdbOptions(createConfig({}).values))
const batch = new WriteBatch(rocks.keyBuffer)
const limits = { bulkBytesMax: 512 * 1024 * 1024, authenticated: true }
let turn: Client[] = []

function endTurn(): void {
  if (!batch.isEmpty) {
    const { length } = batch
    rocks.write(batch.serialize(), length, 0)
    batch.clear()
  }
  const clients = turn
  turn = []
  for (const client of clients) {
    client.isInTurn = false
    client.socket.write(client.out.subarray(0, client.length))
    if (client.socket.writableLength > 0) client.out = Buffer.allocUnsafeSlow(OUT_BYTES)
    client.length = 0
  }
}

function compose(key: Bytes): number {
  rocks.keyBuffer.set(PREFIX)
  rocks.keyBuffer.set(key, PREFIX.length)
  return PREFIX.length + key.length
}

function put(key: Bytes, value: Bytes): void {
  batch.logData(TYPE_LOG_DATA[TYPE_STRING] as Buffer)
  batch.put(CF_METADATA, rocks.keyBuffer, compose(key), HEADER, value)
}

function answer(client: Client, bytes: Bytes): void {
  client.out.set(bytes, client.length)
  client.length += bytes.length
}

function answerGet(client: Client, key: Bytes): void {
  const length = rocks.read(CF_METADATA, compose(key)) - HEADER.length
  if (length < 0) {
    answer(client, NIL)
    return
  }
  client.length += client.out.latin1Write(`$${length}\r\n`, client.length)
  client.length += rocks.valueBuffer.copy(client.out, client.length, HEADER.length, HEADER.length + length)
  client.length += client.out.latin1Write('\r\n', client.length)
}

function answerSet(client: Client, args: Args): void {
  for (let index = 1; index < args.count; index += 2) put(args.at(index), args.at(index + 1))
  answer(client, OK)
}

const COMMANDS: Readonly<Record<string, (client: Client, args: Args) => void>> = {
  PING: (client) => answer(client, PONG),
  GET: (client, args) => answerGet(client, args.at(1)),
  SET: answerSet,
  MSET: answerSet,
  // redis-benchmark asks, and makes do with nothing.
  CONFIG: (client) => answer(client, NOTHING),
}

function run(client: Client, args: Args): void {
  const command = COMMANDS[args.latin1(0)]
  if (command === undefined) throw new Error(`the floor has no ${args.latin1(0)}`)
  command(client, args)
}

createServer({ noDelay: true }, (socket) => {
  const parser = new RequestParser(limits)
  const client: Client = { socket, parser, out: Buffer.allocUnsafeSlow(OUT_BYTES), length: 0, isInTurn: false }
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    parser.feed(chunk)
    while (parser.next()) {
      if (!client.isInTurn) {
        client.isInTurn = true
        if (turn.push(client) === 1) setImmediate(endTurn)
      }
      run(client, parser.args)
      if (client.out.length - client.length < OUT_BYTES_LEFT_MIN) endTurn()
    }
  })
}).listen(Number(given.port), '127.0.0.1')
