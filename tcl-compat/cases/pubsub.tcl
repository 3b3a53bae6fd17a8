# Publishing, subscribing, and events of keys.

start_server {tags {pubsub}} {
  test {a message reaches the channel's subscribers} {
    set one [redis_deferring_client]
    set two [redis_deferring_client]
    assert_equal [subscribe $one {a b}] {1 2}
    assert_equal [subscribe $two {b}] 1
    assert_equal [r publish a first] 1
    assert_equal [r publish b second] 2
    assert_equal [r publish c third] 0
    assert_equal [$one read] {message a first}
    assert_equal [$one read] {message b second}
    assert_equal [$two read] {message b second}
    $two close
    assert_equal [lsort [unsubscribe $one {a b}]] {0 1}
    assert_equal [r publish a more] 0
    $one close
  }

  test {patterns} {
    set client [redis_deferring_client]
    assert_equal [psubscribe $client {a* ?b}] {1 2}
    assert_equal [r publish ab x] 2
    assert_equal [lsort [list [$client read] [$client read]]] {{pmessage ?b ab x} {pmessage a* ab x}}
    assert_equal [r publish b x] 0
    assert_equal [punsubscribe $client {a* ?b}] {1 0}
    $client close
  }

  test {shard channels are apart} {
    set client [redis_deferring_client]
    assert_equal [ssubscribe $client {s}] 1
    assert_equal [r publish s x] 0
    assert_equal [r spublish s y] 1
    assert_equal [$client read] {smessage s y}
    assert_equal [sunsubscribe $client {s}] 0
    $client close
  }

  test {a RESP2 subscriber may say little else} {
    set client [redis_deferring_client]
    subscribe $client {c}
    $client get k
    assert_error {*only*allowed in this context*} {$client read}
    $client ping
    assert_equal [$client read] {pong {}}
    $client close
  }

  test {a RESP3 subscriber may go on} {
    set client [redis_deferring_client]
    $client hello 3
    $client read
    subscribe $client {c}
    $client set k v
    assert_equal [$client read] OK
    r publish c x
    assert_equal [$client read] {message c x}
    $client close
  }

  test {PUBSUB tells who listens} {
    set client [redis_deferring_client]
    subscribe $client {one two}
    psubscribe $client {p*}
    set told [list [lsort [r pubsub channels]] [r pubsub channels o*] [r pubsub numsub one none] [r pubsub numpat]]
    $client close
    set told
  } {{one two} one {one 1 none 0} 1}

  test {UNSUBSCRIBE without names leaves all} {
    set client [redis_deferring_client]
    subscribe $client {a b c}
    $client unsubscribe
    set left [lsort [list [lindex [$client read] 1] [lindex [$client read] 1] [lindex [$client read] 1]]]
    $client unsubscribe
    assert_equal [$client read] {unsubscribe {} 0}
    $client close
    set left
  } {a b c}

  test {what a key goes through is told} {
    r config set notify-keyspace-events KEA
    set client [redis_deferring_client]
    psubscribe $client {__key*__:*}
    r set k v
    assert_equal [$client read] {pmessage __key*__:* __keyspace@0__:k set}
    assert_equal [$client read] {pmessage __key*__:* __keyevent@0__:set k}
    r lpush l a
    r expire l 100
    r del l
    foreach event {lpush expire del} {
      assert_equal [$client read] "pmessage __key*__:* __keyspace@0__:l $event"
      assert_equal [$client read] "pmessage __key*__:* __keyevent@0__:$event l"
    }
    $client close
  }

  test {only the classes that are asked for are told} {
    r config set notify-keyspace-events El
    assert_equal [r config get notify-keyspace-events] {notify-keyspace-events lE}
    set client [redis_deferring_client]
    psubscribe $client {*}
    r set k v
    r rpush l a
    assert_equal [$client read] {pmessage * __keyevent@0__:rpush l}
    $client close
    r config set notify-keyspace-events {}
  }

  test {messages of any bytes} {
    set client [redis_deferring_client]
    subscribe $client {bytes}
    for {set i 0} {$i < 50} {incr i} {
      set message [randstring 0 500 binary]
      r publish bytes $message
      assert_equal [$client read] [list message bytes $message]
    }
    $client close
  }
}
