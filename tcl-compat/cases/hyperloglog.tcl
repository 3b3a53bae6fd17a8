# HyperLogLog: counts of different elements.

start_server {tags {hll}} {
  test {PFADD says whether the count may have changed} {
    r del h
    list [r pfadd h a b c] [r pfadd h a] [r pfcount h] [r pfcount none]
  } {1 0 3 0}

  test {a large count is right within a few percent} {
    r del h
    for {set i 0} {$i < 100} {incr i} {
      set elements {}
      for {set j 0} {$j < 100} {incr j} { lappend elements e:$i:$j }
      r pfadd h {*}$elements
    }
    assert_range [r pfcount h] 9500 10500
  }

  test {PFCOUNT and PFMERGE take the union} {
    r del a b c
    r pfadd a 1 2 3
    r pfadd b 3 4 5
    assert_equal [r pfcount a b] 5
    assert_equal [r pfmerge c a b none] OK
    r pfcount c
  } {5}

  test {a key of another type is refused} {
    r del l
    r lpush l a
    assert_error {WRONGTYPE *} {r pfadd l a}
    assert_error {WRONGTYPE *} {r pfcount l}
    assert_error {WRONGTYPE *} {r pfmerge a l}
  }
}
