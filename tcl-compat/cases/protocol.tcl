# The bytes on the wire.

start_server {tags {protocol}} {
  proc ask {bytes} {
    reconnect
    r write $bytes
    r flush
    r read
  }

  test {inline commands, by LF or CRLF} {
    assert_equal [ask "PING\r\n"] PONG
    assert_equal [ask "PING\n"] PONG
    assert_equal [ask "\r\n\r\nSET k \"a b\"\r\n"] OK
    ask "GET k\r\n"
  } {a b}

  test {empty requests are passed over} {
    ask "*0\r\n*-1\r\nPING\r\n"
  } {PONG}

  foreach {name bytes wanted} {
    {a length that is none} "*a\r\n" {*invalid multibulk length*}
    {too many words} "*2147483647\r\n" {*invalid multibulk length*}
    {no bulk string} "*1\r\nfoo\r\n" {*expected '$'*}
    {a bulk string's length that is none} "*1\r\n\$x\r\n" {*invalid bulk length*}
    {a negative length} "*1\r\n\$-5\r\n" {*invalid bulk length*}
    {quotes that do not end} "SET k \"abc\r\n" {*unbalanced quotes*}
  } {
    test "refused: $name" { assert_error $wanted {ask $bytes} }
  }

  test {a request in single bytes is the same request} {
    reconnect
    foreach byte [split "*2\r\n\$4\r\nECHO\r\n\$5\r\nhello\r\n" {}] {
      r write $byte
      r flush
    }
    r read
  } {hello}

  test {ten thousand commands at once are answered in order} {
    r deferred 1
    for {set i 0} {$i < 10000} {incr i} { r echo $i }
    for {set i 0} {$i < 10000} {incr i} {
      if {[r read] ne $i} { fail "the reply to $i is another" }
    }
    r deferred 0
  }

  test {a value of ten megabytes} {
    set value [string repeat 0123456789 1000000]
    r set big $value
    expr {[r get big] eq $value}
  } {1}

  foreach {type resp2 resp3} {
    string {$11} {$11} integer :12345 :12345 double {$5} ,3.141 null {$-1} _ array *3 *3 set *3 ~3 map *6 %3
    true :1 {#t} false :0 {#f} bignum {$37} (1234567999999999999999999999999999999 verbatim {$15} =19
  } {
    test "DEBUG PROTOCOL $type in both protocols" {
      foreach version {2 3} wanted [list $resp2 $resp3] {
        reconnect
        r hello $version
        r readraw 1
        assert_equal [r debug protocol $type] $wanted
      }
      reconnect
    }
  }

  test {attributes stand before a reply} {
    r hello 3
    set reply [r debug protocol attrib]
    assert_match {key-popularity*} [r attributes]
    r hello 2
    set reply
  } {Some real reply following the attribute}

  test {HELLO tells who is there, and refuses other versions} {
    assert_match {*server*version*proto 2*role master*} [r hello 2]
    assert_error {NOPROTO*} {r hello 4}
    assert_error {*} {r hello abc}
    assert_match {*proto 3*} [r hello 3 setname caller]
    assert_equal [r client getname] caller
    r reset
  } {RESET}

  test {unknown commands are named with their arguments} {
    assert_error {ERR unknown command 'nosuch', with args beginning with: 'a' 'b'} {r nosuch a b}
    assert_error {ERR wrong number of arguments for 'get' command} {r get}
    assert_error {ERR unknown subcommand*} {r config nosuch}
  }

  test {errors leave the connection in step} {
    r deferred 1
    r nosuch
    r set k v
    r incr k
    r get k
    assert_error {ERR unknown*} {r read}
    assert_equal [r read] OK
    assert_error {ERR value*} {r read}
    set value [r read]
    r deferred 0
    set value
  } {v}
}
