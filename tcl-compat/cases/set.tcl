# Sets.

proc create_set {key members} {
  r del $key
  if {[llength $members] > 0} { r sadd $key {*}$members }
}

start_server {tags {set}} {
  test {SADD and SREM count what changed} {
    r del s
    assert_equal [r sadd s a b a] 2
    assert_equal [r sadd s b c] 1
    assert_equal [r srem s a nothing] 1
    lsort [r smembers s]
  } {b c}

  test {a set is gone with its last member} {
    r srem s b c
    list [r exists s] [r scard s] [r smembers s]
  } {0 0 {}}

  test {SISMEMBER and SMISMEMBER} {
    create_set s {a b}
    list [r sismember s a] [r sismember s z] [r smismember s a z b] [r smismember none a b]
  } {1 0 {1 0 1} {0 0}}

  foreach {name first second third inter union diff} {
    ordinary {a b c} {b c d} {c d e} c {a b c d e} a
    {one empty} {a b} {} {a} {} {a b} b
    equal {x y} {x y} {x y} {x y} {x y} {}
  } {
    test "intersection, union and difference: $name" {
      create_set {s1} $first
      create_set {s2} $second
      create_set {s3} $third
      assert_equal [lsort [r sinter s1 s2 s3]] $inter
      assert_equal [lsort [r sunion s1 s2 s3]] $union
      assert_equal [lsort [r sdiff s1 s2 s3]] $diff
      assert_equal [r sintercard 3 s1 s2 s3] [llength $inter]
      assert_equal [r sinterstore t s1 s2 s3] [llength $inter]
      assert_equal [r sunionstore t s1 s2 s3] [llength $union]
      assert_equal [lsort [r smembers t]] $union
      assert_equal [r sdiffstore t s1 s2 s3] [llength $diff]
      lsort [r smembers t]
    } $diff
  }

  test {an empty result removes the target} {
    create_set t {old}
    create_set s1 {a}
    list [r sinterstore t s1 none] [r exists t]
  } {0 0}

  test {SINTERCARD stops at its limit} {
    create_set s1 {a b c d}
    create_set s2 {a b c d}
    list [r sintercard 2 s1 s2 limit 2] [r sintercard 2 s1 s2 limit 0]
  } {2 4}

  test {SMOVE carries a member over} {
    create_set s1 {a b}
    create_set s2 {b}
    assert_equal [r smove s1 s2 a] 1
    assert_equal [r smove s1 s2 b] 1
    assert_equal [r smove s1 s2 z] 0
    list [r exists s1] [lsort [r smembers s2]]
  } {0 {a b}}

  test {SPOP takes each member once} {
    create_set s {a b c d e}
    set taken [list [r spop s]]
    lappend taken {*}[r spop s 3]
    assert_equal [r scard s] 1
    lappend taken {*}[r spop s 10]
    list [lsort $taken] [r exists s] [r spop s]
  } {{a b c d e} 0 {}}

  test {SRANDMEMBER takes nothing away} {
    create_set s {a b c}
    assert_equal [lsort [r srandmember s 10]] {a b c}
    assert_equal [llength [r srandmember s -10]] 10
    assert {[r srandmember s] in {a b c}}
    list [r scard s] [r srandmember none] [r srandmember none 3]
  } {3 {} {}}

  test {all members are drawn about as often} {
    create_set s {a b c d e f g h}
    set drawn {}
    for {set i 0} {$i < 50} {incr i} { lappend drawn {*}[r srandmember s -50] }
    # Of 7 degrees of freedom, passed by one sample in a million.
    assert_lessthan [chi_square_value $drawn] 40
  }

  test {SSCAN sees every member once} {
    r del s
    for {set i 0} {$i < 500} {incr i} { lappend members m$i }
    r sadd s {*}$members
    set cursor 0
    set seen {}
    while 1 {
      lassign [r sscan s $cursor count 33] cursor found
      lappend seen {*}$found
      if {$cursor eq 0} break
    }
    expr {[lsort $seen] eq [lsort $members]}
  } {1}

  test {SMEMBERS is a set in RESP3} {
    create_set s {a}
    r hello 3
    r readraw 1
    set kind [r smembers s]
    r read
    r read
    r readraw 0
    r hello 2
    set kind
  } {~1}

  test {a key of another type is refused} {
    r set x v
    create_set s {a}
    foreach command {{sadd x a} {smembers x} {sinter s x} {sunion s x} {sdiff s x} {spop x} {smove s x a}} {
      assert_error {WRONGTYPE *} {r {*}$command}
    }
  }
}
