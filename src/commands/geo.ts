/** Geo commands. Source: kvrocks src/commands/cmd_geo.cc; redis src/geo.c. */

import { geohashText } from '../bytes/geohash.js'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import * as geo from '../types/geo.js'
import { type AddCondition, exists } from '../types/zset.js'
import {
  type AnyCommand,
  command,
  FIRST_KEY,
  FIRST_TWO_KEYS,
  type KeyFinder,
  noOptions,
  READONLY,
  SLOW,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { circleAt, parseSearch, pointAt, type SearchForm, type SearchOptions, unitAt } from './geo-options.js'

const NO_SUCH_MEMBER = err('could not decode requested zset member')

const RESULT_SYNTAX = '[WITHCOORD] [WITHDIST] [WITHHASH]'
const COUNT_SYNTAX = '[COUNT count [ANY]] [ASC | DESC]'
const UNIT_SYNTAX = '<M | KM | FT | MI>'
const STORE_SYNTAX = '[STORE key | STOREDIST key]'
const AREA_SYNTAX = `<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius ${UNIT_SYNTAX} | BYBOX width height ${UNIT_SYNTAX}>`

export const geoCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'geoadd',
      arity: -5,
      flags: WRITE | SLOW,
      keys: FIRST_KEY,
      syntax: 'key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]',
      summary: 'Adds one or more members to a geospatial index. The key is created if it does not exist.',
      since: '3.2.0',
    },
    parseAdd,
    add,
  ),
  command(
    {
      name: 'geodist',
      arity: -4,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key member1 member2 [M | KM | FT | MI]',
      summary: 'Returns the distance between two members of a geospatial index.',
      since: '3.2.0',
    },
    parseDistance,
    distance,
  ),
  command(
    {
      name: 'geohash',
      arity: -2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key [member [member ...]]',
      summary: 'Returns members from a geospatial index as geohash strings.',
      since: '3.2.0',
    },
    noOptions,
    hashes,
  ),
  command(
    {
      name: 'geopos',
      arity: -2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key [member [member ...]]',
      summary: 'Returns the longitude and latitude of members from a geospatial index.',
      since: '3.2.0',
    },
    noOptions,
    positions,
  ),
  searchesRadius('georadius', false),
  searchesRadius('georadius_ro', true),
  searchesRadiusOfMember('georadiusbymember', false),
  searchesRadiusOfMember('georadiusbymember_ro', true),
  command(
    {
      name: 'geosearch',
      arity: -7,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: `key ${AREA_SYNTAX} ${COUNT_SYNTAX} ${RESULT_SYNTAX}`,
      summary: 'Queries a geospatial index for members inside an area of a box or a circle.',
      since: '6.2.0',
    },
    (args) => parseSearch(args, 2, { name: 'GEOSEARCH', isSearch: true, stores: 'never' }, {}),
    (context, args, options) => search(context, args, 1, options, 'geosearchstore'),
  ),
  command(
    {
      name: 'geosearchstore',
      arity: -8,
      flags: WRITE | SLOW,
      keys: FIRST_TWO_KEYS,
      syntax: `destination source ${AREA_SYNTAX} ${COUNT_SYNTAX} [STOREDIST]`,
      summary: 'Queries a geospatial index for members inside an area of a box or a circle, and stores the result.',
      since: '6.2.0',
    },
    (args) => {
      const form: SearchForm = { name: 'GEOSEARCHSTORE', isSearch: true, stores: 'always' }
      return parseSearch(args, 3, form, { storeKey: args.at(1) })
    },
    (context, args, options) => search(context, args, 2, options, 'geosearchstore'),
  ),
]

function searchesRadius(name: string, isReadOnly: boolean): AnyCommand {
  const around = 'longitude latitude'
  return command(
    { ...radiusSpec(name, -6, around, isReadOnly), keys: isReadOnly ? FIRST_KEY : keyAndStoreKeys(6) },
    (args) => {
      const given = { origin: { point: pointAt(args, 2) }, ...circleAt(args, 4) }
      return parseSearch(args, 6, radiusForm(name, isReadOnly), given)
    },
    (context, args, options) => search(context, args, 1, options, 'georadiusstore'),
  )
}

function searchesRadiusOfMember(name: string, isReadOnly: boolean): AnyCommand {
  return command(
    { ...radiusSpec(name, -5, 'member', isReadOnly), keys: isReadOnly ? FIRST_KEY : keyAndStoreKeys(5) },
    (args) => {
      const given = { origin: { member: args.at(2) }, ...circleAt(args, 3) }
      return parseSearch(args, 5, radiusForm(name, isReadOnly), given)
    },
    (context, args, options) => search(context, args, 1, options, 'georadiusstore'),
  )
}

function radiusForm(name: string, isReadOnly: boolean): SearchForm {
  return { name: name.toUpperCase(), isSearch: false, stores: isReadOnly ? 'never' : 'option' }
}

function radiusSpec(name: string, arity: number, around: string, isReadOnly: boolean) {
  const store = isReadOnly ? '' : ` ${STORE_SYNTAX}`
  return {
    name,
    arity,
    flags: (isReadOnly ? READONLY : WRITE) | SLOW,
    syntax: `key ${around} radius ${UNIT_SYNTAX} ${RESULT_SYNTAX} ${COUNT_SYNTAX}${store}`,
    summary: `Queries a geospatial index for members within a distance from a ${around === 'member' ? 'member' : 'coordinate'}.`,
    since: isReadOnly ? '3.2.10' : '3.2.0',
  }
}

/** The first key, and the last one that STORE or STOREDIST names from word `from` on: that is the one written. */
function keyAndStoreKeys(from: number): KeyFinder {
  return (args) => {
    let storeAt = 0
    for (let at = from; at + 1 < args.count; at++) {
      if (args.is(at, 'store') || args.is(at, 'storedist')) storeAt = ++at
    }
    return storeAt === 0 ? [1] : [1, storeAt]
  }
}

interface AddOptions {
  readonly members: readonly geo.PlacedMember[]
  readonly condition: AddCondition
  readonly countChanged: boolean
}

function parseAdd(args: Args): AddOptions {
  let at = 2
  let [nx, xx, countChanged] = [false, false, false]
  for (; at < args.count; at++) {
    if (args.is(at, 'nx')) nx = true
    else if (args.is(at, 'xx')) xx = true
    else if (args.is(at, 'ch')) countChanged = true
    else break
  }
  if ((args.count - at) % 3 !== 0 || at === args.count || (nx && xx)) throw SYNTAX
  const members: geo.PlacedMember[] = []
  for (; at < args.count; at += 3) members.push({ ...pointAt(args, at), member: args.at(at + 2) })
  const condition: AddCondition = { presence: nx ? 'absent' : xx ? 'present' : 'any', change: 'any' }
  return { members, condition, countChanged }
}

function add({ db, reply, events }: Context, args: Args, { members, condition, countChanged }: AddOptions): void {
  const key = args.at(1)
  const { added, changed } = geo.add(db, key, members, condition)
  if (added + changed > 0) events.notify(NOTIFY_ZSET, 'zadd', key)
  reply.integer(countChanged ? added + changed : added)
}

/** The unit's metres. */
function parseDistance(args: Args): number {
  if (args.count > 5) throw SYNTAX
  return args.count === 5 ? unitAt(args, 4) : 1
}

function distance({ db, reply }: Context, args: Args, unitMeters: number): void {
  const meters = geo.distanceBetween(db, args.at(1), args.at(2), args.at(3))
  if (meters === undefined) reply.nil()
  else replyDistance(reply, meters / unitMeters)
}

/** Four decimals, as a bulk string in RESP3 too. */
function replyDistance(reply: Reply, value: number): void {
  reply.bulkText(value.toFixed(4))
}

function hashes({ db, reply }: Context, args: Args): void {
  const found = geo.positions(db, args.at(1), args.rest(2))
  reply.array(found.length)
  for (const point of found) {
    if (point === undefined) reply.nil()
    else reply.bulkText(geohashText(point.longitude, point.latitude))
  }
}

function positions({ db, reply }: Context, args: Args): void {
  const found = geo.positions(db, args.at(1), args.rest(2))
  reply.array(found.length)
  for (const point of found) {
    if (point === undefined) reply.nilArray()
    else replyPoint(reply, point)
  }
}

function replyPoint(reply: Reply, { longitude, latitude }: { longitude: number; latitude: number }): void {
  reply.array(2)
  reply.score(longitude)
  reply.score(latitude)
}

function search(context: Context, args: Args, keyAt: number, options: SearchOptions, event: string): void {
  const { db, reply } = context
  const matches = find(context, args, keyAt, options)
  if (options.storeKey === undefined) {
    reply.array(matches.length)
    for (const match of matches) writeMatch(reply, match, options)
    return
  }
  const wasThere = exists(db, options.storeKey)
  const { storesDistance, unitMeters } = options
  const pairs = matches.map(({ member, score, distanceMeters }) => ({
    member,
    score: storesDistance ? distanceMeters / unitMeters : score,
  }))
  geo.replace(db, options.storeKey, pairs)
  if (pairs.length > 0) context.events.notify(NOTIFY_ZSET, event, options.storeKey)
  else if (wasThere) context.events.notify(NOTIFY_GENERIC, 'del', options.storeKey)
  reply.integer(pairs.length)
}

function find(
  { db }: Context,
  args: Args,
  keyAt: number,
  { origin, extent, selection }: SearchOptions,
): geo.GeoMatch[] {
  const key = args.at(keyAt)
  if ('point' in origin) return geo.search(db, key, { ...origin.point, ...extent }, selection)
  const [middle] = geo.positions(db, key, [origin.member])
  if (middle !== undefined) return geo.search(db, key, { ...middle, ...extent }, selection)
  if (exists(db, key)) throw NO_SUCH_MEMBER
  return []
}

function writeMatch(reply: Reply, match: geo.GeoMatch, options: SearchOptions): void {
  const { withDistance, withHash, withPoint, unitMeters } = options
  const parts = Number(withDistance) + Number(withHash) + Number(withPoint)
  if (parts > 0) reply.array(1 + parts)
  reply.bulk(match.member)
  if (withDistance) replyDistance(reply, match.distanceMeters / unitMeters)
  if (withHash) reply.integer(Math.trunc(match.score))
  if (withPoint) replyPoint(reply, match)
}
