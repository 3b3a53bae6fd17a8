# SORT.

start_server {tags {sort}} {
  test {SORT orders numbers of lists, sets and sorted sets} {
    r flushall
    r rpush l 3 10 1.5 -2
    r sadd s 3 10 1.5 -2
    r zadd z 1 3 2 10 3 1.5 4 -2
    foreach key {l s z} { assert_equal [r sort $key] {-2 1.5 3 10} $key }
    r sort l desc
  } {10 3 1.5 -2}

  test {SORT ALPHA orders text} {
    r rpush t banana apple cherry
    assert_error {*can't be converted into double*} {r sort t}
    assert_equal [r sort t alpha] {apple banana cherry}
    r sort t alpha desc limit 1 1
  } {banana}

  test {SORT BY and GET look at other keys} {
    r rpush ids 1 2 3
    foreach {id weight name} {1 30 one 2 10 two 3 20 three} {
      r set weight:$id $weight
      r hset object:$id name $name
    }
    assert_equal [r sort ids by weight:*] {2 3 1}
    assert_equal [r sort ids by weight:* get # get object:*->name] {2 two 3 three 1 one}
    assert_equal [r sort ids by nosort] {1 2 3}
    r sort ids by weight:* get none:*
  } {{} {} {}}

  test {SORT STORE writes a list} {
    assert_equal [r sort ids desc store sorted] 3
    assert_equal [r lrange sorted 0 -1] {3 2 1}
    assert_equal [r sort none store sorted] 0
    r exists sorted
  } {0}

  test {SORT_RO does not write} {
    assert_equal [r sort_ro ids desc] {3 2 1}
    assert_error {ERR syntax*} {r sort_ro ids store x}
    assert_error {WRONGTYPE *} {r sort weight:1}
  }
}
