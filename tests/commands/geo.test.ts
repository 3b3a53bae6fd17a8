import { test } from 'tap'
import { startServer, type TestServer } from '../support/server.js'

/** An array of bulk strings, as bytes. */
function bulks(...items: string[]): string {
  return `*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join('')}`
}

async function addSicily(s: TestServer): Promise<void> {
  await s.run('geoadd', 'sicily', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')
}

test('GEOADD adds and moves members on its conditions, and refuses what is not on the map', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('geoadd', 'g', 13.361389, 38.115556, 'a', 15.087269, 37.502669, 'b'), ':2\r\n')
  t.equal(await s.run('geoadd', 'g', 'NX', 'CH', 0, 0, 'a', 1, 1, 'c'), ':1\r\n')
  t.equal(await s.run('geoadd', 'g', 'XX', 'CH', 0, 0, 'a', 1, 1, 'd'), ':1\r\n')
  t.equal(await s.run('zscore', 'g', 'b'), '$16\r\n3479447370796909\r\n')
  t.equal(await s.run('geoadd', 'g', 200, 100, 'x'), '-ERR invalid longitude,latitude pair 200.000000,100.000000\r\n')
  t.equal(await s.run('geoadd', 'g', 1, 'north', 'x'), '-ERR value is not a valid float\r\n')
  t.equal(await s.run('geoadd', 'g', 'NX', 'XX', 1, 1, 'x'), '-ERR syntax error\r\n')
  t.equal(await s.run('geoadd', 'g', 1, 1, 'x', 1), '-ERR syntax error\r\n')
  await s.run('set', 'str', 'v')
  t.match(await s.run('geoadd', 'str', 1, 1, 'x'), /^-WRONGTYPE /)
})

test('GEODIST, GEOHASH and GEOPOS say where members are', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await addSicily(s)
  t.equal(await client.run('geodist', 'sicily', 'Palermo', 'Catania'), '$11\r\n166274.1516\r\n')
  t.equal(await client.run('geodist', 'sicily', 'Palermo', 'Catania', 'KM'), '$8\r\n166.2742\r\n')
  t.equal(await client.run('geodist', 'sicily', 'Palermo', 'Rome'), '$-1\r\n')
  t.equal(await client.run('geodist', 'none', 'Palermo', 'Rome'), '$-1\r\n')
  t.equal(
    await client.run('geodist', 'sicily', 'Palermo', 'Catania', 'parsec'),
    '-ERR unsupported unit provided. please use M, KM, FT, MI\r\n',
  )
  t.equal(
    await client.run('geohash', 'sicily', 'Palermo', 'x', 'Catania'),
    '*3\r\n$11\r\nsqc8b49rny0\r\n$-1\r\n$11\r\nsqdtr74hyu0\r\n',
  )
  t.equal(await client.run('geopos', 'none', 'x'), '*1\r\n*-1\r\n')
  t.equal(
    await client.run('geopos', 'sicily', 'Palermo'),
    '*1\r\n*2\r\n$18\r\n13.361389338970184\r\n$16\r\n38.1155563954963\r\n',
  )
  await client.run('hello', 3)
  t.equal(
    await client.run('geopos', 'sicily', 'Palermo', 'x'),
    '*2\r\n*2\r\n,13.361389338970184\r\n,38.1155563954963\r\n_\r\n',
  )
  t.equal(await client.run('geodist', 'sicily', 'Palermo', 'Catania', 'mi'), '$8\r\n103.3182\r\n')
})

test('GEOSEARCH finds what is in a circle or a box, nearest first where COUNT asks', async (t) => {
  await using s = await startServer()
  await addSicily(s)
  await s.run('geoadd', 'sicily', 12.758489, 38.788135, 'edge1', 17.24151, 38.788135, 'edge2')
  const around = ['fromlonlat', 15, 37] as const
  t.equal(await s.run('geosearch', 'sicily', ...around, 'byradius', 200, 'km', 'ASC'), bulks('Catania', 'Palermo'))
  t.equal(
    await s.run('geosearch', 'sicily', ...around, 'bybox', 400, 400, 'km', 'DESC'),
    bulks('edge1', 'edge2', 'Palermo', 'Catania'),
  )
  t.equal(await s.run('geosearch', 'sicily', ...around, 'bybox', 400, 400, 'km', 'COUNT', 1), bulks('Catania'))
  t.equal(
    await s.run(
      'geosearch',
      'sicily',
      'frommember',
      'Palermo',
      'byradius',
      1,
      'm',
      'WITHCOORD',
      'WITHDIST',
      'WITHHASH',
    ),
    `*1\r\n*4\r\n$7\r\nPalermo\r\n$6\r\n0.0000\r\n:3479099956230698\r\n${bulks('13.361389338970184', '38.1155563954963')}`,
  )
  t.equal(await s.run('geosearch', 'none', 'frommember', 'x', 'byradius', 1, 'm'), '*0\r\n')
  t.equal(
    await s.run('geosearch', 'sicily', 'frommember', 'x', 'byradius', 1, 'm'),
    '-ERR could not decode requested zset member\r\n',
  )
  t.equal(
    await s.run('geosearch', 'sicily', 'bybox', 88, 88, 'm', 'asc'),
    '-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH\r\n',
  )
  t.equal(
    await s.run('geosearch', 'sicily', ...around, 'ASC', 'COUNT', 1),
    '-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH\r\n',
  )
  t.equal(
    await s.run('geosearch', 'sicily', ...around, 'byradius', 1, 'm', 'ANY'),
    '-ERR the ANY argument requires COUNT argument\r\n',
  )
})

test('stores keep geohashes or distances, and delete the destination for nothing', async (t) => {
  await using s = await startServer()
  await addSicily(s)
  t.equal(await s.run('geosearchstore', 'd', 'sicily', 'fromlonlat', 15, 37, 'byradius', 200, 'km'), ':2\r\n')
  t.equal(await s.run('zrange', 'd', 0, -1), bulks('Palermo', 'Catania'))
  t.equal(await s.run('georadius', 'sicily', 15, 37, 200, 'km', 'STOREDIST', 'd'), ':2\r\n')
  t.match(await s.run('zrange', 'd', 0, -1, 'withscores'), /^\*4\r\n\$7\r\nCatania\r\n\$\d+\r\n56\.44125787/)
  t.equal(await s.run('georadiusbymember', 'sicily', 'Palermo', 1, 'm', 'STORE', 'd', 'COUNT', 5), ':1\r\n')
  t.equal(
    await s.run('georadius', 'sicily', 15, 37, 200, 'km', 'WITHDIST', 'STORE', 'd'),
    '-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n',
  )
  t.equal(await s.run('georadius_ro', 'sicily', 15, 37, 200, 'km', 'STORE', 'd'), '-ERR syntax error\r\n')
  t.equal(await s.run('geosearchstore', 'd', 'none', 'fromlonlat', 15, 37, 'byradius', 200, 'km'), ':0\r\n')
  t.equal(await s.run('type', 'd'), '+none\r\n')
})

test('COMMAND GETKEYS finds the keys after STORE and STOREDIST', async (t) => {
  await using s = await startServer()
  const run = (...words: string[]) => s.run('command', 'getkeys', ...words)
  t.equal(await run('georadius', 'a', '1', '2', '3', 'km', 'STORE', 'b'), bulks('a', 'b'))
  t.equal(await run('georadiusbymember', 'a', 'm', '3', 'km', 'COUNT', '1', 'STOREDIST', 'b'), bulks('a', 'b'))
  t.equal(await run('georadius', 'a', '1', '2', '3', 'km', 'STORE', 'b', 'STOREDIST', 'c'), bulks('a', 'c'), 'the last')
  t.equal(await run('geosearchstore', 'd', 'a', 'frommember', 'm', 'byradius', '1', 'km'), bulks('d', 'a'))
})
