# SCAN.

proc scan_all {args} {
  set cursor 0
  set keys {}
  while 1 {
    lassign [r scan $cursor {*}$args] cursor found
    lappend keys {*}$found
    if {$cursor eq 0} { return $keys }
  }
}

start_server {tags {scan}} {
  test {SCAN sees every key once} {
    r flushall
    populate 500
    set keys [scan_all]
    list [llength $keys] [llength [lsort -unique $keys]]
  } {500 500}

  test {SCAN COUNT says how many at a time} {
    lassign [r scan 0 count 50] cursor keys
    assert_equal [llength $keys] 50
    llength [scan_all count 7]
  } {500}

  test {SCAN MATCH filters} {
    list [llength [scan_all match key:1*]] [scan_all match key:42] [scan_all match none*]
  } {111 key:42 {}}

  test {SCAN TYPE filters} {
    r rpush list a
    r sadd set a
    list [scan_all type list] [scan_all type set] [scan_all type zset]
  } {list set {}}

  test {keys that stay are seen while others come and go} {
    r flushall
    populate 100 stays:
    set cursor 0
    set seen {}
    set round 0
    while 1 {
      lassign [r scan $cursor count 5] cursor found
      lappend seen {*}$found
      r set comes:[incr round] v
      r del comes:[expr {$round - 2}]
      if {$cursor eq 0 || $round > 500} break
    }
    llength [lsort -unique [lsearch -all -inline $seen stays:*]]
  } {100}

  test {SCAN refuses wrong words} {
    assert_error {*invalid cursor*} {r scan abc}
    assert_error {ERR syntax*} {r scan 0 count 0}
    assert_error {*not an integer*} {r scan 0 count abc}
  }
}
