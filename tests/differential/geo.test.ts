/** Random geo commands, and their replies compared byte by byte with those of a redis-server. */

import { test } from 'tap'
import { formatLongDouble, toLongDouble } from '../../src/bytes/long-double.js'
import { type Ask, type Choose, type CommandMaker, compareWithRedis } from '../support/differential.js'
import { REDIS_MAJOR, REDIS_MISSING } from '../support/redis-server.js'
import type { Word } from '../support/server.js'

const KEYS = ['g', 'g', 'g', 'h', 'none', 'text']
const MEMBERS = Array.from({ length: 40 }, (_, index) => `m${index}`)
const LONGITUDES = [-180, 180, 0, 13.361389, 15.087269, 179.9, -179.9, -73.935242, 2.3522, 190, 'x']
const LATITUDES = [-85.05, 85.05, 0, 38.115556, 37.502669, 40.73061, 48.8566, 70.5, -86, 'x']
const RADII = [0, 1, 200, 500, 5000, 10_000, 20_000, -1, 'x']
const UNITS = ['m', 'km', 'KM', 'ft', 'mi', 'parsec']

function degrees(choose: Choose, listed: readonly Word[], most: number): Word {
  const digits = Array.from({ length: 6 }, () => choose([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).join('')
  return choose([choose(listed), Number(`0.${digits}`) * most, Number(`-0.${digits}`) * most])
}

function point(choose: Choose): Word[] {
  return [degrees(choose, LONGITUDES, 180), degrees(choose, LATITUDES, 85)]
}

function results(choose: Choose): Word[] {
  const sort = choose([['asc'], ['desc'], ['ASC'], []])
  const count = choose([[], [], ['count', 3], ['count', 1], ['count', 0], ['count', 2, 'any'], ['any']])
  const shown = [['withdist'], ['withcoord'], ['withhash'], []].flatMap((words) => choose([words, []]))
  return [...sort, ...count, ...shown]
}

function origin(choose: Choose): Word[] {
  return choose([['frommember', choose(MEMBERS)], ['fromlonlat', ...point(choose)], []])
}

function area(choose: Choose): Word[] {
  return choose([
    ['byradius', choose(RADII), choose(UNITS)],
    ['bybox', choose(RADII), choose(RADII), choose(UNITS)],
    ['bybox', 400, choose(RADII), 'km'],
    ['byradius', choose(RADII), 'km'],
  ])
}

function stored(choose: Choose): Word[] {
  return choose([[], ['store', 'dst'], ['storedist', 'dst'], ['store']])
}

const COMMANDS: readonly CommandMaker[] = [
  (c) => ['geoadd', c(KEYS), ...c([[], ['nx'], ['xx', 'ch'], ['nx', 'xx'], ['ch']]), ...point(c), c(MEMBERS)],
  (c) => ['geoadd', c(KEYS), ...point(c), c(MEMBERS), ...point(c), c(MEMBERS)],
  (c) => ['geoadd', 'g', ...point(c), c(MEMBERS)],
  (c) => ['geodist', c(KEYS), c(MEMBERS), c(MEMBERS), ...c([[], [c(UNITS)], ['m', 'm']])],
  (c) => ['geohash', c(KEYS), c(MEMBERS), c(MEMBERS)],
  (c) => ['geopos', c(KEYS), c(MEMBERS), c(MEMBERS)],
  (c) => ['zrange', c(KEYS), 0, -1],
  (c) => ['geosearch', c(KEYS), ...origin(c), ...area(c), ...results(c)],
  (c) => ['geosearch', 'g', ...origin(c), ...area(c), ...results(c)],
  (c) => ['geosearchstore', 'dst', c(KEYS), ...origin(c), ...area(c), ...results(c), ...c([[], ['storedist']])],
  (c) => [c(['georadius', 'georadius_ro']), c(KEYS), ...point(c), c(RADII), c(UNITS), ...results(c)],
  (c) => ['georadius', c(KEYS), ...point(c), c(RADII), c(UNITS), ...results(c), ...stored(c)],
  (c) => ['georadiusbymember', 'g', c(MEMBERS), c(RADII), c(UNITS), ...results(c), ...stored(c)],
  (c) => ['georadiusbymember_ro', 'g', c(MEMBERS), c(RADII), c(UNITS), ...results(c)],
  () => ['zrange', 'dst', 0, -1],
]

const SEEN_FIRST = /^-(?:WRONGTYPE |ERR could not decode requested zset member)/

/** Redis reads the key before the options, and prints the command's name as the client spelt it. */
function known(ours: string, redis: string): string {
  if (!ours.startsWith('-')) {
    const printed = REDIS_MAJOR < 8 ? withLongCoordinates(ours) : ours
    if (REDIS_MAJOR >= 8 && withReadCoordinates(printed) === withReadCoordinates(redis)) return redis
    return hasTie(printed) && sortedLines(printed) === sortedLines(redis) ? redis : printed
  }
  return SEEN_FIRST.test(redis) || ours.toLowerCase() === redis.toLowerCase() ? redis : ours
}

/** Whether two members show the same distance or hash: Redis's sort leaves the order of such open. */
function hasTie(reply: string): boolean {
  const places = reply.match(/^(?::\d{2,}|,?\d+\.\d{4})\r$/gm) ?? []
  return new Set(places).size < places.length
}

/**
 * COUNT takes some of the members that are equally far away as it likes: Redis sorts a part of them alone. Both answers
 * must have members at the same distances, one by one, as Redis itself tells them.
 */
async function takesOthersAsFar(words: readonly Word[], ours: string, redis: string, ask: Ask): Promise<boolean> {
  const countAt = words.indexOf('count')
  if (countAt < 0 || words.includes('any') || words.some((word) => /^store/.test(String(word)))) return false
  const all = await ask([...words.slice(0, countAt), ...words.slice(countAt + 2), 'withdist'])
  const distances = new Map(
    [...all.matchAll(/\r\n(m\d+)\r\n(?:\$\d+\r\n|,)([\d.]+)\r\n/g)].map(([, name, far]) => [name, far]),
  )
  const found = (reply: string) => [...reply.matchAll(/\r\n(m\d+)\r\n/g)].map(([, name]) => distances.get(name))
  const [ourFound, theirFound] = [found(ours), found(redis)]
  const isSame = ourFound.every((far, index) => far !== undefined && far === theirFound[index])
  return ourFound.length > 0 && ourFound.length === theirFound.length && isSame
}

function sortedLines(reply: string): string {
  return reply.split('\r\n').sort().join('\n')
}

/** Coordinates as Redis 7 prints them, as long doubles; Redis 8 prints the shortest form. Distances have 4 decimals. */
function withLongCoordinates(reply: string): string {
  return reply
    .replace(/^\$\d+\r\n(-?\d+\.\d{5,}|-?\d[.\d]*e-\d+)\r$/gm, (_, text) => {
      const long = longCoordinate(text)
      return `$${long.length}\r\n${long}\r`
    })
    .replace(/^,(-?\d+\.\d{5,}|-?\d[.\d]*e-\d+)\r$/gm, (_, text) => `,${longCoordinate(text)}\r`)
}

/** Coordinates as read back, bulks without their length: Redis 8 (Grisu) may print a digit more than the shortest form. */
function withReadCoordinates(reply: string): string {
  return reply.replace(/^(?:\$\d+\r\n|,)(-?\d+\.\d{5,}|-?\d[.\d]*e-\d+)\r$/gm, (_, text) => String(Number(text)))
}

function longCoordinate(text: string): string {
  return formatLongDouble(toLongDouble(Number(text)))
}

for (const protocol of [2, 3] as const) {
  test(`geo commands answer as Redis does, RESP${protocol}`, { skip: REDIS_MISSING }, async (t) => {
    const before = [
      ['set', 'text', 'v'],
      ['geoadd', 'g', 13.361389, 38.115556, 'm1', 15.087269, 37.502669, 'm2'],
    ]
    t.same(
      await compareWithRedis({ protocol, runs: 3000, before, makers: COMMANDS, known, leavesOpen: takesOthersAsFar }),
      undefined,
    )
  })
}
