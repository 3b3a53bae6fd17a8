/** Streams: entries, ranges, trimming, and clients that wait. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'streams',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'XADD wants pairs, and keeps the case of their words': `
      XADD s * => -ERR wrong number of arguments for 'xadd' command # Redis: *
      XADD s * item => -ERR wrong number of arguments for 'xadd' command
      XADD s * item 1 value => -ERR wrong number of arguments for 'xadd' command
      XADD s => -ERR wrong number of arguments for 'xadd' command
      XADD s 1-1 iTeM 1 vAluE a => "1-1"
      XADD s 1-2 ItEm 2 VaLUe B => "1-2"
      XLEN s => 2
      XRANGE s - + => [["1-1" ["iTeM" "1" "vAluE" "a"]] ["1-2" ["ItEm" "2" "VaLUe" "B"]]]
      XRANGE s 1-2 1-2 => [["1-2" ["ItEm" "2" "VaLUe" "B"]]]
    `,
    'ids grow, with the clock and inside one millisecond': `
      XADD s * item 1 => "1700000000000-0"
      XADD s * item 2 => "1700000000000-1"
      MULTI => OK
      XADD s * item 3 => QUEUED
      XADD s * item 4 => QUEUED
      EXEC => ["1700000000000-2" "1700000000000-3"]
      (1 ms passes)
      XADD s * item 5 => "1700000000001-0"
      XLEN s => 5
    `,
    'ids of which the server fills in a part': `
      XADD s 0-* a b => "0-1"
      XADD s 123-456 a b => "123-456"
      XADD s 123-* a b => "123-457"
      XADD s 789-* a b => "789-0"
      XADD s 900 a b => "900-0"
      XRANGE s - + => [["0-1" ["a" "b"]] ["123-456" ["a" "b"]] ["123-457" ["a" "b"]] ["789-0" ["a" "b"]] ["900-0" ["a" "b"]]]
      XADD s *-5 a b => "1700000000000-5" # Redis: -ERR Invalid stream ID specified as stream command argument
    `,
    'ids that do not grow, or that no other can follow, are refused': `
      XADD s 0-0 a b => -ERR The ID specified in XADD must be greater than 0-0
      EXISTS s => 0
      XADD s 123-456 a b => "123-456"
      XADD s 42-* a b => -ERR The ID specified in XADD is equal or smaller than the target stream top item
      XADD s 123-456 a b => -ERR The ID specified in XADD is equal or smaller than the target stream top item
      XADD s 123-455 a b => -ERR The ID specified in XADD is equal or smaller than the target stream top item
      XADD s 122 a b => -ERR The ID specified in XADD is equal or smaller than the target stream top item
      XADD last 1-18446744073709551615 a b => "1-18446744073709551615"
      XADD last 1-* a b => -ERR Elements are too large to be stored
      XADD end 18446744073709551614-18446744073709551615 a b => "18446744073709551614-18446744073709551615"
      XADD end * a b => -ERR The stream has exhausted the last possible ID, unable to add more items # Redis: "18446744073709551615-0"
      XADD far 2577343934890-18446744073709551615 f v => "2577343934890-18446744073709551615"
      XADD far * f2 v2 => "2577343934891-0"
      XRANGE far - + => [["2577343934890-18446744073709551615" ["f" "v"]] ["2577343934891-0" ["f2" "v2"]]]
      XADD s x a b => -ERR Invalid stream ID specified as stream command argument
      XADD s 1-x a b => -ERR Invalid stream ID specified as stream command argument
      XADD s 18446744073709551616 a b => -ERR Invalid stream ID specified as stream command argument
    `,
    'XADD MAXLEN and MINID trim as they add': `
      XADD s MAXLEN 3 1-1 i 1 => "1-1"
      XADD s MAXLEN 3 2-1 i 2 => "2-1"
      XADD s MAXLEN = 3 3-1 i 3 => "3-1"
      XADD s MAXLEN 3 4-1 i 4 => "4-1"
      XADD s MAXLEN = 3 5-1 i 5 => "5-1"
      XLEN s => 3
      XRANGE s - + => [["3-1" ["i" "3"]] ["4-1" ["i" "4"]] ["5-1" ["i" "5"]]]
      XADD m MINID 1 3-1 i 3 => "3-1"
      XADD m MINID = 3 4-1 i 4 => "4-1"
      XADD m MINID 4 5-1 i 5 => "5-1"
      XADD m MINID 5-0 6-1 i 6 => "6-1"
      XRANGE m - + => [["5-1" ["i" "5"]] ["6-1" ["i" "6"]]]
      XADD s MAXLEN 0 7-1 i 7 => "7-1"
      XLEN s => 0
      XADD s MAXLEN -1 8-1 i 8 => -ERR The MAXLEN argument must be >= 0.
      XADD s MAXLEN x 8-1 i 8 => -ERR value is not an integer or out of range
      XADD s MAXLEN 3 LIMIT 2 8-1 i 8 => -ERR syntax error, LIMIT cannot be used without the special ~ option
      XADD s MAXLEN = 3 LIMIT 2 8-1 i 8 => -ERR syntax error, LIMIT cannot be used without the special ~ option
    `,
    'XADD NOMKSTREAM adds to a stream that exists': `
      XADD s NOMKSTREAM 1-1 item 1 => nil
      EXISTS s => 0
      XADD s 1-1 item 1 => "1-1"
      XADD s NOMKSTREAM 1-2 item 2 => "1-2"
      XRANGE s - + => [["1-1" ["item" "1"]] ["1-2" ["item" "2"]]]
    `,
    'XTRIM keeps the last entries, or those from an id on': `
      XADD s 1-0 f v => "1-0"
      XADD s 2-0 f v => "2-0"
      XADD s 3-0 f v => "3-0"
      XADD s 4-0 f v => "4-0"
      XADD s 5-0 f v => "5-0"
      XTRIM s MINID 3-0 => 2
      XRANGE s - + => [["3-0" ["f" "v"]] ["4-0" ["f" "v"]] ["5-0" ["f" "v"]]]
      XTRIM s MAXLEN 2 => 1
      XTRIM s MAXLEN = 1 => 1
      XLEN s => 1
      XTRIM s MAXLEN 10 => 0
      XADD far 1-0 f v => "1-0"
      XADD far 1641544570597-0 f v => "1641544570597-0"
      XADD far 1641544570597-1 f v => "1641544570597-1"
      XTRIM far MINID 1641544570597-0 => 1
      XRANGE far - + => [["1641544570597-0" ["f" "v"]] ["1641544570597-1" ["f" "v"]]]
      XTRIM s MAXLEN x => -ERR value is not an integer or out of range
      XTRIM s MAXLEN = 1 LIMIT 5 => -ERR syntax error, LIMIT cannot be used without the special ~ option
      XTRIM none MAXLEN 1 => 0
      XTRIM s => -ERR wrong number of arguments for 'xtrim' command
      XTRIM s nosuchoption 1 => -ERR syntax error
      XTRIM far MAXLEN 0 => 2
      EXISTS far => 1
    `,
    'XRANGE and XREVRANGE bound and count': `
      XADD s 0-1 f a => "0-1"
      XADD s 0-18446744073709551615 f b => "0-18446744073709551615"
      XADD s 1-0 f c => "1-0"
      XADD s 42-0 f d => "42-0"
      XADD s 42-42 f e => "42-42"
      XADD s 18446744073709551614-1 f y => "18446744073709551614-1"
      XADD s 18446744073709551614-18446744073709551615 f z => "18446744073709551614-18446744073709551615"
      XRANGE s - + COUNT 2 => [["0-1" ["f" "a"]] ["0-18446744073709551615" ["f" "b"]]]
      XREVRANGE s + - COUNT 2 => [["18446744073709551614-18446744073709551615" ["f" "z"]] ["18446744073709551614-1" ["f" "y"]]]
      XRANGE s - + => [["0-1" ["f" "a"]] ["0-18446744073709551615" ["f" "b"]] ["1-0" ["f" "c"]] ["42-0" ["f" "d"]] ["42-42" ["f" "e"]] ["18446744073709551614-1" ["f" "y"]] ["18446744073709551614-18446744073709551615" ["f" "z"]]]
      XREVRANGE s + - => [["18446744073709551614-18446744073709551615" ["f" "z"]] ["18446744073709551614-1" ["f" "y"]] ["42-42" ["f" "e"]] ["42-0" ["f" "d"]] ["1-0" ["f" "c"]] ["0-18446744073709551615" ["f" "b"]] ["0-1" ["f" "a"]]]
      XRANGE s (0-1 (42-42 => [["0-18446744073709551615" ["f" "b"]] ["1-0" ["f" "c"]] ["42-0" ["f" "d"]]]
      XREVRANGE s (42-42 (0-1 => [["42-0" ["f" "d"]] ["1-0" ["f" "c"]] ["0-18446744073709551615" ["f" "b"]]]
      XRANGE s 1 42 => [["1-0" ["f" "c"]] ["42-0" ["f" "d"]] ["42-42" ["f" "e"]]]
      XREVRANGE s 42 1 => [["42-42" ["f" "e"]] ["42-0" ["f" "d"]] ["1-0" ["f" "c"]]]
      XRANGE s (1-0 (42-0 => []
      XRANGE s 42-1 42-41 => []
      XRANGE s (- + => -ERR Invalid stream ID specified as stream command argument
      XRANGE s - (+ => -ERR Invalid stream ID specified as stream command argument
      XRANGE s (18446744073709551615-18446744073709551615 + => -ERR invalid start ID for the interval
      XRANGE s - (0-0 => -ERR invalid end ID for the interval
      XRANGE s + - => []
      XRANGE s - + COUNT 0 => nil-array
      XRANGE s - + COUNT -1 => nil-array
      XRANGE s - + COUNT x => -ERR value is not an integer or out of range
      XRANGE s x + => -ERR Invalid stream ID specified as stream command argument
      XRANGE none - + => []
      XADD t 1234567891230 key1 value1 => "1234567891230-0"
      XADD t 1234567891240 key2 value2 => "1234567891240-0"
      XADD t 1234567891250 key3 value3 => "1234567891250-0"
      XREVRANGE t 1234567891245 - => [["1234567891240-0" ["key2" "value2"]] ["1234567891230-0" ["key1" "value1"]]]
    `,
    'XREAD gives what comes after an id, of the streams that have it': `
      XADD s 1-1 f 1 => "1-1"
      XADD s 1-18446744073709551615 f 2 => "1-18446744073709551615"
      XADD s 2-1 f 3 => "2-1"
      XREAD COUNT 1 STREAMS s 0-0 =2> [["s" [["1-1" ["f" "1"]]]]] =3> {"s" [["1-1" ["f" "1"]]]}
      XREAD STREAMS s 1-18446744073709551615 =2> [["s" [["2-1" ["f" "3"]]]]] =3> {"s" [["2-1" ["f" "3"]]]}
      XREAD STREAMS s 2-1 => nil-array
      XREAD STREAMS none nothing 0-0 0-0 => nil-array
      XREAD COUNT 1 STREAMS none s 0-0 0-0 =2> [["s" [["1-1" ["f" "1"]]]]] =3> {"s" [["1-1" ["f" "1"]]]}
      XREAD COUNT 2 STREAMS s none 0 $ =2> [["s" [["1-1" ["f" "1"]] ["1-18446744073709551615" ["f" "2"]]]]] =3> {"s" [["1-1" ["f" "1"]] ["1-18446744073709551615" ["f" "2"]]]}
      XREAD STREAMS s $ => nil-array
      XREAD STREAMS s none 0 => -ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified. # Redis: -ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.
      XREAD STREAMS s x => -ERR Invalid stream ID specified as stream command argument
      XREAD COUNT x STREAMS s 0 => -ERR value is not an integer or out of range
      XREAD BLOCK x STREAMS s 0 => -ERR timeout is not an integer or out of range
      XREAD BLOCK -1 STREAMS s 0 => -ERR timeout is negative
      XREAD COUNT 1 s 0 => -ERR syntax error
      XREAD STREAMS => -ERR wrong number of arguments for 'xread' command
    `,
    'XREAD BLOCK waits for new entries, or answers with old ones': String.raw`
      XADD two 1-1 old abcd => "1-1"
      b> XREAD BLOCK 20000 STREAMS one two three $ $ $ => waits
      XADD two 2-1 new abcd => "2-1"
      b> =2> [["two" [["2-1" ["new" "abcd"]]]]] =3> {"two" [["2-1" ["new" "abcd"]]]}
      b> XREAD BLOCK 20000 STREAMS one two three $ 0-0 $ =2> [["two" [["1-1" ["old" "abcd"]] ["2-1" ["new" "abcd"]]]]] =3> {"two" [["1-1" ["old" "abcd"]] ["2-1" ["new" "abcd"]]]}
      b> XREAD BLOCK 20000 STREAMS two two two $ $ $ => waits
      XADD two 3-1 new abcd => "3-1"
      b> =~> ^[\[{].*"3-1"
      b> XREAD BLOCK 0 STREAMS x 1-18446744073709551615 => waits
      XADD x 1-1 f v => "1-1"
      XADD x 1-18446744073709551615 f v => "1-18446744073709551615"
      XADD x 2-1 f v => "2-1"
      b> =2> [["x" [["2-1" ["f" "v"]]]]] =3> {"x" [["2-1" ["f" "v"]]]}
    `,
    'XREAD BLOCK never answers with nothing': `
      XADD a 666 f v => "666-0"
      XADD a 667 f2 v2 => "667-0"
      XDEL a 667 => 1
      XREAD BLOCK 10 STREAMS a 666 => nil-array
      XADD s 666 key value => "666-0"
      XDEL s 666 => 1
      XREAD BLOCK 10 STREAMS s 665 => nil-array
      XADD s 665 key value => -ERR The ID specified in XADD is equal or smaller than the target stream top item
      XADD s 666 key value => -ERR The ID specified in XADD is equal or smaller than the target stream top item
      b> XREAD BLOCK 0 STREAMS s 665 => waits
      XADD s 667 key value => "667-0"
      b> =2> [["s" [["667-0" ["key" "value"]]]]] =3> {"s" [["667-0" ["key" "value"]]]}
    `,
    'XDEL deletes the entries that are there': `
      XADD s 1-1 foo 0 => "1-1"
      XADD s 1-2 foo 1 => "1-2"
      XADD s 1-3 foo 2 => "1-3"
      XDEL s 1-2 => 1
      XDEL s 1-2 9-9 => 0
      XLEN s => 2
      XRANGE s - + => [["1-1" ["foo" "0"]] ["1-3" ["foo" "2"]]]
      XDEL s 1-1 1-3 => 2
      EXISTS s => 1
      XDEL none 1-1 => 0
      XDEL s x => -ERR Invalid stream ID specified as stream command argument
      XDEL s => -ERR wrong number of arguments for 'xdel' command
    `,
    'XLEN counts from an id on, in either direction': `
      # Not in Redis
      XADD x 5-0 f v => "5-0"
      XADD x 6-0 f v => "6-0"
      XADD x 7-0 f v => "7-0"
      XADD x 8-0 f v => "8-0"
      XLEN x => 4
      XLEN x 8-0 => 0
      XLEN x 8-0 + => 0
      XLEN x 8-0 - => 3
      XLEN x 9-0 => 0
      XLEN x 9-0 - => 4
      XLEN x 5-0 => 3
      XLEN x 5-0 - => 0
      XLEN x 3-0 => 4
      XLEN x 3-0 - => 0
      XLEN x 6-0 => 2
      XLEN x 6-0 - => 1
      XDEL x 6-0 => 1
      XLEN x 6-0 => 2
      XLEN x 6-0 - => 1
      XLEN x none => -ERR Invalid stream ID specified as stream command argument
      XLEN none 1-0 => 0
    `,
    'XINFO STREAM tells lengths and ids, those of deleted entries, too': String.raw`
      XADD x 1-0 data a => "1-0"
      XINFO STREAM x =~> ^[\[{]"length" 1 .*"last-generated-id" "1-0" "max-deleted-entry-id" "0-0" "entries-added" 1 "recorded-first-entry-id" "1-0" "groups" 0
      XADD x 2-0 data a => "2-0"
      XADD x 3-0 data a => "3-0"
      XADD x 4-0 data a => "4-0"
      XADD x 5-0 data a => "5-0"
      XDEL x 5-0 => 1
      XTRIM x MAXLEN = 3 => 1
      XINFO STREAM x =~> ^[\[{]"length" 3 .*"last-generated-id" "5-0" "max-deleted-entry-id" "5-0" "entries-added" 5 "recorded-first-entry-id" "2-0" "groups" 0 "first-entry" \["2-0" \["data" "a"\]\] "last-entry" \["4-0"
      XDEL x 2-0 => 1
      XDEL x 4-0 => 1
      XINFO STREAM x =~> "max-deleted-entry-id" "5-0" "entries-added" 5 "recorded-first-entry-id" "3-0"
      XTRIM x MAXLEN = 0 => 1
      XINFO STREAM x =~> ^[\[{]"length" 0 .*"recorded-first-entry-id" "0-0" "groups" 0 "first-entry" nil "last-entry" nil
      XINFO STREAM none => -ERR no such key
      XINFO STREAM => -ERR wrong number of arguments for 'xinfo|stream' command
    `,
  },
)

test('a stream is what an array of its entries would be', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  let entries = Array.from({ length: 1000 }, (_, index): [string, string[]] => [
    `${1 + Math.trunc(index / 7)}-${index % 7}`,
    ['item', String(index)],
  ]).slice(1)
  for (const [id, fields] of entries) t.equal(await client.value('xadd', 's', id, ...fields), id)
  t.equal(await client.value('xlen', 's'), entries.length)
  const paged: unknown[] = []
  for (let after = '-'; ; ) {
    const page = (await client.value('xrange', 's', after, '+', 'count', 100)) as [string, string[]][]
    paged.push(...page)
    if (page.length === 0) break
    after = `(${page.at(-1)?.[0]}`
  }
  t.same(paged, entries)
  const between = (low: number, high: number) => entries.slice(low, high + 1)
  for (let step = 0; step < 100; step++) {
    const low = (step * 7919) % entries.length
    const high = (step * 104_729) % entries.length
    const [first, last] = [entries[low]?.[0] as string, entries[high]?.[0] as string]
    t.same(await client.value('xrange', 's', first, last), between(low, high))
    t.same(await client.value('xrevrange', 's', last, first), between(low, high).toReversed())
  }
  const doomed = entries.filter((_, index) => (index * 31) % 5 < 2).map(([id]) => id)
  for (const id of doomed) t.equal(await client.value('xdel', 's', id), 1)
  entries = entries.filter(([id]) => !doomed.includes(id))
  t.same(await client.value('xrange', 's', '-', '+'), entries)
  for (const length of [400, 399, 123]) {
    t.equal(await client.value('xtrim', 's', 'maxlen', '=', length), entries.length - length)
    entries = entries.slice(-length)
    t.same(await client.value('xrange', 's', '-', '+'), entries)
  }
})
