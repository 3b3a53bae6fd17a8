/** Scripts that answer alike here and in Redis: cjson, cmsgpack, struct, bit, patterns. */
export const LIBRARY_CASES: readonly string[] = String.raw`
return cjson.encode({1,2,3})
---
return cjson.encode({})
---
return cjson.encode({a=1})
---
return cjson.encode({[1]=1,[3]=3})
---
return cjson.encode({[1]=1,[30]=3})
---
return cjson.encode({[1.5]=1})
---
return cjson.encode({[true]=1})
---
return cjson.encode({[0]=1})
---
return cjson.encode({[-1]='x'})
---
return cjson.encode(nil)
---
return cjson.encode()
---
return cjson.encode(1,2)
---
return cjson.encode('a"b\\c/d\b\f\n\r\t\0\1\127\200é')
---
return cjson.encode({1.5,1e100,-0,0.1,123456789012345678,1e14,1e15,100,3.0000000001})
---
return cjson.encode(0/0)
---
return cjson.encode(1/0)
---
return cjson.encode(function() end)
---
return cjson.encode(cjson.null)
---
return cjson.encode({cjson.null, true, false})
---
local t = {} t[1] = t return cjson.encode(t)
---
local t = {} t.x = t return cjson.encode(t)
---
cjson.encode_invalid_numbers(true) local r = cjson.encode({0/0,1/0,-1/0}) cjson.encode_invalid_numbers(false) return r
---
cjson.encode_invalid_numbers('null') local r = cjson.encode({0/0,1/0,-1/0}) cjson.encode_invalid_numbers('off') return r
---
return {cjson.encode_invalid_numbers(), cjson.decode_invalid_numbers(), cjson.encode_keep_buffer(), cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision(), cjson.encode_sparse_array()}
---
return tostring(cjson.encode_invalid_numbers('null')) .. tostring(cjson.encode_invalid_numbers(false))
---
cjson.encode_sparse_array(true) local r = cjson.encode({[1]=1,[100]=2}) cjson.encode_sparse_array(false) return r
---
return cjson.encode_sparse_array('x')
---
return cjson.encode_sparse_array(true,-1)
---
return cjson.encode_max_depth(0)
---
return cjson.encode_number_precision(15)
---
return cjson.encode_number_precision(1,2)
---
cjson.encode_number_precision(3) local r = cjson.encode(3.14159) cjson.encode_number_precision(14) return r
---
cjson.decode_max_depth(2) local ok, e = pcall(cjson.decode, '[[[1]]]') cjson.decode_max_depth(1000) return e
---
cjson.encode_max_depth(2) local ok, e = pcall(cjson.encode, {{{1}}}) cjson.encode_max_depth(1000) return e
---
return cjson.decode('[1,2,{"a":null}]')[3].a == cjson.null
---
return cjson.decode('"a\\u00e9\\ud83d\\ude00\\n\\/"')
---
return cjson.decode('"\\ud83d"')
---
return cjson.decode('"\\udc00"')
---
return cjson.decode('"\\ud83d\\u0041"')
---
return cjson.decode('"\\x"')
---
return cjson.decode('"\\u12g4"')
---
return cjson.decode('"abc')
---
return cjson.decode('')
---
return cjson.decode(' ')
---
return cjson.decode('nul')
---
return cjson.decode('tru')
---
return cjson.decode('[1,]')
---
return cjson.decode('[1 2]')
---
return cjson.decode('{"a" 1}')
---
return cjson.decode('{a:1}')
---
return cjson.decode('{"a":1,}')
---
return cjson.decode('{"a":1')
---
return cjson.decode('[')
---
return cjson.decode('1 2')
---
return cjson.decode('1x')
---
return cjson.decode('@')
---
return cjson.decode('}')
---
return cjson.decode(':')
---
return cjson.decode('-')
---
return cjson.decode('+1')
---
return tostring(cjson.decode('0x10'))
---
return tostring(cjson.decode('012'))
---
return tostring(cjson.decode('-inf'))
---
return tostring(cjson.decode('Infinity'))
---
return tostring(cjson.decode('nan'))
---
return tostring(cjson.decode('1e400'))
---
return tostring(cjson.decode('1.5e3'))
---
return tostring(cjson.decode('.5'))
---
return tostring(cjson.decode('1.'))
---
cjson.decode_invalid_numbers(false) local ok, e = pcall(cjson.decode, '0x10') cjson.decode_invalid_numbers(true) return e
---
cjson.decode_invalid_numbers(false) local ok, e = pcall(cjson.decode, 'nan') cjson.decode_invalid_numbers(true) return e
---
cjson.decode_invalid_numbers(false) local ok, e = pcall(cjson.decode, '[01]') cjson.decode_invalid_numbers(true) return e
---
return cjson.decode('\0[')
---
return cjson.decode('[1]\0garbage')
---
return cjson.decode()
---
return cjson.decode({})
---
return cjson.decode(12)
---
return type(cjson.new().encode)
---
return cjson.decode(string.rep('[', 1001))
---
return #cjson.decode(string.rep('[', 900) .. string.rep(']', 900))
---
return cjson.encode(cjson.decode('{"a":{"b":[1,2,[]]}}'))
---
local h = cmsgpack.pack(1,2,3) return h
---
return cmsgpack.pack()
---
return cmsgpack.pack(nil)
---
return cmsgpack.pack({1,2,nil,4})
---
return cmsgpack.pack({[1]=1,[2]=2,[4]=4})
---
return cmsgpack.pack({a=1})
---
return cmsgpack.pack({[1.5]=1})
---
return cmsgpack.pack({[0]=1})
---
return cmsgpack.pack({})
---
return cmsgpack.pack(0.1, 0.5, 1e100, 1/0, -1/0, 0/0)
---
return cmsgpack.pack(-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649,-9e18)
---
return cmsgpack.pack(0,127,128,255,256,65535,65536,4294967295,4294967296,9e18,9.3e18,1.8e19,-1e19)
---
return cmsgpack.pack(9223372036854775807)
---
return cmsgpack.pack(9223372036854774784)
---
return cmsgpack.pack(string.rep('x',31)) .. cmsgpack.pack(string.rep('x',32)) .. cmsgpack.pack(string.rep('x',255)) .. cmsgpack.pack(string.rep('x',256)) .. cmsgpack.pack(string.rep('x',65535)) .. cmsgpack.pack(string.rep('x',65536))
---
local t={} for i=1,15 do t[i]=i end local a=cmsgpack.pack(t) t[16]=16 return a .. cmsgpack.pack(t)
---
local t={} for i=1,70000 do t[i]=1 end return #cmsgpack.pack(t) .. cmsgpack.pack(t):sub(1,6)
---
local a = {x=nil,y=5} local b = {x=a} a['x'] = b return #cmsgpack.pack(a)
---
return cmsgpack.pack(true,false,print_,cjson.null,function() end)
---
return cmsgpack.pack(true,false,cjson.null,function() end)
---
return cmsgpack.pack(setmetatable({}, {__index=function() return 5 end}))
---
return {cmsgpack.unpack('\1\2\3')}
---
return {cmsgpack.unpack('')}
---
return {cmsgpack.unpack_one('\1\2\3')}
---
return {cmsgpack.unpack_one('\1\2\3', 1)}
---
return {cmsgpack.unpack_one('\1\2\3', 2)}
---
return {cmsgpack.unpack_one('\1\2\3', 3)}
---
return {cmsgpack.unpack_one('\1\2\3', 4)}
---
return {cmsgpack.unpack_one('\1\2\3', -1)}
---
return {cmsgpack.unpack_limit('\1\2\3', 2)}
---
return {cmsgpack.unpack_limit('\1\2\3', 2, 1)}
---
return {cmsgpack.unpack_limit('\1\2\3', 0, 0)}
---
return {cmsgpack.unpack_limit('\1\2\3', 0, 1)}
---
return {cmsgpack.unpack_limit('\1\2\3', -1)}
---
return {cmsgpack.unpack_limit('\1\2\3')}
---
return cmsgpack.unpack('\193')
---
return cmsgpack.unpack('\196\1a')
---
return cmsgpack.unpack('\212')
---
return cmsgpack.unpack('\205\1')
---
return cmsgpack.unpack('\165abc')
---
return cmsgpack.unpack('\147\1\2')
---
return cmsgpack.unpack('\129\192\1')
---
return cmsgpack.unpack('\129\1')
---
return cmsgpack.unpack('\221\255\255\255\255')
---
return cmsgpack.unpack('\219\255\255\255\255')
---
return tostring(cmsgpack.unpack('\207\255\255\255\255\255\255\255\255'))
---
return tostring(cmsgpack.unpack('\211\255\255\255\255\255\255\255\254'))
---
return tostring(cmsgpack.unpack('\206\255\255\255\255'))
---
return tostring(cmsgpack.unpack('\210\255\255\255\254'))
---
return tostring(cmsgpack.unpack('\209\255\254')) .. tostring(cmsgpack.unpack('\208\254')) .. tostring(cmsgpack.unpack('\204\254'))
---
return tostring(cmsgpack.unpack('\202\63\128\0\0')) .. tostring(cmsgpack.unpack('\203\63\240\0\0\0\0\0\0'))
---
return {cmsgpack.unpack('\195'), cmsgpack.unpack('\194'), type(cmsgpack.unpack('\192'))}
---
return cmsgpack.unpack(cmsgpack.pack({'a','b',{'c'}}))
---
return cmsgpack.unpack()
---
return cmsgpack.unpack({})
---
return struct.pack('>I2', 258)
---
return struct.pack('bBhHlLiIfdxs', -1, 255, -2, 65535, -3, 4, -5, 6, 1.5, 2.5, 'str')
---
return struct.pack('>bBhHlLiIfdxs', -1, 255, -2, 65535, -3, 4, -5, 6, 1.5, 2.5, 'str')
---
return struct.pack('!8bi8', 1, 2)
---
return struct.pack('!bi', 1, 2)
---
return struct.pack('!4 b h i d', 1, 2, 3, 4)
---
return struct.pack('c5', 'hello world')
---
return struct.pack('c0', 'hello')
---
return struct.pack('c5', 'abc')
---
return struct.pack('i16', 1)
---
return struct.pack('i32', -1)
---
return struct.pack('i33', -1)
---
return struct.pack('i3', 70000)
---
return struct.pack('z', 1)
---
return struct.pack('i')
---
return struct.pack('i', 'x')
---
return struct.pack('i', '12')
---
return struct.pack('!3i', 1)
---
return struct.pack('i99999999999', 1)
---
return struct.pack()
---
return struct.pack('L', -1)
---
return struct.pack('L', 1.8e19)
---
return struct.pack('B', 300)
---
return {struct.unpack('>I2', '\1\2')}
---
return {struct.unpack('bBhH', '\255\255\255\255\255\255')}
---
return {struct.unpack('>i3', '\255\255\254')}
---
return {struct.unpack('s', 'abc\0def')}
---
return {struct.unpack('s', 'abc')}
---
return {struct.unpack('bc0', '\3abcdef')}
---
return {struct.unpack('bc0', '\9abc')}
---
return {struct.unpack('c0', 'abc')}
---
return {struct.unpack('c3', 'abcd')}
---
return {struct.unpack('i', 'ab')}
---
return {struct.unpack('b', 'abc', 2)}
---
return {struct.unpack('b', 'abc', 4)}
---
return {struct.unpack('b', 'abc', 0)}
---
return {struct.unpack('f', struct.pack('f', 1.5)), struct.unpack('>d', struct.pack('>d', 2.5))}
---
return {struct.unpack('i16', string.rep('\255',16))}
---
return tostring(struct.unpack('L', string.rep('\255',8)))
---
return tostring(struct.unpack('l', string.rep('\255',8)))
---
return {struct.size('bhi'), struct.size('!bhi'), struct.size('i16'), struct.size('c7'), struct.size('!8bd')}
---
return struct.size('s')
---
return struct.size('c0')
---
return struct.size('z')
---
return struct.size('=')
---
return {struct.size('T')}
---
return {bit.tobit(0xffffffff), bit.tobit(2^32+5), bit.tobit(-1.5), bit.tobit(1e15)}
---
return {bit.bnot(0), bit.band(0xff,0x0f), bit.bor(1,2,4), bit.bxor(5,1)}
---
return {bit.lshift(1,31), bit.rshift(-1,4), bit.arshift(-256,4), bit.lshift(1,32), bit.rol(0x12345678,12), bit.ror(0x12345678,12), bit.rol(1,0), bit.bswap(0x12345678)}
---
return {bit.tohex(1), bit.tohex(-1,4), bit.tohex(255,-2), bit.tohex(255,0), bit.tohex(255,100), bit.tohex(0xdeadbeef, -2147483648)}
---
return bit.band()
---
return bit.band('x')
---
return bit.band({})
---
return bit.band('5', 7)
---
return bit.tobit()
---
return {string.find('hello world', 'o w')}
---
return {string.find('hello world', 'o', 6)}
---
return {string.find('hello', 'l+')}
---
return {string.find('hello', '(l)(l)')}
---
return {string.find('a.b', '.', 1, true)}
---
return {string.find('abc', '', 10)}
---
return {string.find('abc', 'b', -1)}
---
return {string.find('', '')}
---
return {string.match('key=val', '(%w+)=(%w+)')}
---
return {string.match('  trim  ', '^%s*(.-)%s*$')}
---
return {string.match('abc', '()b()')}
---
return {string.match('THE (quick) fox', '%((%a+)%)')}
---
return {string.match('f(a(b)c)d', '%b()')}
---
return {string.match('hello hello', '(%w+) %1')}
---
return {string.match('THE (quick) fox', '%f[%a]%a+%f[%A]')}
---
return {string.match('2024-01-02', '(%d%d%d%d)-(%d%d)-(%d%d)')}
---
return {string.match('x', '[^%s]')}
---
return {string.match(']', '[]]')}
---
return {string.match('a-z', '[a%-z]+')}
---
return {string.match('abc', '[a-]+')}
---
return {string.match('a\0b', 'a%zb')}
---
return {string.match('abc', '[')}
---
return {string.match('abc', '%')}
---
return {string.match('abc', '(a')}
---
return {string.match('abc', 'a)')}
---
return {string.match('abc', '%1')}
---
return {string.match('abc', '%b')}
---
return {string.match('abc', '%f')}
---
return {string.match('abc', string.rep('()', 33))}
---
return {string.match('aaa', 'a?a?a?b?$')}
---
return {string.match('aaab', 'a-b')}
---
return {string.match('x^y', '%^')}
---
return {string.match('x^y', 'x^y')}
---
return {string.match('a$b', 'a$b')}
---
local r = {} for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do r[#r+1] = k .. v end return r
---
local r = {} for w in string.gmatch('one two', '%a+') do r[#r+1] = w end return r
---
local r = {} for w in string.gmatch('abc', '') do r[#r+1] = w end return #r
---
local r = {} for w in string.gmatch('abc', '()') do r[#r+1] = w end return r
---
return {string.gsub('hello world', 'o', '0')}
---
return {string.gsub('hello world', '(%w+)', '<%1>')}
---
return {string.gsub('hello', '', '-')}
---
return {string.gsub('hello', 'l', {l='L'})}
---
return {string.gsub('hello', '.', {h=1,e=false})}
---
return {string.gsub('hello', 'l', function(c) return c:upper() end)}
---
return {string.gsub('hello', 'l', function(c) end)}
---
return {string.gsub('hello', 'l', function(c) return {} end)}
---
return {string.gsub('abc', '%w', '%0%0', 2)}
---
return {string.gsub('abc', '%w', '%%')}
---
return {string.gsub('abc', '%w', '%2')}
---
return {string.gsub('abc', '(%w)', '%1%1')}
---
return {string.gsub('abc', '^a', 'x')}
---
return {string.gsub('abc', 'b*', '-')}
---
return {string.gsub('abc', 'b', nil)}
---
return {string.gsub('abc', 'b', true)}
---
return {string.gsub('abc', 'b', 5)}
---
return {string.gsub('abc def', '%f[%w]%w+', string.upper)}
---
return {('x'):rep(3), ('abc'):sub(2), #'abc', ('abc'):byte(1,-1)}
---
return {string.find('abc', 'b', nil, true)}
---
return {string.find(nil, 'b')}
---
return string.gsub('abc')
---
return {string.find('a\nb', 'a.b')}
---
return {string.match('\200\201', '[\200-\201]+')}
---
return {string.match('deadBEEF12 xyz', '%x+'), string.match('deadBEEF', '%l+'), string.match('deadBEEF', '%u+'), string.match('a!b', '%p'), string.match('a\1b', '%c'), string.match('AbC', '%L'), string.match('a b', '%S')}
`
  .slice(1, -1)
  .split('\n---\n')
