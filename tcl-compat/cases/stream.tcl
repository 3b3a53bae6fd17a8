# Streams and their consumer groups.

proc fill_stream {key count} {
  r del $key
  for {set i 1} {$i <= $count} {incr i} { r xadd $key $i-0 item $i }
}
proc ids {entries} { lmap entry $entries { lindex $entry 0 } }

start_server {tags {stream}} {
  test {XADD makes ids that grow} {
    r del s
    for {set i 0} {$i < 100} {incr i} { lappend made [r xadd s * f v] }
    assert_equal [r xlen s] 100
    assert_equal [ids [r xrange s - +]] $made
    llength [lsort -unique $made]
  } {100}

  test {XADD takes ids, whole or in part, that are larger than the last} {
    r del s
    assert_equal [r xadd s 5-1 f v] 5-1
    assert_equal [r xadd s 5-* f v] 5-2
    assert_equal [r xadd s 6 f v] 6-0
    assert_error {*equal or smaller*} {r xadd s 6-0 f v}
    assert_error {*must be greater than 0-0*} {r xadd t 0-0 f v}
    assert_error {*Invalid stream ID*} {r xadd s abc f v}
    assert_error {*wrong number of arguments*} {r xadd s * f}
    list [r xadd none nomkstream * f v] [r exists none]
  } {{} 0}

  test {XRANGE and XREVRANGE take ranges with open ends} {
    fill_stream s 9
    assert_equal [ids [r xrange s 3 5]] {3-0 4-0 5-0}
    assert_equal [ids [r xrange s (3-0 (5-0]] 4-0
    assert_equal [ids [r xrange s - + count 2]] {1-0 2-0}
    assert_equal [ids [r xrevrange s + 8]] {9-0 8-0}
    r xrange s 9 +
  } {{9-0 {item 9}}}

  test {XDEL and XTRIM take entries away} {
    fill_stream s 10
    assert_equal [r xdel s 5-0 5-0 99-0] 1
    assert_equal [r xtrim s maxlen 4] 5
    assert_equal [ids [r xrange s - +]] {7-0 8-0 9-0 10-0}
    assert_equal [r xtrim s minid 9] 2
    assert_equal [r xadd s maxlen = 1 11-0 f v] 11-0
    r xlen s
  } {1}

  test {XREAD gives what is after an id} {
    fill_stream a 3
    fill_stream b 3
    assert_equal [r xread count 1 streams a b 1 2] {{a {{2-0 {item 2}}}} {b {{3-0 {item 3}}}}}
    r xread streams a b 3 $
  } {}

  test {XREAD waits for what is added} {
    set client [redis_deferring_client]
    $client xread block 0 streams a $
    wait_for_blocked_client
    r xadd a 10-0 f new
    set reply [$client read]
    $client close
    set reply
  } {{a {{10-0 {f new}}}}}

  test {a group gives each entry to one consumer} {
    fill_stream s 4
    assert_equal [r xgroup create s g 0] OK
    assert_error {BUSYGROUP*} {r xgroup create s g 0}
    assert_equal [ids [lindex [r xreadgroup group g one count 3 streams s >] 0 1]] {1-0 2-0 3-0}
    assert_equal [ids [lindex [r xreadgroup group g two streams s >] 0 1]] {4-0}
    assert_equal [r xreadgroup group g two streams s >] {}
    r xpending s g
  } {4 1-0 4-0 {{one 3} {two 1}}}

  test {XACK ends what is pending} {
    assert_equal [r xack s g 1-0 4-0 99-0] 2
    assert_equal [ids [lindex [r xreadgroup group g one streams s 0] 0 1]] {2-0 3-0}
    lrange [r xpending s g] 0 2
  } {2 2-0 3-0}

  test {XCLAIM and XAUTOCLAIM hand over what is pending} {
    assert_equal [r xclaim s g two 0 2-0 justid] 2-0
    lassign [r xautoclaim s g three 0 0 count 10] next claimed deleted
    assert_equal [list $next [ids $claimed] $deleted] {0-0 {2-0 3-0} {}}
    set owners [lmap row [r xpending s g - + 10] { lindex $row 1 }]
    set owners
  } {three three}

  test {XREADGROUP NOACK leaves nothing pending} {
    r xadd s 50-0 f v
    assert_equal [ids [lindex [r xreadgroup group g one noack streams s >] 0 1]] 50-0
    lindex [r xpending s g] 0
  } {2}

  test {groups and consumers are made, shown and destroyed} {
    assert_error {*requires the key to exist*} {r xgroup create none g $}
    assert_equal [r xgroup create fresh g $ mkstream] OK
    assert_equal [r xgroup createconsumer fresh g c] 1
    assert_equal [r xgroup createconsumer fresh g c] 0
    assert_equal [dict get [lindex [r xinfo groups fresh] 0] name] g
    assert_equal [dict get [lindex [r xinfo consumers fresh g] 0] name] c
    assert_equal [r xgroup delconsumer fresh g c] 0
    assert_equal [r xgroup destroy fresh g] 1
    r xinfo groups fresh
  } {}

  test {XINFO STREAM knows both ends} {
    fill_stream s 3
    set about [r xinfo stream s]
    list [dict get $about length] [dict get $about last-generated-id] [lindex [dict get $about first-entry] 0]
  } {3 3-0 1-0}

  test {XSETID moves the last id forward} {
    assert_equal [r xsetid s 100-0] OK
    assert_error {*smaller than*} {r xsetid s 1-0}
    assert_error {*equal or smaller*} {r xadd s 100-0 f v}
    r xadd s 100-1 f v
  } {100-1}

  test {a group that is destroyed ends the wait for it} {
    r del s
    r xgroup create s g $ mkstream
    set client [redis_deferring_client]
    $client xreadgroup group g c block 0 streams s >
    wait_for_blocked_client
    r xgroup destroy s g
    assert_error {NOGROUP*} {$client read}
    $client close
  }

  test {a thousand entries with random fields come back} {
    r del s
    set wanted {}
    for {set i 1} {$i <= 200} {incr i} {
      set fields [list [randstring 1 20 alpha] [randomValue]]
      r xadd s $i-1 {*}$fields
      lappend wanted [list $i-1 $fields]
    }
    expr {[r xrange s - +] eq $wanted}
  } {1}
}
