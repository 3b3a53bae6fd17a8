import { test } from 'tap'
import { ReplyCounter } from '../../bench/replies.js'
import { Random, Template } from '../../bench/requests.js'
import { Zipf } from '../../bench/zipf.js'

const REPLIES = [
  '+OK\r\n',
  ':-12\r\n',
  '$3\r\na\r\n\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n*2\r\n:1\r\n$2\r\n*3\r\n$-1\r\n',
  '%1\r\n+a\r\n*1\r\n:1\r\n',
  '|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n',
  '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n',
  '_\r\n',
  ',1.5e-3\r\n',
  '=5\r\ntxt:a\r\n',
]

test('replies are counted wherever the stream is cut', async (t) => {
  const stream = Buffer.from(REPLIES.join(''), 'latin1')
  for (let step = 1; step <= stream.length; step++) {
    const counter = new ReplyCounter()
    let count = 0
    for (let at = 0; at < stream.length; at += step) count += counter.count(stream.subarray(at, at + step))
    t.equal(count, REPLIES.length, `pieces of ${step} bytes`)
    t.equal(counter.errors, 0)
  }
})

test('errors are counted, also inside of other replies, but not in payloads', async (t) => {
  const counter = new ReplyCounter()
  t.equal(counter.count(Buffer.from('-ERR no\r\n*2\r\n+OK\r\n-ERR no\r\n$4\r\n-ERR\r\n')), 3)
  t.equal(counter.errors, 2)
})

test('random numbers take the places of __rand_int__, in range and in 12 digits', async (t) => {
  const template = new Template([['GET', 'key:__rand_int__'], ['PING']])
  const random = new Random()
  const drawn = new Set<string>()
  for (let i = 0; i < 200; i++) {
    template.fill(() => random.below(10))
    const text = template.bytes.latin1Slice(0)
    t.match(text, /^\*2\r\n\$3\r\nGET\r\n\$16\r\nkey:0{11}\d\r\n\*1\r\n\$4\r\nPING\r\n$/)
    drawn.add(text)
  }
  t.equal(drawn.size, 10)
})

test('skewed numbers are in range, a few of them frequent and most seen', async (t) => {
  const counts = new Array<number>(100).fill(0)
  const zipf = new Zipf(new Random(), counts.length)
  for (let i = 0; i < 100_000; i++) counts[zipf.draw()]!++
  const [first = 0, second = 0, ...others] = counts.toSorted((a, b) => b - a)
  t.ok(first > 17_000 && first < 22_000, `${first}: about 100,000 : sum of n^-0.99`)
  t.ok(second > 8500 && second < 11_500, `${second}: about half as many`)
  t.ok(others.every((count) => count > 0))
})
