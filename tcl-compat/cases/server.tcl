# The server: settings, INFO, clients, logs, and what it says of its commands.

start_server {tags {server} overrides {slowlog-log-slower-than 100000}} {
  test {settings of the file hold, and can be changed} {
    assert_equal [r config get slowlog-log-slower-than] {slowlog-log-slower-than 100000}
    set before [config_get_set slowlog-max-len 7]
    assert_equal [r config get slowlog-max-len] {slowlog-max-len 7}
    config_set slowlog-max-len $before
    assert_error {*Unknown option*} {r config set no-such-setting 1}
    assert_error {ERR *} {r config set slowlog-max-len abc}
    config_set no-such-setting 1 mayfail
    llength [r config get {slowlog-*}]
  } {*}

  test {CONFIG REWRITE keeps what was set} {
    r config set slowlog-max-len 77
    r config rewrite
    restart_server 0 true false
    r config get slowlog-max-len
  } {slowlog-max-len 77}

  test {INFO has its sections and fields} {
    assert_match {*# Server*# Clients*# Keyspace*} [r info]
    assert_match {# Clients*} [string trim [r info clients]]
    assert_equal [s role] master
    assert_equal [s tcp_port] [srv port]
    assert_morethan [s uptime_in_seconds] -1
    assert_morethan [s connected_clients] 0
  }

  test {INFO commandstats counts} {
    r config resetstat
    r set k v
    r set k v
    catch {r incr k}
    assert_match {calls=2,*} [cmdrstat set r]
    assert_match {calls=1,*failed_calls=1*} [cmdrstat incr r]
    errorrstat ERR r
  } {count=1}

  test {SLOWLOG keeps what was slow} {
    r slowlog reset
    r ping
    r debug sleep 0.11
    assert_equal [r slowlog len] 1
    lassign [lindex [r slowlog get] 0] id at us words
    assert_range $us 100000 1000000
    set words
  } {debug sleep 0.11}

  test {CLIENT names, lists and kills} {
    r client setname me
    assert_equal [r client getname] me
    assert_match "*id=[r client id] *name=me *cmd=client*" [r client list]
    set other [redis_client]
    $other client setname victim
    set id [$other client id]
    assert_match {*name=victim*} [r client list]
    assert_equal [r client kill id $id] 1
    assert_error {*} {$other ping}
    r client kill id $id
  } {0}

  test {CLIENT PAUSE lets writers wait} {
    set writer [redis_deferring_client]
    r client pause 10000 write
    $writer set k paused
    wait_for_blocked_clients_count 1
    assert_equal [r get k] v
    r client unpause
    assert_equal [$writer read] OK
    $writer close
    r get k
  } {paused}

  test {CLIENT REPLY silences} {
    set client [redis_deferring_client]
    $client client reply off
    $client set k quiet
    $client client reply on
    assert_equal [$client read] OK
    $client client reply skip
    $client set k skipped
    $client get k
    assert_equal [$client read] skipped
    $client close
  }

  test {MONITOR shows commands in their order} {
    set monitor [redis_deferring_client]
    $monitor monitor
    assert_equal [$monitor read] OK
    r eval {return redis.call('set', KEYS[1], 'v')} 1 k
    assert_match {*"eval"*} [$monitor read]
    assert_match {*"set" "k" "v"} [$monitor read]
    $monitor close
  }

  test {COMMAND knows the commands} {
    assert_morethan [r command count] 200
    assert_equal [lindex [r command info get] 0 0] get
    assert_equal [r command getkeys mset a 1 b 2] {a b}
    assert_match {*summary*} [r command docs get]
    r command info nosuch
  } {{}}

  test {OBJECT and MEMORY tell of a key} {
    r del l
    r rpush l a b
    assert_morethan [r memory usage l] 0
    assert_equal [r object refcount l] 1
    list [r object encoding none] [r memory usage none]
  } {{} {}}

  test {DBSIZE is counted by a scan} {
    r flushall
    populate 123
    r dbsize scan
    wait_for_condition 100 20 {[r dbsize] == 123} else { fail "the count does not arrive: [r dbsize]" }
  }

  test {ECHO, PING, TIME and QUIT} {
    assert_equal [r echo hello] hello
    assert_equal [r ping back] back
    assert_range [lindex [r time] 0] [expr {[clock seconds] - 2}] [expr {[clock seconds] + 2}]
    set client [redis_client]
    assert_equal [$client quit] OK
    assert_error {*} {$client ping}
  }

  test {data and their times to live outlive a restart} {
    createComplexDataset r 200
    r set timed v ex 1000
    set before [csvdump r]
    restart_server 0 true true
    assert_range [r ttl timed] 980 1000
    expr {[csvdump r] eq $before}
  } {1}

  test {a killed process loses nothing that was acknowledged} {
    for {set i 0} {$i < 200} {incr i} { r set kept:$i $i }
    exec kill -9 [srv pid]
    restart_server 0 true false
    set lost 0
    for {set i 0} {$i < 200} {incr i} { incr lost [expr {[r get kept:$i] ne $i}] }
    set lost
  } {0}
}

start_server {tags {server auth} overrides {requirepass secret}} {
  test {a password is asked for} {
    assert_error {NOAUTH*} {r get k}
    assert_error {WRONGPASS*} {r auth wrong}
    assert_equal [r auth secret] OK
    assert_equal [r set k v] OK
    set client [redis [srv host] [srv port]]
    assert_error {NOAUTH*} {$client get k}
    assert_match {*proto*} [$client hello 3 auth default secret]
    set value [$client get k]
    $client close
    set value
  } {v}

  test {namespaces keep apart what their tokens open} {
    assert_equal [r namespace add tenant token] OK
    set tenant [redis [srv host] [srv port]]
    assert_equal [$tenant auth token] OK
    $tenant set k theirs
    assert_equal [r get k] v
    assert_equal [$tenant keys *] k
    assert_error {*} {$tenant config get *}
    set value [$tenant get k]
    $tenant close
    set value
  } {theirs}
}
