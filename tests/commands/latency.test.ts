import { test } from 'tap'
import { startServer } from '../support/server.js'

test('LATENCY records what took too long, one sample a second', async (t) => {
  await using s = await startServer({ config: { 'latency-monitor-threshold': 5000 } })
  const { latency } = s.server
  t.equal(await s.run('latency', 'latest'), '*0\r\n')
  t.equal(await s.run('latency', 'doctor'), '$33\r\nNo event took 5000 ms or longer.\n\r\n')
  latency.record('command', 4000)
  latency.record('command', 7000)
  latency.record('command', 6000)
  s.advance(2000)
  latency.record('command', 9000)
  latency.record('commit', 5000)
  t.equal(
    await s.run('latency', 'latest'),
    '*2\r\n*4\r\n$7\r\ncommand\r\n:1700000002\r\n:9000\r\n:9000\r\n*4\r\n$6\r\ncommit\r\n:1700000002\r\n:5000\r\n:5000\r\n',
  )
  t.equal(
    await s.run('latency', 'history', 'command'),
    '*2\r\n*2\r\n:1700000000\r\n:7000\r\n*2\r\n:1700000002\r\n:9000\r\n',
  )
  t.equal(await s.run('latency', 'history', 'nosuch'), '*0\r\n')
  t.equal(await s.run('latency', 'graph', 'nosuch'), "-ERR No samples available for event 'nosuch'\r\n")
  t.match(
    await s.run('latency', 'graph', 'command'),
    /command - high 9000 ms, low 7000 ms \(all time high 9000 ms\)\n-+\n #\n \|\n \|\n#\|\n\n20\nss\n/,
  )
  t.match(await s.run('latency', 'doctor'), /- commit: at most 5000 ms, lately 5000 ms\./)
  t.equal(await s.run('latency', 'reset', 'commit', 'nosuch'), ':1\r\n')
  t.equal(await s.run('latency', 'reset'), ':1\r\n')
  t.equal(await s.run('latency', 'reset'), ':0\r\n')
  t.match(await s.run('Latency', 'Help'), /^\*\d+\r\n\+LATENCY <subcommand> /)
  t.equal(await s.run('latency', 'nosuch'), "-ERR unknown subcommand 'nosuch'. Try LATENCY HELP.\r\n")
  t.equal(await s.run('latency'), "-ERR wrong number of arguments for 'latency' command\r\n")
})

test('LATENCY HISTOGRAM counts calls by powers of two', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', '1')
  await s.run('get', 'k')
  const client = await s.connect()
  await client.run('hello', '3')
  const found = (await client.value('latency', 'histogram', 'get', 'nosuch')) as Map<string, Map<string, unknown>>
  t.same([...found.keys()], ['get'])
  t.same(await client.value('latency', 'histogram', 'hset'), new Map(), 'no calls')
  const both = (await client.value('latency', 'histogram', 'SET', 'Get')) as Map<string, unknown>
  t.same([...both.keys()].sort(), ['get', 'set'])
  t.equal(found.get('get')?.get('calls'), 1)
  const counts = [...(found.get('get')!.get('histogram_usec') as Map<number, number>)]
  t.equal(counts.length, 1)
  t.equal(counts[0]?.[1], 1)
})

test('INFO latencystats tells percentiles of each command, if they are tracked', async (t) => {
  await using s = await startServer()
  const told = async (): Promise<string[]> =>
    (await s.run('info', 'latencystats'))
      .split('\r\n')
      .filter((line) => line.startsWith('latency_percentiles_usec_'))
      .map((line) => line.slice('latency_percentiles_usec_'.length))
  t.equal(await s.run('config', 'set', 'latency-tracking', 'no'), '+OK\r\n')
  await s.run('get', 'k')
  t.same(await told(), [])
  t.equal(await s.run('config', 'set', 'latency-tracking', 'yes'), '+OK\r\n')
  t.match(await told(), [/^config\|set:p50=(\d+)\.000,p99=\1\.000,p99\.9=\1\.000$/], 'what ran before was not counted')
  await s.run('config', 'resetstat')
  t.equal(await s.run('config', 'set', 'latency-tracking-info-percentiles', '0.0  50 100'), '+OK\r\n')
  const { stats } = s.server.commands.all().find(({ name }) => name === 'get') ?? {}
  stats?.byMagnitude.set([0, 0, 1, 2, 1])
  t.equal(
    (await told()).find((line) => line.startsWith('get:')),
    'get:p0=4.000,p50=8.000,p100=16.000',
  )
  for (const bad of ['10 a', '101', '-1', '1e1']) {
    t.equal(
      await s.run('config', 'set', 'latency-tracking-info-percentiles', bad),
      "-ERR CONFIG SET failed (possibly related to argument 'latency-tracking-info-percentiles') - latency-tracking-info-percentiles should be numbers between 0 and 100\r\n",
    )
  }
  const shown = await s.run('config', 'get', 'latency-tracking-info-percentiles')
  t.match(shown, /\r\n0 50 100\r\n$/)
  await s.run('config', 'set', 'latency-tracking-info-percentiles', '')
  t.same(await told(), [])
})

test('PERFLOG keeps what RocksDB did for sampled commands', async (t) => {
  await using s = await startServer({
    config: {
      // What RocksDB has no part in is not recorded.
      'row-cache-mb': 0,
      'profiling-sample-ratio': 100,
      'profiling-sample-record-threshold-ms': 0,
    },
  })
  await s.run('get', 'k')
  t.equal(await s.run('perflog', 'len'), ':0\r\n')
  await s.run('config', 'set', 'profiling-sample-commands', 'get')
  await s.run('get', 'k')
  const client = await s.connect()
  const entries = (await client.value('perflog', 'get', '*')) as unknown[][]
  t.equal(entries.length, 1)
  const [[id, at, name, us, perfContext] = []] = entries
  t.same([id, at, name, typeof us], [1, 1_700_000_000, 'get', 'number'])
  t.match(perfContext, /get_snapshot_time = \d+/)
  t.equal(await s.run('perflog', 'reset'), '+OK\r\n')
  await s.run('config', 'set', 'profiling-sample-commands', 'set')
  await s.run('set', 'k', 'v')
  t.equal(await s.run('perflog', 'len'), ':1\r\n', 'a write without reads, too')
  await s.run('perflog', 'reset')
  t.equal(await s.run('perflog', 'get'), '*0\r\n')
})

test('MEMORY and DISK USAGE', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', Buffer.alloc(100_000))
  t.equal(await s.run('memory', 'usage', 'absent'), '$-1\r\n')
  t.equal(await s.run('disk', 'usa', 'k'), '-ERR Unknown operation\r\n')
  const bytes = Number((await s.run('disk', 'usage', 'k')).slice(1))
  t.ok(bytes > 50_000 && bytes < 200_000, `${bytes} bytes`)
  t.match(await s.run('memory', 'usage', 'k', 'samples', '5'), /^:\d+\r\n$/)
  t.equal(await s.run('memory', 'usage', 'k', 'foo', '5'), '-ERR syntax error\r\n')
  t.match(await s.run('memory', 'stats'), /rocksdb\.memtables/)
  t.match(await s.run('memory', 'doctor'), /javascript\.heap: \d+\n/)
  t.equal(await s.run('memory', 'purge'), '+OK\r\n')
})

test('CLUSTER, READONLY, READWRITE and ASKING say that cluster mode is off', async (t) => {
  await using s = await startServer()
  const disabled = '-ERR This instance has cluster support disabled'
  for (const words of [
    ['cluster', 'nodes'],
    ['cluster', 'keyslot', 'k'],
  ]) {
    t.equal(await s.run(...words), `${disabled}: Cluster mode is not enabled\r\n`)
  }
  for (const word of ['readonly', 'readwrite', 'asking']) t.equal(await s.run(word), `${disabled}\r\n`)
})
