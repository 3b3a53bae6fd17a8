# The other words of Redis's test files: randomness, data sets, INFO, waiting, pub/sub, logs, processes.

# --- Randomness ---

# An integer from 0 to below `limit`.
proc randomInt {limit} { expr {int(rand() * $limit)} }
proc randomRange {first limit} { expr {$first + int(rand() * ($limit - $first))} }
proc randomSignedInt {limit} { expr {rand() < 0.5 ? [randomInt $limit] : -[randomInt $limit]} }

# Runs one of the scripts.
proc randpath {args} { uplevel 1 [lindex $args [randomInt [llength $args]]] }

# A string of `least` to `most` characters: of all bytes, of 48 to 122 without the backslash (alpha), of letters and
# digits (simplealpha), or of a few digits (compr).
proc randstring {least most {type binary}} {
  set size [expr {$least + [randomInt [expr {$most - $least + 1}]]}]
  lassign [dict get {binary {0 255} alpha {48 122} simplealpha {48 122} compr {48 52}} $type] first last
  set text {}
  while {[string length $text] < $size} {
    set character [format %c [randomRange $first [expr {$last + 1}]]]
    if {$type eq {alpha} && $character eq "\\"} continue
    if {$type eq {simplealpha} && ![string is alnum $character]} continue
    append text $character
  }
  return $text
}

proc randomNumber {} {
  switch [randomInt 4] {
    0 { randomSignedInt 1000 }
    1 { randomSignedInt 2000000000 }
    2 { randomSignedInt 4000000000 }
    default { randomSignedInt 1000000000000 }
  }
}
proc randomValue {} {
  if {rand() < 0.75} { return [randomNumber] }
  return [randstring 0 256 [lindex {alpha compr binary} [randomInt 3]]]
}
proc randomKey {} {
  if {rand() < 0.75} { return [expr {abs([randomNumber])}] }
  return [randstring 1 256 [lindex {alpha compr} [randomInt 2]]]
}

proc lshuffle {list} {
  for {set i [expr {[llength $list] - 1}]} {$i > 0} {incr i -1} {
    set j [randomInt [expr {$i + 1}]]
    set kept [lindex $list $i]
    lset list $i [lindex $list $j]
    lset list $j $kept
  }
  return $list
}

# The statistic of Pearson's test that all elements of a sample are equally likely.
proc chi_square_value {sample} {
  foreach element $sample { dict incr counts $element }
  set expected [expr {double([llength $sample]) / [dict size $counts]}]
  set sum 0.0
  dict for {element count} $counts { set sum [expr {$sum + ($count - $expected) ** 2 / $expected}] }
  return $sum
}

# --- Data ---

# SETs `count` keys with values of `size` bytes, 16 commands ahead of their replies.
proc populate {count {prefix key:} {size 3} {level 0} {prints false} {expires 0}} {
  set value [string repeat A $size]
  set suffix [expr {$expires > 0 ? [list ex $expires] : {}}]
  r $level deferred 1
  set ahead 0
  for {set i 0} {$i < $count} {incr i} {
    r $level set $prefix$i $value {*}$suffix
    if {[incr ahead] > 16} {
      r $level read
      incr ahead -1
    }
    if {$prints} { puts $i }
  }
  while {$ahead > 0} {
    r $level read
    incr ahead -1
  }
  r $level deferred 0
}

proc findKeyWithType {client type} {
  for {set i 0} {$i < 20} {incr i} {
    set key [{*}$client randomkey]
    if {$key eq {}} { return {} }
    if {[{*}$client type $key] eq $type} { return $key }
  }
  return {}
}

# Runs `count` random operations on keys of all types. Options: useexpire, usehexpire, usetag.
proc createComplexDataset {client count {options {}}} {
  set tag [expr {{usetag} in $options ? "{t}" : {}}]
  for {set i 0} {$i < $count} {incr i} {
    set key [randomKey]$tag
    if {{useexpire} in $options && rand() < 0.1} { {*}$client expire [randomKey]$tag [randomInt 2] }
    set type [{*}$client type $key]
    if {$type eq {none}} {
      set type [lindex {string list set zset hash stream none} [randomInt 6]]
    }
    changeAtRandom $client $key $type $tag
    if {{usehexpire} in $options && $type eq {hash} && rand() < 0.5} {
      set fields [{*}$client hkeys $key]
      if {[llength $fields] > 0} { {*}$client hexpire $key 1000 fields 1 [lindex $fields 0] }
    }
  }
}

proc changeAtRandom {client key type tag} {
  set value [randomValue]
  set score [expr {rand() < 0.9 ? rand() : rand() < 0.5 ? "+inf" : "-inf"}]
  set destination [randomKey]$tag
  switch $type {
    string { {*}$client set $key $value }
    stream { {*}$client xadd $key * [randomValue] $value }
    list {
      randpath {{*}$client lpush $key $value} {{*}$client rpush $key $value} {{*}$client lrem $key 0 $value} \
        {{*}$client rpop $key} {{*}$client lpop $key}
    }
    hash { randpath {{*}$client hset $key [randomValue] $value} {{*}$client hdel $key [randomValue]} }
    set {
      randpath {{*}$client sadd $key $value} {{*}$client srem $key $value} {
        set other [findKeyWithType $client set]
        set command [lindex {sunionstore sinterstore sdiffstore} [randomInt 3]]
        if {$other ne {}} { {*}$client $command $destination $key $other }
      }
    }
    zset {
      randpath {{*}$client zadd $key $score $value} {{*}$client zrem $key $value} {
        set other [findKeyWithType $client zset]
        set command [lindex {zunionstore zinterstore} [randomInt 2]]
        if {$other ne {}} { {*}$client $command $destination 2 $key $other }
      }
    }
  }
}

# What the whole database holds, a line a key; the same for equal contents.
proc csvdump {client} {
  set text {}
  foreach database [expr {$::singledb ? {0} : {0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15}}] {
    if {!$::singledb} { {*}$client select $database }
    foreach key [lsort [{*}$client keys *]] {
      set type [{*}$client type $key]
      set cells [list $database $key $type]
      switch $type {
        string { lappend cells [{*}$client get $key] }
        list { lappend cells {*}[{*}$client lrange $key 0 -1] }
        set { lappend cells {*}[lsort [{*}$client smembers $key]] }
        zset { lappend cells {*}[{*}$client zrange $key 0 -1 withscores] }
        hash { foreach pair [lsort -stride 2 [{*}$client hgetall $key]] { lappend cells $pair } }
        stream { lappend cells {*}[{*}$client xrange $key - +] }
      }
      append text [join [lmap cell $cells { csvstring $cell }] ,] \n
    }
  }
  if {!$::singledb} { {*}$client select 9 }
  return $text
}
proc csvstring {text} { return "\"$text\"" }

# A digest of the database, made here of what commands tell, unless the server has DEBUG DIGEST.
proc debug_digest {{level 0}} {
  if {$::ignoredigest} { return [csvdump [list r $level]] }
  r $level debug digest
}
proc debug_digest_value {key} {
  if {$::ignoredigest} { return [list [r type $key] [r dump $key]] }
  lindex [r debug digest-value $key] 0
}

proc generate_fuzzy_traffic_on_key {key type durationMs} { skip_case "hurts a key's stored form, which no client can" }

proc generate_largevalue_test_array {} { return [list listpack hello quicklist [string repeat x 8192]] }

# --- INFO, settings ---

# `field` is a regular expression.
proc getInfoProperty {text field} {
  if {[regexp -line "^$field:(\[^\r\n\]*)" $text -> value]} { return $value }
  return {}
}
proc status {client field} { getInfoProperty [{*}$client info] $field }
proc statOf {client section name} { getInfoProperty [{*}$client info $section] $name }
proc cmdrstat {command client} { statOf $client commandstats cmdstat_$command }
proc errorrstat {error client} { statOf $client errorstats errorstat_$error }
proc latencyrstat_percentiles {command client} { statOf $client latencystats latency_percentiles_usec_$command }

proc config_set {name value {options {}}} {
  if {[catch {r config set $name $value} message] && {mayfail} ni $options} { error $message }
}
proc config_get_set {name value {options {}}} {
  set before [lindex [r config get $name] 1]
  config_set $name $value $options
  return $before
}
proc memory_usage {key} { r memory usage $key }

# --- Waiting ---

proc waitFor {message tries condition} {
  uplevel 1 [list wait_for_condition $tries 20 $condition else [list fail $message]]
}
proc waitForBgsave {client} {
  waitFor "the background save does not end" 2500 {[status $client rdb_bgsave_in_progress] ne 1}
}
proc waitForBgrewriteaof {client} {
  waitFor "the rewrite does not end" 2500 {[status $client aof_rewrite_in_progress] ne 1}
}
proc wait_for_sync {client {tries 250} {delayMs 20}} {
  waitFor "the replica does not come into step" 500 {[status $client master_link_status] eq {up}}
}
proc wait_replica_online {client {id 0}} {
  waitFor "the replica is not online" 500 {[string match "*slave$id:*state=online*" [{*}$client info replication]]}
}
proc wait_for_ofs_sync {one other} {
  waitFor "the offsets differ" 500 {[status $one master_repl_offset] eq [status $other master_repl_offset]}
}
proc wait_done_loading {client} { waitFor "the server still loads" 500 {![catch {{*}$client ping}]} }
proc wait_lazyfree_done {client} {
  waitFor "freeing in the background does not end" 250 {[status $client lazyfree_pending_objects] in {0 {}}}
}
proc wait_for_blocked_client {{level 0}} { waitFor "no client is blocked" 250 {[s $level blocked_clients] > 0} }
proc wait_for_blocked_clients_count {count {tries 100} {delayMs 10} {level 0} {isExact 1}} {
  wait_for_condition $tries $delayMs {[s $level blocked_clients] == $count} else {
    fail "Timeout waiting for $count blocked clients"
  }
}
proc wait_for_watched_clients_count {count {tries 100} {delayMs 10} {level 0}} {
  wait_for_condition $tries $delayMs {[s $level watching_clients] == $count} else {
    fail "Timeout waiting for $count watching clients"
  }
}
proc wait_load_handlers_disconnected {{level 0}} {
  waitFor "clients that load are still there" 250 {![string match *name=LOAD_HANDLER* [r $level client list]]}
}

# --- Pub/sub ---

# Takes the confirmations of a subscription, and returns the counts in them.
proc consume_subscribe_messages {client type channels} {
  set counts {}
  while {[llength $channels] > 0} {
    lassign [$client read] kind channel count
    assert_equal $kind $type
    set at [lsearch -exact $channels $channel]
    # Subscriptions are confirmed in order; their ends need not be.
    assert {$at == 0 || ($at > 0 && [string match *unsubscribe $type])}
    set channels [lreplace $channels $at $at]
    lappend counts $count
  }
  return $counts
}
foreach word {subscribe ssubscribe psubscribe} {
  proc $word {client channels} "\$client $word {*}\$channels; consume_subscribe_messages \$client $word \$channels"
}
foreach word {unsubscribe sunsubscribe punsubscribe} {
  proc $word {client {channels {}}} \
    "\$client $word {*}\$channels; consume_subscribe_messages \$client $word \$channels"
}

# --- Logs ---

proc count_log_lines {level} { llength [split [string trimright [readFile [srv $level stdout]] \n] \n] }
proc count_message_lines {path pattern} { llength [lsearch -all -regexp [split [readFile $path] \n] $pattern] }
proc count_log_message {level pattern} { count_message_lines [srv $level stdout] $pattern }
proc logLinesAfter {level line} { lrange [split [readFile [srv $level stdout]] \n] $line end }
proc verify_log_message {level pattern line} {
  if {![string match $pattern [join [logLinesAfter $level $line] \n]]} { fail "no such message in the log: $pattern" }
}
# Returns the line that matches one of the patterns and its number.
proc wait_for_log_messages {level patterns line tries delayMs} {
  for {set i 0} {$i < $tries} {incr i} {
    set number $line
    foreach text [logLinesAfter $level $line] {
      incr number
      foreach pattern $patterns {
        if {[string match $pattern $text]} { return [list $text $number] }
      }
    }
    after $delayMs
  }
  fail "the log does not say: $patterns"
}
proc write_log_line {level text} {
  set file [open [srv $level stdout] a]
  puts $file "### $text"
  close $file
}

# --- Processes ---

proc pause_process {pid} { exec kill -STOP $pid }
proc resume_process {pid} { exec kill -CONT $pid }
proc get_child_pid {level} { skip_case "the server has no child processes" }
proc startHelper {args} { exec [info nameofexecutable] [file join $::harness lib background.tcl] {*}$args & }
proc start_write_load {host port seconds {key {}}} { startHelper $host $port write $seconds }
proc start_bg_complex_data {host port database count} { startHelper $host $port complex $count }
proc stop_write_load {pid} { catch {exec kill -9 $pid} }
proc stop_bg_complex_data {pid} { catch {exec kill -9 $pid} }
proc is_a_slow_computer {} { return 0 }
proc system_backtrace_supported {} { return 0 }
proc find_valgrind_errors {path isEnd} { return {} }
proc sanitizer_errors_from_file {path} { return {} }
proc crashlog_from_file {path} { return {} }
proc run_solo {name code} { uplevel 1 $code }

# --- What only Redis has ---

foreach {word reason} {
  attach_to_replication_stream "reads Redis's replication stream, which carries commands; ours carries RocksDB's batches"
  attach_to_replication_stream_on_connection "reads Redis's replication stream"
  assert_replication_stream "reads Redis's replication stream"
  read_from_replication_stream "reads Redis's replication stream"
  close_replication_stream "reads Redis's replication stream"
  assert_aof_content "reads an append-only file"
  read_from_aof "reads an append-only file"
  get_last_incr_aof_path "reads an append-only file"
  init_large_mem_vars "needs many GB of memory"
  write_big_bulk "needs many GB of memory"
  read_big_bulk "needs many GB of memory"
  start_cluster "starts a cluster with Redis's gossip"
} {
  proc $word {args} [list skip_case $reason]
}

# --- Lists and text ---

proc K {kept other} { return $kept }
proc roundFloat {number} { format %.10g $number }
proc prepare_value {size} { return "c[string repeat 0 [expr {$size - 1}]]" }
proc zlistAlikeSort {one other} {
  set order [expr {[lindex $one 0] - [lindex $other 0]}]
  if {$order != 0} { return [expr {$order > 0 ? 1 : -1}] }
  string compare [lindex $one 1] [lindex $other 1]
}
proc lpop {listName {count 1}} {
  upvar 1 $listName list
  set taken [lrange $list 0 $count-1]
  set list [lrange $list $count end]
  return $taken
}
if {[info commands lremove] eq {}} {
  proc lremove {listName element} {
    upvar 1 $listName list
    set at [lsearch -exact $list $element]
    if {$at >= 0} { set list [lreplace $list $at $at] }
  }
}
proc string2printable {text} {
  set printable {}
  foreach character [split $text {}] { append printable [format {\x%02X} [scan $character %c]] }
  return "\"$printable\""
}
proc colorstr {color text} { return $text }
proc color_term {} { return 0 }
proc get_nonloopback_addr {} {
  if {[catch {exec hostname -I} addresses]} { return {} }
  lindex $addresses 0
}
proc get_nonloopback_client {} { skip_case "connects by an address that is not of the loopback interface" }
proc send_data_packet {args} {}

# redis-cli, for the few files that call it.
proc rediscli {host port {options {}}} { list redis-cli -h $host -p $port {*}$options }
proc rediscli_unixsocket {path {options {}}} { list redis-cli -s $path {*}$options }
proc rediscli_exec {level args} { split [exec {*}[rediscli [srv $level host] [srv $level port] $args]] \n }
