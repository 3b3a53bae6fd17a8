# Lua scripts and functions.

start_server {tags {scripting}} {
  foreach {name script wanted} {
    {an integer} {return 3.99} 3
    {a string} {return 'text'} text
    true {return true} 1
    false {return false} {}
    {a table up to its first nil} {return {1, 'two', {3}, nil, 5}} {1 two 3}
    {a status} {return {ok='FINE'}} FINE
    {keys and arguments} {return {KEYS[1], ARGV[1]}} {k a}
    {a command's reply} {redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])} a
    {nil from a command is false} {return redis.call('get', 'none') == false} 1
    {arithmetic} {return 2 ^ 10 % 1000} 24
    {strings of bytes} {return #"\0\1\2"} 3
    cjson {return cjson.encode({1, 2, {a=true}})} {[1,2,{"a":true}]}
    cmsgpack {return cmsgpack.unpack(cmsgpack.pack({1, 2}))} {1 2}
    bit {return bit.band(255, 15)} 15
    struct {return struct.unpack('>I2', struct.pack('>I2', 258))} 258
    sha1hex {return redis.sha1hex('')} da39a3ee5e6b4b0d3255bfef95601890afd80709
  } {
    test "a script returns: $name" { r eval $script 1 k a } $wanted
  }

  test {errors name the script and its line} {
    assert_error {ERR user_script:1: here*} {r eval {error('here')} 0}
    assert_error {MY error} {r eval {return redis.error_reply('MY error')} 0}
    assert_error {*Error compiling script*} {r eval {return (} 0}
    assert_error {ERR value is not an integer*} {r eval {redis.call('set', 'k', 'x') return redis.call('incr', 'k')} 0}
    r eval {return type(redis.pcall('incr', 'k').err)} 0
  } {string}

  test {what a script wrote before its error stays} {
    r del k
    catch {r eval {redis.call('set', KEYS[1], 'kept') error('x')} 1 k}
    r get k
  } {kept}

  test {EVALSHA finds what was loaded or evaluated} {
    set sha [r script load {return 'loaded'}]
    assert_equal [r evalsha $sha 0] loaded
    assert_equal [r evalsha [string toupper $sha] 0] loaded
    assert_error {NOSCRIPT*} {r evalsha [string repeat f 40] 0}
    assert_equal [r script exists $sha [string repeat f 40]] {1 0}
    r script flush
    r script exists $sha
  } {0}

  test {read-only scripts do not write} {
    assert_equal [r eval_ro {return redis.call('get', KEYS[1])} 1 k] kept
    assert_error {*Write commands are not allowed*} {r eval_ro {return redis.call('set', KEYS[1], 1)} 1 k}
    assert_error {*Write commands are not allowed*} {
      r eval "#!lua flags=no-writes\nreturn redis.call('set', KEYS\[1\], 1)" 1 k
    }
    r get k
  } {kept}

  test {numbers of keys are checked} {
    assert_error {*can't be negative*} {r eval {return 1} -1}
    assert_error {*can't be greater than number of args*} {r eval {return 1} 2 k}
    assert_error {*not an integer*} {r eval {return 1} many}
  }

  test {scripts cannot leave the sandbox} {
    assert_error {*global variable 'x'*} {r eval {x = 1} 0}
    assert_error {*nonexistent global variable*} {r eval {return nothing} 0}
    assert_error {*not allowed from script*} {r eval {return redis.call('multi')} 0}
    r eval {return {type(os.execute), type(os.remove)}} 0
  } {nil nil}

  test {a script is one step} {
    r set n 0
    set clients {}
    for {set i 0} {$i < 4} {incr i} {
      set client [redis_deferring_client]
      lappend clients $client
      for {set j 0} {$j < 25} {incr j} {
        $client eval {local n = redis.call('get', KEYS[1]) redis.call('set', KEYS[1], n + 1)} 1 n
      }
    }
    foreach client $clients {
      for {set j 0} {$j < 25} {incr j} { $client read }
      $client close
    }
    r get n
  } {100}

  test {setresp(3) shows scripts the replies of RESP3} {
    r del h
    r hset h f v
    r eval {redis.setresp(3) return redis.call('hgetall', KEYS[1]).map.f} 1 h
  } {v}

  test {functions are loaded, called, listed and deleted} {
    assert_equal [r function load "#!lua name=mine\nredis.register_function('double', function(keys, args)
      return args\[1\] * 2 end)"] mine
    assert_equal [r fcall double 0 21] 42
    assert_error {*already exists*} {r function load "#!lua name=mine\nredis.register_function('x', function() end)"}
    assert_match {*library_name mine*double*} [r function list]
    assert_equal [r function delete mine] OK
    assert_error {*unction not found*} {r fcall double 0 1}
  }

  test {functions without writes may be called read-only} {
    r function load replace "#!lua name=ro
      redis.register_function{function_name='reads', flags={'no-writes'},
        callback=function(keys) return redis.call('get', keys\[1\]) end}
      redis.register_function('writes', function(keys) return redis.call('set', keys\[1\], 'x') end)"
    r set k v
    assert_equal [r fcall_ro reads 1 k] v
    assert_error {*} {r fcall_ro writes 1 k}
    r get k
  } {v}

  test {FUNCTION DUMP and RESTORE carry libraries} {
    set payload [r function dump]
    r function flush
    assert_equal [r function list] {}
    assert_equal [r function restore $payload] OK
    r fcall reads 1 k
  } {v}

  test {functions are there after a restart} {
    restart_server 0 true false
    r fcall reads 1 k
  } {v}
}
