# Keys of any type: existence, time to live, names, copies, dumps.

start_server {tags {keyspace}} {
  test {EXISTS, DEL and UNLINK count keys, one named twice included} {
    r mset a 1 b 2 c 3
    assert_equal [r exists a a b nothing] 3
    assert_equal [r del a nothing] 1
    assert_equal [r unlink b c c] 2
    r exists a b c
  } {0}

  test {TYPE names each type} {
    r flushall
    r set string v
    r lpush list v
    r sadd set v
    r zadd zset 1 v
    r hset hash f v
    r xadd stream * f v
    r setbit bits 5 1
    foreach {type key} {string string list list set set zset zset hash hash stream stream none nothing} {
      assert_type $type $key
    }
  }

  test {KEYS takes patterns} {
    r flushall
    foreach key {one two three {with space} odd*key} { r set $key v }
    assert_equal [lsort [r keys t*]] {three two}
    assert_equal [r keys {?ne}] one
    assert_equal [r keys {[a-o]ne}] one
    assert_equal [r keys {odd\*key}] odd*key
    llength [r keys *]
  } {5}

  test {EXPIRE and its kin set, read and end a time to live} {
    r set k v
    assert_equal [r ttl k] -1
    assert_equal [r expire k 100] 1
    assert_range [r ttl k] 99 100
    assert_equal [r pexpire k 50000] 1
    assert_range [r pttl k] 49000 50000
    assert_equal [r persist k] 1
    assert_equal [r persist k] 0
    assert_equal [r expire nothing 10] 0
    r ttl nothing
  } {-2}

  test {EXPIREAT gives a moment, and a past one deletes} {
    r set k v
    set at [expr {[clock seconds] + 1000}]
    assert_equal [r expireat k $at] 1
    assert_equal [r expiretime k] $at
    assert_equal [r pexpireat k ${at}000] 1
    assert_equal [r pexpiretime k] ${at}000
    assert_equal [r expireat k 1] 1
    r exists k
  } {0}

  test {EXPIRE NX, XX, GT and LT look at the time that is there} {
    r set k v
    assert_equal [r expire k 100 xx] 0
    assert_equal [r expire k 100 gt] 0
    assert_equal [r expire k 100 nx] 1
    assert_equal [r expire k 200 nx] 0
    assert_equal [r expire k 50 gt] 0
    assert_equal [r expire k 200 gt] 1
    assert_equal [r expire k 300 lt] 0
    assert_equal [r expire k 20 lt] 1
    assert_error {*NX and XX, GT or LT*} {r expire k 1 nx xx}
    assert_range [r ttl k] 18 20
  }

  test {a key is gone when its time has come} {
    r psetex k 60 v
    r hset h f v
    r pexpire h 60
    assert_equal [r get k] v
    after 80
    list [r get k] [r hget h f] [r exists k h] [r type k]
  } {{} {} 0 none}

  test {RENAME takes value and time along} {
    r flushall
    r set from v ex 100
    r set to old
    assert_equal [r rename from to] OK
    assert_equal [r get to] v
    assert_range [r ttl to] 98 100
    assert_error {ERR no such key*} {r rename from to}
    r set other w
    assert_equal [r renamenx to other] 0
    assert_equal [r renamenx to fresh] 1
    r exists from to
  } {0}

  test {COPY leaves the source, and an existing target unless told} {
    r flushall
    r rpush l a b c
    assert_equal [r copy l m] 1
    assert_equal [r copy l m] 0
    r rpush l d
    assert_equal [r copy l m replace] 1
    r lrange m 0 -1
  } {a b c d}

  test {DUMP and RESTORE carry each type} {
    r flushall
    r set string v
    r rpush list a b c
    r sadd set a b c
    r zadd zset 1 a 2.5 b
    r hset hash f v g w
    foreach {key read} {string get list lrange set smembers zset zrange hash hgetall} {
      set arguments [expr {$read in {lrange zrange} ? {0 -1} : {}}]
      set before [lsort [r $read $key {*}$arguments]]
      set payload [r dump $key]
      r del $key
      assert_equal [r restore $key 0 $payload] OK
      assert_equal [lsort [r $read $key {*}$arguments]] $before $key
    }
  }

  test {RESTORE refuses broken payloads and existing keys} {
    set payload [r dump string]
    assert_error {BUSYKEY *} {r restore string 0 $payload}
    assert_equal [r restore string 100000 $payload replace] OK
    assert_range [r pttl string] 98000 100000
    assert_error {*DUMP payload version or checksum*} {r restore x 0 [string range $payload 0 end-1]x}
  }

  test {RANDOMKEY finds every key sooner or later} {
    r flushall
    assert_equal [r randomkey] {}
    r mset a 1 b 2
    for {set i 0} {$i < 100} {incr i} { set seen([r randomkey]) 1 }
    lsort [array names seen]
  } {a b}

  test {a whole data set survives its dump, key by key} {
    r flushall
    createComplexDataset r 400
    set before [csvdump r]
    foreach key [r keys *] {
      if {[r ttl $key] != -1} continue
      set payload [r dump $key]
      r del $key
      r restore $key 0 $payload
    }
    expr {[csvdump r] eq $before}
  } {1}

  test {FLUSHALL empties} {
    populate 200
    assert_equal [llength [r keys *]] [expr {[llength [r keys key:*]] + [llength [r keys *]] - 200}]
    r flushall
    r keys *
  } {}
}
