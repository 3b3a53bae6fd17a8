# What Kvrocks has beyond Redis: sets of numbers, the change feed, conditional writes, namespaces.

start_server {tags {kvrocks}} {
  test {sorted sets of integers} {
    r del numbers
    assert_equal [r siadd numbers 5 1 9 5] 3
    assert_equal [r sirem numbers 9 7] 1
    assert_equal [r sicard numbers] 2
    assert_equal [r siexists numbers 1 9] {1 0}
    r siadd numbers 2 3 4
    assert_equal [r sirange numbers 0 10] {1 2 3 4 5}
    assert_equal [r sirevrange numbers 0 2] {5 4}
    r sirangebyvalue numbers 2 (5
  } {2 3 4}

  test {CAS and CAD write where the value is the expected one} {
    r set k old
    list [r cas k other new] [r cas k old new] [r get k] [r cad k other] [r cad k new] [r exists k]
  } {0 1 new 0 1 0}

  test {HSETEXPIRE and HRANGEBYLEX} {
    r del h
    r hset h a 1 b 2 c 3 d 4
    r hrangebylex h {[b} {(d}
  } {b 2 c 3}

  test {POLLUPDATES gives what was written since a sequence} {
    r flushall
    set before [dict get [r pollupdates 0 max 1] latest_sequence]
    r set fed v
    r del fed
    set told [r pollupdates $before max 10 format resp]
    assert_equal [dict get $told latest_sequence] [dict get $told next_sequence]
    assert_morethan [dict get $told latest_sequence] $before
    assert_match {*fed*} [dict get $told updates]
    assert_error {ERR *} {r pollupdates 99999999 max 1}
  }

  test {KMETADATA tells how a key is stored} {
    r del l
    r rpush l a b c
    assert_match {*type list*size 3*} [r kmetadata l]
    assert_error {*} {r kmetadata none}
  }

  test {COMPACT, BGSAVE and FLUSHMEMTABLE} {
    populate 100
    assert_equal [r flushmemtable] OK
    assert_match {*} [r compact]
    wait_for_condition 200 20 {[s is_compacting] ne {yes}} else { fail "the compaction does not end" }
    assert_equal [r bgsave] OK
    wait_for_condition 200 20 {[s bgsave_in_progress] == 0} else { fail "the backup does not end" }
    llength [r keys key:*]
  } {100}
}
