/** Scripts that answer alike here and in Redis: values, errors, the redis table, the sandbox. */
export const API_CASES: readonly string[] = String.raw`
return 1
---
return 1.9
---
return -1.9
---
return 1e30
---
return 0/0
---
return true
---
return false
---
return nil
---
return {1,2,nil,4}
---
return {ok='fine'}
---
return {err='this is an error'}
---
return {err='CODE this is an error'}
---
return {ok='a\r\nb'}
---
return {err='A b\r\n\nc\r\n'}
---
return redis.error_reply('a\nb\n')
---
return redis.status_reply('a\r\nb\r\n')
---
error('a\r\nb\r\n')
---
error({err='X a\r\nb\n'})
---
return {double=3.14}
---
return {double=1e100}
---
return {double=1/0}
---
return {double=-1/0}
---
return {double=0.1}
---
return {big_number='12345678901234567890'}
---
return {verbatim_string={format='txt',string='hello'}}
---
return {verbatim_string={format='t',string='hello'}}
---
return {map={a=1}}
---
return {map={a={map={b=2}}}}
---
return {set={a=true}}
---
redis.setresp(3) return {true,false}
---
redis.setresp(3) return redis.call('get','nokey')
---
return redis.call('get','nokey')
---
return {KEYS[1],ARGV[1],ARGV[2],#KEYS,#ARGV}
---
return redis.call('ping')
---
return redis.call('echo','a')
---
return redis.call('lpush','str',1)
---
return redis.pcall('lpush','str',1)
---
local ok, e = pcall(redis.call,'lpush','str',1) return {tostring(ok), type(e), e}
---
local e = redis.pcall('lpush','str',1) return {type(e), e.err}
---
return redis.call()
---
return redis.pcall()
---
return redis.call({})
---
return redis.call('set', {}, 1)
---
return redis.call('set', nil, 1)
---
return redis.call('set', true, 1)
---
return redis.error_reply('My Err')
---
return redis.error_reply('MyErr')
---
return redis.error_reply('-MyErr x')
---
return redis.error_reply('-MyErr')
---
return redis.error_reply('')
---
return redis.error_reply()
---
return redis.error_reply(1)
---
return redis.status_reply('fine')
---
return redis.status_reply()
---
return redis.status_reply(5)
---
return redis.sha1hex('abc')
---
return redis.sha1hex()
---
return redis.sha1hex(123)
---
return redis.sha1hex(string.rep('a',119))
---
return redis.log()
---
return redis.log(1)
---
return redis.log('x','y')
---
return redis.log(10,'y')
---
return redis.setresp()
---
return redis.setresp(4)
---
return redis.setresp('x')
---
return redis.set_repl()
---
return redis.set_repl(9)
---
return redis.set_repl(redis.REPL_ALL)
---
return redis.replicate_commands()
---
return redis.breakpoint()
---
return {redis.REPL_NONE,redis.REPL_AOF,redis.REPL_SLAVE,redis.REPL_REPLICA,redis.REPL_ALL,redis.LOG_DEBUG,redis.LOG_VERBOSE,redis.LOG_NOTICE,redis.LOG_WARNING}
---
return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM}
---
return redis.acl_check_cmd('nosuch')
---
return redis.acl_check_cmd()
---
return nosuch
---
nosuch = 1
---
string = 1
---
string.x = 1
---
redis.call = 1
---
redis = 1
---
KEYS = 1
---
KEYS[1] = 'x' return KEYS[1]
---
rawset(_G,'x',1)
---
rawset(string,'x',1)
---
return rawget(_G,'string') == string
---
table.insert(_G,'x')
---
setmetatable(_G,{})
---
setmetatable(redis,{})
---
return getmetatable(redis)
---
return type(getmetatable(_G))
---
getmetatable('').__index = 1
---
getmetatable(_G).__index = 1
---
return type(getmetatable('').__index)
---
error('x')
---
error('x', 0)
---
error('x', 2)
---
error({err='MY x'})
---
error()
---
error(nil)
---
error(5)
---
error(true)
---
local t = nil; return t.x
---
return 1 + {}
---
return #5
---
return nil .. 'x'
---
local function f() error('deep') end
f()
---



error('line 3')
---
return pcall(error)
---
return {pcall(error, 'x')}
---
return {pcall(error, {err='MY x'})}
---
return {pcall(error, {x=1})}
---
return {xpcall(function() error('x') end, function(e) return 'h:' .. e end)}
---
return {pcall(function() return 1,2,3 end)}
---
return {select(2, pcall(error, 'msg', 0))}
---
assert(false)
---
assert(false, 'message')
---
assert(nil, {err='TBL err'})
---
return assert(1)
---
return
---
return (
---
x y
---
return 'unclosed
---
for
---
return {tostring(1e15),tostring(1e14),tostring(0.1),tostring(-0)}
---
return print
---
return newproxy
---
return dofile
---
local k={} for n in pairs(redis) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(string) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(table) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(math) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(cjson) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(struct) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(bit) do k[#k+1]=n end table.sort(k) return k
---
local k={} for n in pairs(coroutine) do k[#k+1]=n end table.sort(k) return k
---
return {loadstring('return 1+1')()}
---
return {loadstring('return (')}
---
return {loadstring(string.dump(function() return 1 end))}
---
return {load(function() return nil end)}
---
local n=0 return load(function() n=n+1 if n==1 then return 'return 7' end end)()
---
return loadstring('return nosuch')()
---
math.randomseed(10) return {tostring(math.random()),tostring(math.random(10)),tostring(math.random(5,9))}
---
return math.random(0)
---
return math.random(5,1)
---
return math.random(1,2,3)
---
math.randomseed(-1) return tostring(math.random())
---
return {unpack({1,2,3})}
---
return {unpack({1,2,3},2)}
---
return {unpack({1,2,3},-1,1)}
---
return {unpack({},1,10000)}
---
return collectgarbage('count') > 0
---
return {collectgarbage('collect'), collectgarbage('stop'), collectgarbage('step')}
---
return coroutine.resume(1)
---
local co = coroutine.create(function(a) local b = coroutine.yield(a+1) return b*2 end)
return {select(2,coroutine.resume(co,1)), select(2,coroutine.resume(co,10)), tostring(coroutine.resume(co)), coroutine.status(co)}
---
local co = coroutine.create(function() error('inside') end) return {select(2,coroutine.resume(co)), select(2, coroutine.resume(co))}
---
local f = coroutine.wrap(function() error('inside') end) f()
---
local f = coroutine.wrap(function() coroutine.yield(1) end) return {f(), f(), f()}
---
return {coroutine.resume(coroutine.running())}
---
return {setfenv(1,{})}
---
setfenv(0,{}) return 1
---
return {getfenv(0) == _G, getfenv(1) == _G}
---
return #string.rep('ab', 1000)
---
return string.rep('x', -1)
---
return string.format('%5.2f|%d|%s|%q|%x', 3.14159, 42, 'str', 'q"x', 255)
---
return table.concat({1,2,'x'}, ',')
---
local t = {3,1,2} table.sort(t) return t
---
local t = {1,2,3} table.remove(t, 1) table.insert(t, 1, 'x') return t
---
return {next({})}
---
return next({}, 'x')
---
local n = 0 for k,v in pairs({a=1,b=2,3}) do n = n + v end return n
---
return {rawequal('a','a'), rawget({x=1},'x'), rawset({},'a',1).a}
---
return setmetatable({}, {__index=function(t,k) return k end}).foo
---
return setmetatable({}, 5)
---
return getmetatable(setmetatable({}, {__metatable='locked'}))
---
return setmetatable(setmetatable({}, {__metatable='locked'}), {})
---
return tostring(setmetatable({}, {__tostring=function() return 'TS' end}))
---
return {gcinfo() > 0, _VERSION, type(_G._G)}
---
return coroutine.create(function() end)
---
local t = {} t.t = t t[1] = t return 1
`
  .slice(1, -1)
  .split('\n---\n')
