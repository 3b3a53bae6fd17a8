# Hashes, and the expiry of their fields.

start_server {tags {hash}} {
  test {HSET counts new fields} {
    r del h
    assert_equal [r hset h a 1 b 2] 2
    assert_equal [r hset h b 3 c 4] 1
    assert_equal [r hlen h] 3
    r hgetall h
  } {a 1 b 3 c 4}

  test {HSET wants pairs} {
    assert_error {*wrong number of arguments*} {r hset h a}
    assert_error {*wrong number of arguments*} {r hset h a 1 b}
  }

  test {HSETNX writes only what is not there} {
    list [r hsetnx h a x] [r hsetnx h d 5] [r hget h a] [r hget h d]
  } {0 1 1 5}

  test {HMGET answers in order, with nil for what is not there} {
    r hmget h c nothing a
  } {4 {} 1}

  test {HDEL takes several, and the hash with the last} {
    assert_equal [r hdel h a b nothing] 2
    assert_equal [r hdel h c d] 2
    r exists h
  } {0}

  test {HKEYS, HVALS, HEXISTS and HSTRLEN} {
    r hset h field value empty {}
    list [lsort [r hkeys h]] [lsort [r hvals h]] [r hexists h field] [r hexists h no] [r hstrlen h field] [r hstrlen h no]
  } {{empty field} {{} value} 1 0 5 0}

  test {HINCRBY and HINCRBYFLOAT count, and refuse text and overflow} {
    r del n
    assert_equal [r hincrby n i 5] 5
    assert_equal [r hincrby n i -7] -2
    r hset n big 9223372036854775807 text abc
    assert_error {*overflow*} {r hincrby n big 1}
    assert_error {*not an integer*} {r hincrby n text 1}
    assert_equal [r hincrbyfloat n x 1.5] 1.5
    assert_equal [r hincrbyfloat n x 1e2] 101.5
    assert_error {*not a*float*} {r hincrbyfloat n text 1}
  }

  test {HGETALL is a map in RESP3} {
    r del h
    r hset h f v
    r hello 3
    r readraw 1
    set kind [r hgetall h]
    foreach line {1 2 3 4} { r read }
    r readraw 0
    r hello 2
    set kind
  } {%1}

  test {HRANDFIELD draws without or with repeats} {
    r del h
    for {set i 0} {$i < 50} {incr i} { r hset h f$i $i }
    assert_equal [llength [lsort -unique [r hrandfield h 30]]] 30
    assert_equal [llength [r hrandfield h 100]] 50
    assert_equal [llength [r hrandfield h -100]] 100
    foreach {field value} [r hrandfield h 10 withvalues] { assert_equal f$value $field }
    assert_equal [r hrandfield nothing] {}
    r hrandfield nothing 5
  } {}

  test {HSCAN sees every field once} {
    set cursor 0
    set seen {}
    while 1 {
      lassign [r hscan h $cursor count 7] cursor fields
      dict for {field value} $fields {
        assert {![dict exists $seen $field]}
        dict set seen $field $value
      }
      if {$cursor eq 0} break
    }
    assert_equal [dict size $seen] 50
    lassign [r hscan h 0 match f1? count 1000] cursor fields
    dict size $fields
  } {10}

  test {ten thousand fields in one hash} {
    r del big
    for {set i 0} {$i < 100} {incr i} {
      set pairs {}
      for {set j 0} {$j < 100} {incr j} { lappend pairs $i:$j [expr {$i * $j}] }
      r hset big {*}$pairs
    }
    assert_equal [r hlen big] 10000
    assert_equal [r hget big 99:99] 9801
    llength [r hgetall big]
  } {20000}

  test {fields can expire} {
    r del h
    r hset h stays v goes w
    assert_equal [r hexpire h 100 fields 2 goes nothing] {1 -2}
    assert_range [lindex [r httl h fields 1 goes] 0] 98 100
    assert_equal [r httl h fields 1 stays] -1
    assert_equal [r hpersist h fields 1 goes] 1
    assert_equal [r hpexpire h 40 fields 1 goes] 1
    after 60
    list [r hgetall h] [r hlen h] [r hget h goes]
  } {{stays v} 1 {}}

  test {a hash is gone with its last field} {
    r del h
    r hset h only v
    r hpexpire h 30 fields 1 only
    after 50
    list [r exists h] [r hgetall h]
  } {0 {}}

  test {a key of another type is refused} {
    r set s v
    foreach command {{hset s f v} {hget s f} {hgetall s} {hlen s} {hdel s f} {hincrby s f 1} {hscan s 0}} {
      assert_error {WRONGTYPE *} {r {*}$command}
    }
  }

  test {fields and values are bytes} {
    r del h
    for {set i 0} {$i < 100} {incr i} {
      set field [randstring 1 50 binary]
      set value [randstring 0 50 binary]
      set kept($field) $value
      r hset h $field $value
    }
    foreach field [array names kept] { assert_equal [r hget h $field] $kept($field) }
    expr {[r hlen h] == [array size kept]}
  } {1}
}
