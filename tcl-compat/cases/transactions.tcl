# MULTI, EXEC and WATCH.

start_server {tags {multi}} {
  test {EXEC answers with what the commands answer} {
    r del k
    r multi
    assert_equal [r set k 1] QUEUED
    assert_equal [r incr k] QUEUED
    assert_equal [r get k] QUEUED
    r exec
  } {OK 2 2}

  test {DISCARD forgets} {
    r set k before
    r multi
    r set k after
    r discard
    assert_error {*DISCARD without MULTI*} {r discard}
    r get k
  } {before}

  test {an error while queueing refuses all} {
    r set k before
    r multi
    assert_error {ERR unknown command*} {r nosuch}
    r set k after
    assert_error {EXECABORT*} {r exec}
    assert_equal [r get k] before
    r multi
    assert_error {*wrong number of arguments*} {r get}
    assert_error {EXECABORT*} {r exec}
    r ping
  } {PONG}

  test {an error while executing leaves the others} {
    r set text abc
    r multi
    r set a 1
    r incr text
    r set b 2
    assert_error {ERR value is not an integer*} {r exec}
    r mget a b
  } {1 2}

  test {MULTI does not nest, and WATCH stands before it} {
    r multi
    assert_error {*can not be nested*} {r multi}
    assert_error {*WATCH inside MULTI*} {r watch k}
    r discard
    assert_error {*EXEC without MULTI*} {r exec}
  }

  foreach {what change wanted} {
    {another client writes} {$other set k x} {}
    {another client deletes} {$other del k} {}
    {another client flushes} {$other flushall} {}
    {another client gives a time to live} {$other expire k 100} {}
    {another key is written} {$other set z x} PONG
    {the key is read} {$other get k} PONG
    {the client stops watching} {$other set k x; r unwatch} PONG
  } {
    test "WATCH: $what" {
      set other [redis_client]
      r set k v
      r watch k
      eval $change
      r multi
      r ping
      set reply [r exec]
      $other close
      set reply
    } $wanted
  }

  test {what expires is a change} {
    r set k v px 30
    r watch k
    after 50
    r multi
    r ping
    r exec
  } {}

  test {a watch holds for one EXEC} {
    r watch k
    r set k x
    r multi
    assert_equal [r exec] {}
    r multi
    r ping
    r exec
  } {PONG}

  test {blocking commands do not wait inside of MULTI} {
    r del l
    r multi
    r blpop l 0
    r rpush l a
    r blpop l 0
    r exec
  } {{} 1 {l a}}

  test {nobody sees a half} {
    r mset x 0 y 0
    set reader [redis_client]
    for {set i 1} {$i <= 100} {incr i} {
      r multi
      r set x $i
      r set y $i
      r exec
      lassign [$reader mget x y] x y
      assert_equal $x $y
    }
    $reader close
  }

  test {EVAL inside of MULTI} {
    r del k
    r multi
    r eval {return redis.call('incr', KEYS[1])} 1 k
    r eval {return redis.call('incr', KEYS[1])} 1 k
    r exec
  } {1 2}
}
