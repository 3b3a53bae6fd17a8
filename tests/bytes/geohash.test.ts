import { test } from 'tap'
import { formatDouble } from '../../src/bytes/double.js'
import { distanceInside, distanceMeters, type GeoShape, scoreRanges } from '../../src/bytes/geo-search.js'
import { decodeGeohash, encodeGeohash, geohashText, isEncodable } from '../../src/bytes/geohash.js'
import { formatLongDouble, toLongDouble } from '../../src/bytes/long-double.js'
import { REDIS_MAJOR, REDIS_MISSING, startRedisServer } from '../support/redis-server.js'

const PALERMO = { longitude: 13.361389, latitude: 38.115556 }
const CATANIA = { longitude: 15.087269, latitude: 37.502669 }

test('a point becomes a score, and a score the middle of its cell', async (t) => {
  t.equal(encodeGeohash(PALERMO.longitude, PALERMO.latitude), 3479099956230698)
  t.same(decodeGeohash(3479099956230698), { longitude: 13.361389338970184, latitude: 38.1155563954963 })
  t.equal(encodeGeohash(-180, -85.05112878), 0)
  t.equal(encodeGeohash(180, 85.05112878), 2 ** 53 + 2 ** 52)
})

test('geohashText is the geohash of the rest of the world', async (t) => {
  t.equal(geohashText(PALERMO.longitude, PALERMO.latitude), 'sqc8b49rny0')
  t.equal(geohashText(CATANIA.longitude, CATANIA.latitude), 'sqdtr74hyu0')
})

test('isEncodable knows the edges', async (t) => {
  t.ok(isEncodable(180, -85.05112878))
  for (const [longitude, latitude] of [
    [180.1, 0],
    [0, 85.06],
    [Number.NaN, 0],
    [0, Number.NaN],
  ] as const) {
    t.notOk(isEncodable(longitude, latitude), `${longitude} ${latitude}`)
  }
})

test('distances are those of the great circle', async (t) => {
  const stored = [PALERMO, CATANIA].map((point) => decodeGeohash(encodeGeohash(point.longitude, point.latitude)))
  t.equal(distanceMeters(stored[0]!, stored[1]!).toFixed(4), '166274.1516')
  t.equal(distanceMeters(PALERMO, PALERMO), 0)
  t.equal(distanceMeters({ longitude: 5, latitude: 0 }, { longitude: 5, latitude: 1 }).toFixed(1), '111226.3')
})

/** As the redis-server at hand prints it: in the shortest form since Redis 8, before as a long double. */
function printCoordinate(degrees: number): string {
  return REDIS_MAJOR < 8 ? formatLongDouble(toLongDouble(degrees)) : formatDouble(degrees)
}

/** A sequence of numbers in [0, 1) that is the same in each run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16807) % 2147483647
    return state / 2147483647
  }
}

test('points, texts, distances and searches are those of redis-server', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(redis.stop)
  const { client } = redis
  const next = random(20241)
  const points = new Map<string, number>()
  const add: (string | number)[] = []
  for (let index = 0; index < 3000; index++) {
    const spread = index % 3 === 0 ? 1 : 0.01
    const longitude = (next() * 360 - 180) * spread
    const latitude = (next() * 170 - 85) * spread
    points.set(`p${index}`, encodeGeohash(longitude, latitude))
    add.push(longitude, latitude, `p${index}`)
  }
  await client.geoadd('k', ...(add as [number, number, string]))
  const names = [...points.keys()].sort((a, b) => points.get(a)! - points.get(b)! || (a < b ? -1 : 1))
  for (let index = 0; index < 300; index++) {
    const a = names[index]!
    const b = names[names.length - 1 - index]!
    const from = decodeGeohash(points.get(a)!)
    t.equal(await client.zscore('k', a), String(points.get(a)))
    const printed = [from.longitude, from.latitude].map(printCoordinate)
    t.same(await client.geopos('k', a), [printed])
    t.same(await client.geohash('k', a), [geohashText(from.longitude, from.latitude)])
    t.equal(await client.geodist('k', a, b), distanceMeters(from, decodeGeohash(points.get(b)!)).toFixed(4))
  }
  for (let index = 0; index < 300; index++) {
    const shape = randomShape(next, index)
    const found = names.filter((name) => distanceInside(shape, decodeGeohash(points.get(name)!)) !== undefined)
    const inRanges = scoreRanges(shape).flatMap(({ min, max }) =>
      found.filter((name) => points.get(name)! >= min && points.get(name)! < max),
    )
    const { longitude, latitude } = shape
    const area =
      shape.kind === 'circle'
        ? ['BYRADIUS', shape.radiusMeters, 'M']
        : ['BYBOX', shape.widthMeters, shape.heightMeters, 'M']
    const reply = await client.call('GEOSEARCH', 'k', 'FROMLONLAT', longitude, latitude, ...area)
    t.same(inRanges, [...new Set(reply as string[])], JSON.stringify(shape))
  }
})

function randomShape(next: () => number, index: number): GeoShape {
  const near = index % 2 === 0 ? 0.02 : 1
  const middle = { longitude: (next() * 360 - 180) * near, latitude: (next() * 170 - 85) * near }
  const size = 10 ** (2 + next() * 5)
  if (index % 3 === 0) return { kind: 'box', ...middle, widthMeters: size, heightMeters: size * next() }
  return { kind: 'circle', ...middle, radiusMeters: size }
}
