# Strings: values, counters, ranges, conditions.

start_server {tags {string}} {
  test {a value comes back byte for byte} {
    foreach value [list {} " " "a\r\nb\0c" [string repeat x 100000] [randstring 0 300 binary]] {
      r set value $value
      assert_equal [r get value] $value
      assert_equal [r strlen value] [string length $value]
    }
  }

  test {GET of nothing is nil, in both protocols} {
    r readraw 1
    assert_equal [r get nothing] {$-1}
    r readraw 0
    r hello 3
    r readraw 1
    assert_equal [r get nothing] _
    r readraw 0
    r hello 2
  } {*}

  test {SET NX and XX look at what is there} {
    r del condition
    assert_equal [r set condition 1 xx] {}
    assert_equal [r set condition 1 nx] OK
    assert_equal [r set condition 2 nx] {}
    assert_equal [r set condition 3 xx] OK
    r get condition
  } {3}

  test {SET GET answers with the value before} {
    r del before
    assert_equal [r set before one get] {}
    assert_equal [r set before two get] one
    assert_equal [r set before three nx get] two
    r get before
  } {two}

  test {SET takes a time to live, or keeps one} {
    r set timed v ex 100
    assert_range [r ttl timed] 98 100
    r set timed w keepttl
    assert_range [r ttl timed] 98 100
    r set timed x px 90000
    assert_range [r pttl timed] 88000 90000
    r set timed y
    r ttl timed
  } {-1}

  test {SET refuses what contradicts itself} {
    assert_error {ERR syntax*} {r set k v nx xx}
    assert_error {ERR syntax*} {r set k v ex 10 keepttl}
    assert_error {ERR syntax*} {r set k v ex}
    assert_error {ERR invalid expire*} {r set k v ex 0}
    assert_error {ERR value is not an integer*} {r set k v px soon}
  }

  test {GETEX and GETDEL read and change} {
    r set both v
    assert_equal [r getex both ex 50] v
    assert_range [r ttl both] 48 50
    assert_equal [r getex both persist] v
    assert_equal [r ttl both] -1
    assert_equal [r getdel both] v
    r exists both
  } {0}

  test {MSETNX writes all or nothing} {
    r del m1 m2 m3
    assert_equal [r msetnx m1 a m2 b] 1
    assert_equal [r msetnx m2 x m3 y] 0
    r mget m1 m2 m3
  } {a b {}}

  test {counters are exact at both ends of 64 bits} {
    r set counter 9223372036854775806
    assert_equal [r incr counter] 9223372036854775807
    assert_error {*overflow*} {r incr counter}
    r set counter -9223372036854775807
    assert_equal [r decr counter] -9223372036854775808
    assert_error {*overflow*} {r decrby counter 1}
    r get counter
  } {-9223372036854775808}

  test {INCRBY and DECRBY want integers on both sides} {
    r set text abc
    assert_error {ERR value is not an integer*} {r incr text}
    assert_error {ERR value is not an integer*} {r incrby counter 1.5}
    r set spaced { 1}
    assert_error {ERR value is not an integer*} {r incr spaced}
  }

  test {INCRBYFLOAT prints the shortest number} {
    r set f 10.50
    assert_equal [r incrbyfloat f 0.1] 10.6
    assert_equal [r incrbyfloat f -10.6] 0
    assert_equal [r incrbyfloat f 5.0e3] 5000
    assert_error {ERR value is not a valid float*} {r incrbyfloat f abc}
  }

  test {APPEND and SETRANGE grow a value, with zeros in the gap} {
    r del grown
    assert_equal [r append grown abc] 3
    assert_equal [r setrange grown 5 xy] 7
    assert_equal [r get grown] "abc\0\0xy"
    assert_equal [r setrange nowhere 0 {}] 0
    assert_error {*offset is out of range*} {r setrange grown -1 x}
  }

  test {GETRANGE counts from both ends} {
    r set range "Hello World"
    foreach {from to wanted} {0 4 Hello -5 -1 World 0 -1 {Hello World} 20 30 {} 5 2 {} -100 100 {Hello World}} {
      assert_equal [r getrange range $from $to] $wanted "$from $to"
      assert_equal [r substr range $from $to] $wanted
    }
  }

  test {LCS finds the longest common subsequence} {
    r mset la ohmytext lb mynewtext
    assert_equal [r lcs la lb] mytext
    assert_equal [r lcs la lb len] 6
    assert_match {*matches*len 6} [r lcs la lb idx]
  }

  test {a key of another type is refused} {
    r del other
    r lpush other a
    foreach command {{get other} {append other x} {incr other} {getrange other 0 1} {setrange other 0 x} {strlen other}} {
      assert_error {WRONGTYPE *} {r {*}$command}
    }
    r mget other
  } {{}}

  test {random values survive a thousand writes} {
    for {set i 0} {$i < 300} {incr i} {
      set key random:[randomInt 50]
      set value [randomValue]
      r set $key $value
      set kept($key) $value
    }
    foreach key [array names kept] { assert_equal [r get $key] $kept($key) }
  }

  test {values are there after a restart} {
    r set durable yes
    restart_server 0 true false
    r get durable
  } {yes}
}
