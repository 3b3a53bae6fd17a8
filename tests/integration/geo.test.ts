/** Places: adding, distances, hashes, and searches in circles and boxes. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'geo',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'GEOADD adds and moves, and refuses what is not on the map': `
      GEOADD nyc -73.9454966 40.747533 "lic market" => 1
      GEOADD nyc -73.9454966 40.747533 "lic market" => 0
      GEOADD nyc -73.9454966 40.747533 "lic market" foo bar "luck market" => -ERR value is not a valid float
      GEOADD nyc 181 40 x => -ERR invalid longitude,latitude pair 181.000000,40.000000
      GEOADD nyc 73 86 x => -ERR invalid longitude,latitude pair 73.000000,86.000000
      GEOADD nyc -73.9733487 40.7648057 "central park n/q/r" -73.9903085 40.7362513 "union square" -74.0131604 40.7126674 "wtc one" -73.7858139 40.6428986 jfk -73.9375699 40.7498929 q4 -73.9564142 40.7480973 4545 => 6
      ZRANGE nyc 0 -1 WITHSCORES =2> ["wtc one" "1791873972053020" "union square" "1791875485187452" "central park n/q/r" "1791875761332224" "4545" "1791875796750882" "lic market" "1791875804419201" "q4" "1791875830079666" "jfk" "1791895905559723"] =3> [["wtc one" ,1791873972053020] ["union square" ,1791875485187452] ["central park n/q/r" ,1791875761332224] ["4545" ,1791875796750882] ["lic market" ,1791875804419201] ["q4" ,1791875830079666] ["jfk" ,1791895905559723]]
    `,
    'GEORADIUS finds what is in a circle, nearest first': `
      GEOADD nyc -73.9454966 40.747533 "lic market" -73.9733487 40.7648057 "central park n/q/r" -73.9903085 40.7362513 "union square" -74.0131604 40.7126674 "wtc one" -73.7858139 40.6428986 jfk -73.9375699 40.7498929 q4 -73.9564142 40.7480973 4545 => 7
      GEORADIUS nyc -73.9798091 40.7598464 3 km ASC => ["central park n/q/r" "4545" "union square"]
      GEORADIUS nyc -73.9798091 40.7598464 10 km COUNT 3 => ["central park n/q/r" "4545" "union square"]
      GEORADIUS nyc -73.9798091 40.7598464 10 km COUNT 2 DESC => ["wtc one" "q4"]
      GEORADIUS nyc -73.9798091 40.7598464 3 km WITHDIST ASC => [["central park n/q/r" "0.7750"] ["4545" "2.3651"] ["union square" "2.7697"]]
      GEORADIUS_RO nyc -73.9798091 40.7598464 3 km ASC => ["central park n/q/r" "4545" "union square"]
      GEORADIUS none 13 38 50 km => []
      GEOADD users -47.271613776683807 -54.534504198047678 user => 1
      GEORADIUS users 0 0 50000 km => ["user"]
    `,
    'GEORADIUSBYMEMBER finds what is near a member': `
      GEORADIUSBYMEMBER none member 1 km => []
      GEORADIUSBYMEMBER_RO none member 1 km => []
      GEOADD nyc -73.9454966 40.747533 "lic market" -73.9733487 40.7648057 "central park n/q/r" -73.9903085 40.7362513 "union square" -74.0131604 40.7126674 "wtc one" -73.7858139 40.6428986 jfk -73.9375699 40.7498929 q4 -73.9564142 40.7480973 4545 => 7
      GEORADIUSBYMEMBER nyc "wtc one" 7 km ASC => ["wtc one" "union square" "4545" "central park n/q/r" "lic market"]
      GEORADIUSBYMEMBER nyc "wtc one" 7 km WITHHASH ASC => [["wtc one" 1791873972053020] ["union square" 1791875485187452] ["4545" 1791875796750882] ["central park n/q/r" 1791875761332224] ["lic market" 1791875804419201]]
      GEORADIUSBYMEMBER nyc nobody 20 m => -ERR could not decode requested zset member
      GEOADD dst 20 20 g => 1
      GEORADIUSBYMEMBER nyc nobody 20 m STORE dst => -ERR could not decode requested zset member
      EXISTS dst => 1
    `,
    'STORE puts what was found in a key, or deletes it': `
      GEOADD dst 10 10 s => 1
      GEORADIUS none 15 37 88 m STORE dst => 0
      EXISTS dst => 0
      GEOADD src 13 14 s 25 30 g => 2
      GEOADD dst 20 20 g => 1
      GEORADIUS src 15 37 88 m STORE dst => 0
      EXISTS dst => 0
      GEORADIUSBYMEMBER src s 5000 km STORE dst => 2
      GEORADIUSBYMEMBER src s 5000 km => ["s" "g"]
      ZRANGE dst 0 -1 => ["s" "g"]
      GEORADIUS src 13 14 5000 km STORE dst => 2
      ZRANGE dst 0 -1 WITHSCORES =2> ["s" "3405396800516587" "g" "3489000641822227"] =3> [["s" ,3405396800516587] ["g" ,3489000641822227]]
      GEORADIUS src 13 14 5000 km STOREDIST dst => 2
      ZRANGE dst 0 -1 => ["s" "g"]
      GEORADIUS src 13 14 50 km STORE => -ERR syntax error
      GEORADIUS src 13 14 50 km WITHDIST STORE dst => -ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options
    `,
    'GEOHASH, GEOPOS and GEODIST': `
      GEOHASH none a b c => [nil nil nil]
      GEOPOS none a b c => [nil-array nil-array nil-array]
      GEOADD p 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -5.6 42.6 test => 3
      GEOHASH p test none Palermo => ["ezs42e44yx0" nil "sqc8b49rny0"]
      GEOPOS p Palermo none => [[,13.361389338970184 ,38.1155563954963] nil-array] # Redis: *
      GEODIST p Palermo Catania => "166274.1516"
      GEODIST p Palermo Catania m => "166274.1516"
      GEODIST p Palermo Catania km => "166.2742"
      GEODIST p Palermo Catania mi => "103.3182"
      GEODIST p Palermo Catania ft => "545518.8700"
      GEODIST p Palermo Catania furlongs => -ERR unsupported unit provided. please use M, KM, FT, MI
      GEODIST p Palermo none => nil
      GEODIST p none nobody => nil
      GEODIST none Palermo Catania => nil
    `,
    'GEOSEARCH finds what is in a circle or a box': String.raw`
      GEOSEARCH none FROMMEMBER s BYBOX 88 88 m => []
      GEOADD p -77.0369 38.9072 Washington -76.6121893 39.2903848 Baltimore -74.0059413 40.7127837 "New York" -75.16521960 39.95258288 Philadelphia => 4
      GEOSEARCH p FROMMEMBER Washington BYRADIUS 500 km ASC => ["Washington" "Baltimore" "Philadelphia" "New York"]
      GEOSEARCH p FROMMEMBER Washington BYRADIUS 500 km DESC => ["New York" "Philadelphia" "Baltimore" "Washington"]
      GEOSEARCH p FROMLONLAT -77.0368707 38.9071923 BYRADIUS 200 km DESC => ["Philadelphia" "Baltimore" "Washington"]
      GEOSEARCH p FROMLONLAT -77.0368707 38.9071923 BYBOX 200 200 km DESC => ["Baltimore" "Washington"]
      GEOSEARCH p FROMMEMBER Washington BYBOX 200 200 km DESC => ["Baltimore" "Washington"]
      GEOSEARCH p FROMMEMBER Washington BYRADIUS 200 km WITHDIST ASC => [["Washington" "0.0000"] ["Baltimore" "56.2178"] ["Philadelphia" "198.4260"]]
      GEOSEARCH p FROMMEMBER Washington BYRADIUS 500 km COUNT 2 => ["Washington" "Baltimore"]
      GEOSEARCH p FROMMEMBER Washington BYRADIUS 500 km ASC COUNT 1 ANY =~> ^\["\w+"\]$
    `,
    'GEOSEARCH and GEOSEARCHSTORE refuse what makes no sense': `
      GEOSEARCH p BYBOX 88 88 m ASC => -ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH
      GEOADD p 10 10 s => 1
      GEOSEARCH p BYBOX 88 88 m ASC =~> exactly one of FROMMEMBER or FROMLONLAT
      GEOSEARCHSTORE d p BYBOX 88 88 m ASC =~> exactly one of FROMMEMBER or FROMLONLAT
      GEOSEARCH p FROMMEMBER s ASC => -ERR wrong number of arguments for 'geosearch' command
      GEOSEARCH p FROMMEMBER nobody BYBOX 88 88 m => -ERR could not decode requested zset member
      GEOADD d 20 20 g => 1
      GEOSEARCHSTORE d p FROMMEMBER nobody BYBOX 88 88 m => -ERR could not decode requested zset member
      EXISTS d => 1
      GEOSEARCH p FROMMEMBER s BYRADIUS -1 m => -ERR radius cannot be negative
      GEOSEARCH p FROMMEMBER s BYRADIUS x m => -ERR need numeric radius
      GEOSEARCH p FROMMEMBER s BYRADIUS 1 furlongs => -ERR unsupported unit provided. please use M, KM, FT, MI
      GEOSEARCH p FROMMEMBER s BYRADIUS 1 m COUNT 0 => -ERR COUNT must be > 0
      GEOSEARCH p FROMMEMBER s BYRADIUS 1 m ANY => -ERR the ANY argument requires COUNT argument
      GEOSEARCHSTORE d p FROMMEMBER s BYRADIUS 1 m WITHDIST => -ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options
      SET k v => OK
      GEOSEARCH k FROMMEMBER s BYRADIUS 1 m => -WRONGTYPE Operation against a key holding the wrong kind of value
      GEOADD k 1 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'GEOSEARCHSTORE puts what was found in a key, or deletes it': `
      GEOSEARCHSTORE dst none FROMMEMBER s BYBOX 88 88 m => 0
      GEOADD dst 10 10 s => 1
      GEOSEARCHSTORE dst none FROMMEMBER s BYBOX 88 88 m => 0
      EXISTS dst => 0
      GEOADD src 10 10 s => 1
      GEOADD dst 20 20 g => 1
      GEOSEARCHSTORE dst src FROMLONLAT 15 37 BYBOX 88 88 m => 0
      EXISTS dst => 0
      SET dst string => OK
      GEOSEARCHSTORE dst src FROMMEMBER s BYBOX 88 88 m => 1
      TYPE dst => zset
      ZRANGE dst 0 -1 => ["s"]
      GEOADD two 10 10 b => 1
      GEOSEARCHSTORE dst two FROMMEMBER b BYBOX 88 88 m => 1
      ZRANGE dst 0 -1 => ["b"]
      GEOADD p -77.0369 38.9072 Washington -76.6121893 39.2903848 Baltimore -74.0059413 40.7127837 "New York" => 3
      GEOSEARCHSTORE dst p FROMMEMBER Washington BYRADIUS 200 km STOREDIST => 2
      ZRANGE dst 0 -1 =~> Washington" "Baltimore
    `,
  },
)

const EARTH_RADIUS_M = 6_372_797.560856

function distanceM([lon1, lat1]: readonly number[], [lon2, lat2]: readonly number[]): number {
  const radians = (degrees = 0) => (degrees * Math.PI) / 180
  const u = Math.sin((radians(lat2) - radians(lat1)) / 2)
  const v = Math.sin((radians(lon2) - radians(lon1)) / 2)
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(u * u + Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * v * v))
}

/** Centers where searches of Redis once missed something: longitude, latitude, kilometers. */
const DIFFICULT = [
  [81.63, 30.56, 7083],
  [-70.86, -46.34, 5416],
  [-89.81, -40.46, 6064],
  [149.29, 15.95, 156],
  [59.23, 66.26, 143],
  [163.03, 64.01, 145],
  [84.06, -65.68, 149],
  [-1.81, 20.66, 16751],
  [179.9, 0, 500],
  [-179.9, 80, 900],
] as const

test('a search finds what is near enough by the formula, wherever it looks', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const places = Array.from({ length: 3000 }, (_, index) => [
    ((index * 7919.137) % 360) - 180,
    ((index * 104_729.731) % 168) - 84,
  ])
  await client.run('geoadd', 'g', ...places.flatMap(([lon = 0, lat = 0], index) => [lon, lat, `p${index}`]))
  // What is stored is the middle of a cell, within a meter of what was given.
  const toleranceM = 1
  for (const [lon, lat, radiusKm] of DIFFICULT) {
    const found = (await client.value('geosearch', 'g', 'fromlonlat', lon, lat, 'byradius', radiusKm, 'km')) as string[]
    const distances = places.map((place) => distanceM([lon, lat], place))
    const named = (within: number) => distances.flatMap((distance, index) => (distance <= within ? [`p${index}`] : []))
    t.ok(
      named(radiusKm * 1000 - toleranceM).every((name) => found.includes(name)),
      `${lon} ${lat} misses none`,
    )
    t.ok(
      found.every((name) => named(radiusKm * 1000 + toleranceM).includes(name)),
      `${lon} ${lat} finds no other`,
    )
    t.ok(radiusKm < 1000 || found.length > 0)
  }
})
