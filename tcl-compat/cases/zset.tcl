# Sorted sets.

proc create_zset {key pairs} {
  r del $key
  foreach {score member} $pairs { r zadd $key $score $member }
}

start_server {tags {zset}} {
  test {members come by score, and by name where scores are equal} {
    create_zset z {3 c 1 a 2 b 2 ab -inf first +inf last}
    assert_equal [r zrange z 0 -1] {first a ab b c last}
    r zrange z 0 -1 rev
  } {last c b ab a first}

  test {ZADD counts new members, or changed ones} {
    create_zset z {1 a}
    assert_equal [r zadd z 2 a 3 b] 1
    assert_equal [r zadd z ch 5 a 4 c] 2
    assert_equal [r zscore z a] 5
    assert_equal [r zadd z incr 2.5 a] 7.5
    r zadd z xx incr 1 nothing
  } {}

  test {ZADD NX, XX, GT and LT} {
    create_zset z {10 a}
    assert_equal [r zadd z nx 1 a 1 b] 1
    assert_equal [r zadd z xx 2 a 2 c] 0
    assert_equal [r zadd z gt ch 1 a] 0
    assert_equal [r zadd z gt ch 20 a] 1
    assert_equal [r zadd z lt ch 30 a] 0
    assert_equal [r zadd z lt ch 15 a] 1
    assert_error {*not compatible*} {r zadd z nx gt 1 a}
    r zrange z 0 -1 withscores
  } {b 1 a 15}

  test {ZADD refuses what is no number} {
    assert_error {*not a valid float*} {r zadd z abc m}
    assert_error {*not a valid float*} {r zadd z nan m}
    assert_error {ERR syntax*} {r zadd z 1 a 2}
  }

  test {ZINCRBY and the sum that is not a number} {
    create_zset z {+inf a}
    assert_error {*NaN*} {r zincrby z -inf a}
    assert_equal [r zincrby z 1.5 b] 1.5
    r zincrby z -2 b
  } {-0.5}

  test {ZRANK and ZREVRANK, with the score} {
    create_zset z {1 a 2 b 3 c}
    list [r zrank z b] [r zrevrank z a] [r zrank z nothing] [r zrank z c withscore]
  } {1 2 {} {2 3}}

  test {ZRANGE by score with open ends and a limit} {
    create_zset z {1 a 2 b 3 c 4 d 5 e}
    assert_equal [r zrange z 2 4 byscore] {b c d}
    assert_equal [r zrange z (2 (4 byscore] {c}
    assert_equal [r zrange z 4 2 byscore rev] {d c b}
    assert_equal [r zrangebyscore z -inf +inf limit 1 2] {b c}
    assert_equal [r zrevrangebyscore z +inf 3 withscores limit 0 1] {e 5}
    assert_error {*min or max is not a float*} {r zrangebyscore z a 3}
    list [r zcount z 2 4] [r zcount z (2 +inf]
  } {3 3}

  test {ZRANGE by name} {
    create_zset z {0 alpha 0 bar 0 cool 0 down 0 elephant}
    assert_equal [r zrangebylex z - {[cool}] {alpha bar cool}
    assert_equal [r zrangebylex z (bar (down] cool
    assert_equal [r zrevrangebylex z + {[cool}] {elephant down cool}
    assert_equal [r zrange z {[b} + bylex limit 1 2] {cool down}
    assert_equal [r zlexcount z - +] 5
    assert_error {*not valid string range item*} {r zrangebylex z a b}
    r zremrangebylex z (alpha {[cool}
  } {2}

  test {ZREMRANGEBYRANK and ZREMRANGEBYSCORE} {
    create_zset z {1 a 2 b 3 c 4 d 5 e}
    assert_equal [r zremrangebyrank z 0 1] 2
    assert_equal [r zremrangebyscore z (4 +inf] 1
    r zrange z 0 -1
  } {c d}

  test {ZPOPMIN, ZPOPMAX and ZMPOP} {
    create_zset z {1 a 2 b 3 c 4 d 5 e}
    assert_equal [r zpopmin z] {a 1}
    assert_equal [r zpopmax z 2] {e 5 d 4}
    assert_equal [r zmpop 2 none z min] {z {{b 2}}}
    assert_equal [r zmpop 1 z max count 9] {z {{c 3}}}
    list [r exists z] [r zpopmin z] [r zmpop 1 z min]
  } {0 {} {}}

  test {ZUNION, ZINTER and ZDIFF weigh and join} {
    create_zset z1 {1 a 2 b}
    create_zset z2 {10 b 20 c}
    assert_equal [r zunion 2 z1 z2 withscores] {a 1 b 12 c 20}
    assert_equal [r zunion 2 z1 z2 weights 2 3 withscores] {a 2 b 34 c 60}
    assert_equal [r zinter 2 z1 z2 aggregate max withscores] {b 10}
    assert_equal [r zdiff 2 z1 z2 withscores] {a 1}
    assert_equal [r zintercard 2 z1 z2] 1
    assert_equal [r zunionstore t 2 z1 z2 aggregate min] 3
    assert_equal [r zrange t 0 -1 withscores] {a 1 b 2 c 20}
    assert_equal [r zinterstore t 2 z1 none] 0
    r exists t
  } {0}

  test {ZRANGESTORE writes what a range gives} {
    create_zset z {1 a 2 b 3 c}
    list [r zrangestore t z 1 -1] [r zrange t 0 -1 withscores] [r zrangestore t z 9 10] [r exists t]
  } {2 {b 2 c 3} 0 0}

  test {ZMSCORE and ZRANDMEMBER} {
    create_zset z {1 a 2.5 b}
    assert_equal [r zmscore z a nothing b] {1 {} 2.5}
    assert_equal [llength [r zrandmember z -7]] 7
    lsort [r zrandmember z 10]
  } {a b}

  test {scores are doubles in RESP3} {
    r hello 3
    r readraw 1
    set line [r zscore z b]
    r readraw 0
    r hello 2
    set line
  } {,2.5}

  test {BZPOPMIN waits} {
    r del z
    set client [redis_deferring_client]
    $client bzpopmin z 0
    wait_for_blocked_client
    r zadd z 3 c 1 a
    assert_equal [$client read] {z a 1}
    $client bzmpop 0 2 none z max
    assert_equal [$client read] {z {{c 3}}}
    $client bzpopmax z 0.05
    assert_equal [$client read] {}
    $client close
  }

  test {ZSCAN sees every member once} {
    r del z
    for {set i 0} {$i < 300} {incr i} { r zadd z $i m$i }
    set cursor 0
    set seen {}
    while 1 {
      lassign [r zscan z $cursor count 50] cursor found
      foreach {member score} $found { lappend seen $member }
      if {$cursor eq 0} break
    }
    list [llength $seen] [llength [lsort -unique $seen]]
  } {300 300}

  test {a random sorted set agrees with a list} {
    r del z
    array unset scores
    for {set i 0} {$i < 300} {incr i} {
      set member [randomInt 60]
      if {rand() < 0.7} {
        set scores($member) [randomSignedInt 20]
        r zadd z $scores($member) $member
      } else {
        r zrem z $member
        unset -nocomplain scores($member)
      }
    }
    set wanted {}
    foreach member [array names scores] { lappend wanted [list $scores($member) $member] }
    set wanted [lmap pair [lsort -command zlistAlikeSort $wanted] { lindex $pair 1 }]
    expr {[r zrange z 0 -1] eq $wanted}
  } {1}
}
