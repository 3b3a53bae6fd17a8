/** LATENCY. Source: redis src/latency.c. */

import type { Args } from '../protocol/args.js'
import { err } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import {
  ADMIN,
  type AnyCommand,
  container,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  serverCommand,
} from './command.js'
import type { BoundCommand } from './command-table.js'
import type { ServerContext } from './context.js'
import type { LatencyEvent, LatencySample } from './server-view.js'

const FLAGS = ADMIN | NO_SCRIPT | OK_LOADING | OK_STALE

function sub(
  name: string,
  arity: number,
  syntax: string,
  summary: string,
  since: string,
  execute: (context: ServerContext, args: Args) => void,
): AnyCommand {
  return serverCommand({ name: `latency|${name}`, arity, flags: FLAGS, syntax, summary, since }, noOptions, execute)
}

export const latencyCommands: readonly AnyCommand[] = [
  container(
    { name: 'latency', flags: FLAGS, summary: 'A container for latency diagnostics commands.', since: '2.8.13' },
    [
      sub('latest', 2, '', 'Returns the latest latency samples for all events.', '2.8.13', latest),
      sub('history', 3, 'event', 'Returns timestamp-latency samples for an event.', '2.8.13', history),
      sub('reset', -2, '[event [event ...]]', 'Resets the latency data for one or more events.', '2.8.13', reset),
      sub('graph', 3, 'event', 'Returns a latency graph for an event.', '2.8.13', graph),
      sub('doctor', 2, '', 'Returns a human-readable latency analysis report.', '2.8.13', doctor),
      sub(
        'histogram',
        -2,
        '[command [command ...]]',
        'Returns the cumulative distribution of latencies of a subset or all commands.',
        '7.0.0',
        histogram,
      ),
    ],
  ),
]

function latest({ reply, server }: ServerContext): void {
  const events = server.latency.latest()
  reply.array(events.length)
  for (const { name, last, maxMs } of events) {
    reply.array(4)
    reply.bulkText(name)
    reply.integer(last.at)
    reply.integer(last.ms)
    reply.integer(maxMs)
  }
}

function history({ reply, server }: ServerContext, args: Args): void {
  const samples = server.latency.history(args.latin1(2))
  reply.array(samples.length)
  for (const { at, ms } of samples) {
    reply.array(2)
    reply.integer(at)
    reply.integer(ms)
  }
}

function reset({ reply, server }: ServerContext, args: Args): void {
  reply.integer(server.latency.reset(args.rest(2).map((name) => name.latin1Slice(0))))
}

function graph({ reply, server }: ServerContext, args: Args): void {
  const name = args.latin1(2)
  const event = server.latency.latest().find((candidate) => candidate.name === name)
  if (event === undefined) throw err(`No samples available for event '${name}'`)
  reply.verbatim('txt', Buffer.from(drawGraph(event, server.latency.history(name), server.nowMs())))
}

const GRAPH_ROWS = 4
const GRAPH_COLUMNS = 80

/** One column a sample, higher for longer, with its age below. */
function drawGraph({ name, maxMs }: LatencyEvent, samples: readonly LatencySample[], nowMs: number): string {
  const shown = samples.slice(-GRAPH_COLUMNS)
  const least = Math.min(...shown.map(({ ms }) => ms))
  const most = Math.max(...shown.map(({ ms }) => ms))
  const height = (ms: number): number =>
    most === least ? 1 : Math.round(((ms - least) / (most - least)) * (GRAPH_ROWS - 1)) + 1
  const lines = [`${name} - high ${most} ms, low ${least} ms (all time high ${maxMs} ms)`, '-'.repeat(GRAPH_COLUMNS)]
  for (let row = GRAPH_ROWS; row > 0; row--) {
    lines.push(
      shown
        .map(({ ms }) => (height(ms) === row ? '#' : height(ms) > row ? '|' : ' '))
        .join('')
        .trimEnd(),
    )
  }
  const ages = shown.map(({ at }) => age(Math.max(0, Math.floor(nowMs / 1000) - at)))
  lines.push('')
  for (let row = 0; row < Math.max(...ages.map((text) => text.length)); row++) {
    lines.push(
      ages
        .map((text) => text[row] ?? ' ')
        .join('')
        .trimEnd(),
    )
  }
  return `${lines.join('\n')}\n`
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

const ADVICE: Readonly<Record<string, string>> = {
  command:
    'Commands that walk large collections take long: see SLOWLOG GET, and prefer the SCAN family over whole collections.',
  'fast-command':
    'Commands that look at one row took long: the disk or the CPU is busy. See INFO rocksdb for stalls and cache misses.',
  commit:
    'RocksDB took long to write a batch: see INFO rocksdb for write stalls, and rocksdb.write_options.sync in the configuration.',
}

function doctor({ config, reply, server }: ServerContext): void {
  const events = server.latency.latest()
  reply.verbatim('txt', Buffer.from(diagnose(events, config['latency-monitor-threshold'])))
}

function diagnose(events: readonly LatencyEvent[], thresholdMs: number): string {
  if (thresholdMs === 0 && events.length === 0) {
    return 'Latency monitoring is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n'
  }
  if (events.length === 0) return `No event took ${thresholdMs} ms or longer.\n`
  const found = events.map(({ name, last, maxMs }) =>
    `- ${name}: at most ${maxMs} ms, lately ${last.ms} ms. ${ADVICE[name] ?? ''}`.trimEnd(),
  )
  return `Events that took ${thresholdMs} ms or longer:\n\n${found.join('\n')}\n`
}

function histogram({ reply, server }: ServerContext, args: Args): void {
  const { commands } = server
  const all = commands.all().flatMap((command) => [command, ...(command.subcommands?.values() ?? [])])
  const named = args.rest(2).flatMap((name) => {
    const command = commands.get(name.latin1Slice(0))
    return command === undefined ? [] : [command, ...(command.subcommands?.values() ?? [])]
  })
  const found = (args.count === 2 ? all : named).filter(({ stats }) => stats.calls > 0)
  reply.map(found.length)
  for (const command of found) writeHistogram(reply, command)
}

/** Upper bounds in µs, powers of two, with the number of calls up to each; bounds that add none are left out. */
function writeHistogram(reply: Reply, { name, stats }: BoundCommand): void {
  reply.bulkText(name)
  reply.map(2)
  reply.bulkText('calls')
  reply.integer(stats.calls)
  reply.bulkText('histogram_usec')
  reply.counted('map', () => {
    let pairs = 0
    let total = 0
    for (const [exponent, calls] of stats.byMagnitude.entries()) {
      if (calls === 0) continue
      total += calls
      pairs++
      reply.integer(2 ** exponent)
      reply.integer(total)
    }
    return pairs
  })
}
