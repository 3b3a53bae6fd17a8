/** Function libraries: loading, calling, listing, deleting. */

import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'functions',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'a library without a name, or with one that is none, is refused': String.raw`
      FUNCTION LOAD "redis.register_function('f', function() end)" => -ERR Missing library metadata
      FUNCTION LOAD "#!lua\nredis.register_function('f', function() end)" => -ERR Library name was not given
      FUNCTION LOAD "#!lua name=$$$\nredis.register_function('f', function() end)" => -ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long
      FUNCTION LOAD "#!lua name=\nredis.register_function('f', function() end)" => -ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long
      FUNCTION LOAD "#!lua name=lib flags=no-writes\nredis.register_function('f', function() end)" => -ERR Unknown lua shebang option: flags=no-writes # Redis: -ERR Invalid metadata value given: flags=no-writes
      FUNCTION LOAD "#!lua flags=no-writes name=lib\nredis.register_function('f', function() end)" => -ERR Unknown lua shebang option: flags=no-writes # Redis: -ERR Invalid metadata value given: flags=no-writes
      FUNCTION LOAD "#!lua name=lib name=lib2\nredis.register_function('f', function() end)" => -ERR Redundant library name in script shebang # Redis: *
      FUNCTION LOAD "#!errorengine name=lib\nredis.register_function('f', function() end)" => -ERR Unexpected engine in script shebang: errorengine # Redis: -ERR Engine 'errorengine' not found
      FUNCTION LOAD "#!luaname=lib\nredis.register_function('f', function() end)" => -ERR Unexpected engine in script shebang: luaname=lib # Redis: -ERR Library name was not given
      FUNCTION LOAD "#!lua xxxname=lib\nredis.register_function('f', function() end)" => -ERR Unknown lua shebang option: xxxname=lib # Redis: -ERR Invalid metadata value given: xxxname=lib
      FUNCTION LOAD "#!lua name=lib key=value\nredis.register_function('f', function() end)" => -ERR Unknown lua shebang option: key=value # Redis: -ERR Invalid metadata value given: key=value
      FUNCTION LIST => []
    `,
    'flags that are none are refused': String.raw`
      FUNCTION LOAD "#!lua name=lib\nredis.register_function('f', function() end, { 'invalid-flag' })" =~> ^-ERR
      FUNCTION LOAD "#!lua name=lib\nredis.register_function{function_name='f', callback=function() end, flags={ 'invalid-flag' }}" =~> ^-ERR .*[Uu]nknown flag given
      FUNCTION LOAD "#!lua name=lib\nredis.register_function{function_name='f', callback=function() end, flags={ 'no-writes', 'invalid-flag' }}" =~> ^-ERR .*[Uu]nknown flag given
      FUNCTION LOAD "#!lua name=lib\nredis.register_function{function_name='f', callback=function() end, flags={ 123 }}" =~> ^-ERR
      FUNCTION LOAD "#!lua name=lib\nredis.register_function{function_name='f', callback=function() end, flags='no-writes'}" =~> ^-ERR
      FUNCTION LIST => []
    `,
    'functions are called with keys and arguments': String.raw`
      FUNCTION FLUSH => OK
      FCALL inc 0 1 => -ERR Function not found: No such function name # Redis: -ERR Function not found
      FUNCTION LOAD "#!lua name=mylib1\nredis.register_function('inc', function(keys, args) return args[1] + 1 end)\nredis.register_function('add', function(keys, args) return args[1] + args[2] end)" => "mylib1"
      FCALL inc 0 1 => 2
      FCALL add 0 122 111 => 233
      FCALL inc -1 => -ERR Number of keys can't be negative
      FCALL inc x => -ERR value is not an integer or out of range # Redis: -ERR Bad number of keys provided
      FCALL inc 5 1 => -ERR Number of keys can't be greater than number of args
      FUNCTION LOAD "#!lua name=mylib2\nredis.register_function('hello', function(keys, args) return 'Hello, ' .. args[1] .. '!' end)" => "mylib2"
      FCALL hello 0 x => "Hello, x!"
      FCALL nosuch 0 => -ERR Function not found: No such function name # Redis: -ERR Function not found
    `,
    'FUNCTION LIST tells libraries and their code': String.raw`
      FUNCTION FLUSH => OK
      FUNCTION LOAD "#!lua name=mylib1\nredis.register_function('inc', function(keys, args) return args[1] + 1 end)" => "mylib1"
      FUNCTION LIST => [{"library_name" "mylib1" "engine" "LUA" "functions" [{"name" "inc" "description" nil "flags" ~[]}]}]
      FUNCTION LIST WITHCODE => [{"library_name" "mylib1" "engine" "LUA" "functions" [{"name" "inc" "description" nil "flags" ~[]}] "library_code" "#!lua name=mylib1\nredis.register_function('inc', function(keys, args) return args[1] + 1 end)"}]
      FUNCTION LIST LIBRARYNAME my* => [{"library_name" "mylib1" "engine" "LUA" "functions" [{"name" "inc" "description" nil "flags" ~[]}]}]
      FUNCTION LIST LIBRARYNAME other* => []
      FUNCTION LIST nosuchoption =~> ^-ERR
    `,
    'FUNCTION LISTFUNC and LISTLIB': String.raw`
      # Not in Redis
      FUNCTION FLUSH => OK
      FUNCTION LOAD "#!lua name=mylib1\nredis.register_function('inc', function() end)\nredis.register_function('add', function() end)" => "mylib1"
      FUNCTION LOAD "#!lua name=mylib2\nredis.register_function('hello', function() end)" => "mylib2"
      FUNCTION LISTFUNC => [{"function_name" "add" "from_library" "mylib1"} {"function_name" "hello" "from_library" "mylib2"} {"function_name" "inc" "from_library" "mylib1"}]
      FUNCTION LISTLIB mylib1 => {"library_name" "mylib1" "engine" "lua" "functions" ["add" "inc"]}
      FUNCTION LISTLIB mylib2 => {"library_name" "mylib2" "engine" "lua" "functions" ["hello"]}
      FUNCTION LISTLIB none => -ERR Library not found
    `,
    'FUNCTION DELETE takes a library away': String.raw`
      FUNCTION FLUSH => OK
      FUNCTION LOAD "#!lua name=mylib1\nredis.register_function('inc', function(keys, args) return args[1] + 1 end)" => "mylib1"
      FUNCTION DELETE mylib1 => OK
      FUNCTION DELETE mylib1 => -ERR Library not found
      FCALL inc 0 1 => -ERR Function not found: No such function name # Redis: -ERR Function not found
      FUNCTION LIST => []
    `,
    'FUNCTION LOAD REPLACE puts a library in the place of another': String.raw`
      FUNCTION FLUSH => OK
      FUNCTION LOAD "#!lua name=mylib1\nredis.register_function('inc', function(keys, args) return args[1] + 1 end)" => "mylib1"
      FUNCTION LOAD "#!lua name=mylib1\nredis.register_function('hello', function(keys, args) return 'Hi' end)" => -ERR library already exists, please specify REPLACE to force load # Redis: -ERR Library 'mylib1' already exists
      FUNCTION LOAD REPLACE "#!lua name=mylib1\nredis.register_function('hello', function(keys, args) return 'Hi' end)" => "mylib1"
      FCALL inc 0 1 => -ERR Function not found: No such function name # Redis: -ERR Function not found
      FCALL hello 0 => "Hi"
      FUNCTION LOAD "#!lua name=mylib2\nredis.register_function('hello', function() end)" => -ERR Function hello already exists
    `,
    'FCALL_RO calls what only reads': String.raw`
      FUNCTION FLUSH => OK
      FUNCTION LOAD "#!lua name=lib\nredis.register_function('myset', function(keys, args) return redis.call('set', keys[1], args[1]) end)\nredis.register_function{function_name='myget', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}}\nredis.register_function{function_name='cheat', callback=function(keys) return redis.call('set', keys[1], 'x') end, flags={'no-writes'}}" => "lib"
      FCALL myset 1 x 1 => OK
      FCALL myget 1 x => "1"
      FCALL_RO myget 1 x => "1"
      FCALL_RO myset 1 x 3 =~> ^-ERR
      FCALL cheat 1 x =~> ^-ERR .*Write commands are not allowed
      FCALL_RO cheat 1 x =~> ^-ERR .*Write commands are not allowed
      GET x => "1"
    `,
  },
)
