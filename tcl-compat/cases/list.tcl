# Lists, and clients that wait for them.

proc create_list {key elements} {
  r del $key
  foreach element $elements { r rpush $key $element }
}

start_server {tags {list}} {
  test {pushes and pops at both ends} {
    r del l
    assert_equal [r rpush l b c] 2
    assert_equal [r lpush l a z] 4
    assert_equal [r lrange l 0 -1] {z a b c}
    list [r lpop l] [r rpop l] [r llen l]
  } {z c 2}

  test {LPUSHX and RPUSHX leave what is not there alone} {
    list [r lpushx l y] [r rpushx l x] [r lpushx nothing a] [r exists nothing]
  } {3 4 0 0}

  test {LPOP with a count takes several} {
    create_list l {a b c d e}
    assert_equal [r lpop l 2] {a b}
    assert_equal [r rpop l 10] {e d c}
    assert_equal [r exists l] 0
    assert_equal [r lpop l 2] {}
    assert_error {*must be positive*} {r lpop l -1}
  }

  test {LINDEX and LRANGE count from both ends} {
    create_list l {a b c d}
    assert_equal [list [r lindex l 0] [r lindex l -1] [r lindex l 9]] {a d {}}
    foreach {from to wanted} {0 -1 {a b c d} -2 -1 {c d} 2 1 {} -100 1 {a b} 3 100 d} {
      assert_equal [r lrange l $from $to] $wanted
    }
  }

  test {LSET and LINSERT} {
    r lset l 1 B
    assert_equal [r linsert l before B x] 5
    assert_equal [r linsert l after d y] 6
    assert_equal [r linsert l before nothing y] -1
    assert_equal [r linsert none before a b] 0
    assert_error {*index out of range*} {r lset l 99 v}
    assert_error {ERR no such key*} {r lset none 0 v}
    r lrange l 0 -1
  } {a x B c d y}

  test {LREM from the head, from the tail, and all} {
    create_list l {a b a c a d a}
    assert_equal [r lrem l 2 a] 2
    assert_equal [r lrange l 0 -1] {b c a d a}
    assert_equal [r lrem l -1 a] 1
    assert_equal [r lrange l 0 -1] {b c a d}
    assert_equal [r lrem l 0 a] 1
    r lrange l 0 -1
  } {b c d}

  test {LTRIM keeps a range, or nothing} {
    create_list l {a b c d e}
    r ltrim l 1 -2
    assert_equal [r lrange l 0 -1] {b c d}
    r ltrim l 5 10
    r exists l
  } {0}

  test {LPOS finds positions} {
    create_list l {a b c 1 2 3 c c}
    assert_equal [r lpos l c] 2
    assert_equal [r lpos l c rank -1] 7
    assert_equal [r lpos l c count 0] {2 6 7}
    assert_equal [r lpos l c rank 2 count 1] 6
    assert_equal [r lpos l c maxlen 2] {}
    assert_error {*RANK can't be zero*} {r lpos l c rank 0}
  }

  test {LMOVE and RPOPLPUSH carry an element over} {
    create_list from {a b c}
    r del to
    assert_equal [r lmove from to left right] a
    assert_equal [r rpoplpush from to] c
    assert_equal [r lmove from from right left] b
    list [r lrange from 0 -1] [r lrange to 0 -1]
  } {b {c a}}

  test {LMPOP takes from the first list that has something} {
    r del none
    create_list two {a b c}
    assert_equal [r lmpop 2 none two left count 2] {two {a b}}
    assert_equal [r lmpop 2 none two right] {two c}
    r lmpop 2 none two left
  } {}

  test {BLPOP takes at once what is there} {
    create_list l {a b}
    list [r blpop none l 1] [r brpop l 1]
  } {{l a} {l b}}

  test {BLPOP waits, first come first served} {
    r del l
    set first [redis_deferring_client]
    set second [redis_deferring_client]
    $first blpop l 0
    wait_for_blocked_clients_count 1
    $second blpop l 0
    wait_for_blocked_clients_count 2
    r rpush l a b
    assert_equal [$first read] {l a}
    assert_equal [$second read] {l b}
    $first close
    $second close
  }

  test {a wait ends by its timeout} {
    set client [redis_deferring_client]
    $client blpop none 0.05
    assert_equal [$client read] {}
    assert_error {*timeout is not a float*} {r blpop none abc}
    assert_error {*timeout is negative*} {r blpop none -1}
    $client close
  }

  test {BLMOVE hands on to one who waits for the target} {
    r del from to
    set mover [redis_deferring_client]
    set taker [redis_deferring_client]
    $taker blpop to 0
    wait_for_blocked_clients_count 1
    $mover blmove from to left right 0
    wait_for_blocked_clients_count 2
    r rpush from x
    assert_equal [$mover read] x
    assert_equal [$taker read] {to x}
    $mover close
    $taker close
  }

  test {what is gone at the end of a transaction wakes nobody} {
    r del l
    set client [redis_deferring_client]
    $client blpop l 0
    wait_for_blocked_client
    r multi
    r rpush l a
    r del l
    r exec
    r rpush l b
    set reply [$client read]
    $client close
    set reply
  } {l b}

  test {CLIENT UNBLOCK ends a wait} {
    set client [redis_deferring_client]
    $client client id
    set id [$client read]
    $client blpop none 0
    wait_for_blocked_client
    assert_equal [r client unblock $id error] 1
    assert_error {UNBLOCKED *} {$client read}
    $client close
  }

  test {lists hold bytes of any length} {
    r del l
    set elements {}
    for {set i 0} {$i < 200} {incr i} {
      set element [randstring 0 400 binary]
      lappend elements $element
      r rpush l $element
    }
    expr {[r lrange l 0 -1] eq $elements}
  } {1}

  test {a key of another type is refused} {
    r set s v
    foreach command {{lpush s a} {lrange s 0 1} {llen s} {lpop s} {lindex s 0} {blpop s 1} {lmove s t left left}} {
      assert_error {WRONGTYPE *} {r {*}$command}
    }
  }
}
