# Bits: of bitmaps and of strings.

start_server {tags {bitmap}} {
  foreach kind {bitmap string} {
    proc fresh {bytes} "
      r del b
      if {{$kind} eq {string}} { r set b \$bytes; return }
      for {set i 0} {\$i < \[string length \$bytes\] * 8} {incr i} {
        binary scan \[string index \$bytes \[expr {\$i / 8}\]\] B8 bits
        r setbit b \$i \[string index \$bits \[expr {\$i % 8}\]\]
      }
    "

    test "SETBIT and GETBIT: $kind" {
      fresh "\x80"
      assert_equal [r setbit b 0 0] 1
      assert_equal [r setbit b 7 1] 0
      assert_equal [r setbit b 100 1] 0
      list [r getbit b 0] [r getbit b 7] [r getbit b 100] [r getbit b 5000]
    } {0 1 1 0}

    test "BITCOUNT counts a range of bytes or bits: $kind" {
      fresh "foobar"
      list [r bitcount b] [r bitcount b 0 0] [r bitcount b 1 1] [r bitcount b -2 -1] [r bitcount b 5 30 bit]
    } {26 4 6 7 17}

    test "BITPOS finds the first bit: $kind" {
      fresh "\xff\xf0\x00"
      list [r bitpos b 0] [r bitpos b 1] [r bitpos b 1 2] [r bitpos b 0 0 0] [r bitpos b 1 2 -1] [r bitpos none 0]
    } {12 0 -1 -1 -1 0}

    test "GET gives the bytes: $kind" {
      fresh "\x41\x42\x43"
      r get b
    } {ABC}
  }

  test {SETBIT refuses wrong bits and offsets} {
    assert_error {*bit is not an integer or out of range*} {r setbit b 1 2}
    assert_error {*bit offset is not an integer*} {r setbit b -1 1}
    assert_error {*bit offset is not an integer*} {r setbit b 4294967296 1}
  }

  test {BITOP joins bitmaps of different lengths} {
    r set x "\xff\x0f"
    r set y "\xf0"
    foreach {operation keys wanted} {
      and {x y} f000 or {x y} ff0f xor {x y} 0f0f not x 00f0
    } {
      assert_equal [r bitop $operation t {*}$keys] 2
      binary scan [r get t] H* hex
      assert_equal $hex $wanted $operation
    }
    assert_error {*must be called with a single source*} {r bitop not t x y}
    r bitop and t none
  } {0}

  test {BITFIELD sets, gets and counts, with each overflow} {
    r del f
    assert_equal [r bitfield f set u8 0 255 get u8 0 incrby u8 0 10] {0 255 9}
    assert_equal [r bitfield f set i8 0 127 overflow sat incrby i8 0 10] {9 127}
    assert_equal [r bitfield f overflow fail incrby i8 0 1] {{}}
    assert_equal [r bitfield f set u4 #1 5 get u4 4] {15 5}
    assert_equal [r bitfield_ro f get u4 4] 5
    assert_error {*only supports the GET*} {r bitfield_ro f set u4 0 1}
    assert_error {*Invalid bitfield type*} {r bitfield f get u64 0}
  }

  test {bits that are far apart cost little} {
    r del sparse
    r setbit sparse 4000000000 1
    assert_equal [r bitcount sparse] 1
    r bitpos sparse 1
  } {4000000000}

  test {a random bitmap agrees with a list} {
    r del b
    set bits [lrepeat 2000 0]
    for {set i 0} {$i < 400} {incr i} {
      set at [randomInt 2000]
      set bit [randomInt 2]
      assert_equal [r setbit b $at $bit] [lindex $bits $at]
      lset bits $at $bit
    }
    assert_equal [r bitcount b] [llength [lsearch -all $bits 1]]
    expr {[r bitpos b 1] == [lsearch $bits 1]}
  } {1}
}
