import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { ServerLog, type ServerLogOptions } from '../../src/log/server-log.js'

const START = new Date(2026, 2, 1, 3, 4, 5, 678).getTime()
const PROCESS = String(process.pid).padStart(5)
const NAME = `kvrocks.${hostname()}.${userInfo().username}.log`

interface Setup {
  readonly log: ServerLog
  readonly directory: string
  readonly clock: { nowMs: number }
}

function open(t: Test, options: Partial<ServerLogOptions> = {}): Setup {
  const directory = mkdtempSync(join(tmpdir(), 'log-'))
  const clock = { nowMs: START }
  const log = new ServerLog({
    directory,
    print: undefined,
    level: 'info',
    retentionDays: -1,
    now: () => clock.nowMs,
    ...options,
  })
  t.teardown(() => {
    log.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return { log, directory, clock }
}

/** The entries of a level without the head of the file, and with the place taken out. */
function entries(directory: string, level: string): string[] {
  const lines = readFileSync(join(directory, `kvrocks.${level}`), 'utf8')
    .split('\n')
    .slice(4, -1)
  return lines.map((line) => line.replace(/ server-log\.test\.js:\d+\]/, ' HERE]'))
}

test('an entry has level, local time, process, place and text', (t) => {
  const { log, directory } = open(t)
  log.info('one')
  log.warning('two')
  t.strictSame(entries(directory, 'INFO'), [
    `I20260301 03:04:05.678000 ${PROCESS} HERE] one`,
    `W20260301 03:04:05.678000 ${PROCESS} HERE] two`,
  ])
  t.end()
})

test('each level has a file, with a head, that holds the higher levels too', (t) => {
  const { log, directory } = open(t)
  log.info('one')
  t.strictSame(readdirSync(directory).sort(), ['kvrocks.INFO', `${NAME}.INFO.20260301-030405.${process.pid}`].sort())
  log.error('two')
  log.fatal('three')
  const texts = (level: string): string[] => entries(directory, level).map((line) => line.replace(/.*\] /, ''))
  t.strictSame(texts('INFO'), ['one', 'two', 'three'])
  t.strictSame(texts('WARNING'), ['two', 'three'])
  t.strictSame(texts('ERROR'), ['two', 'three'])
  t.strictSame(texts('FATAL'), ['three'])
  const head = readFileSync(join(directory, 'kvrocks.INFO'), 'utf8').split('\n').slice(0, 4)
  t.match(head, [
    'Log file created at: 2026/03/01 03:04:05',
    `Running on machine: ${hostname()}`,
    /^Running duration \(h:mm:ss\): 0:00:\d\d$/,
    'Log line format: [IWEF]yyyymmdd hh:mm:ss.uuuuuu threadid file:line] msg',
  ])
  t.end()
})

test('entries below the level are dropped, and the level can change', (t) => {
  const printed: string[] = []
  const { log } = open(t, { directory: undefined, level: 'error', print: (entry) => printed.push(entry.at(0)!) })
  const all = (): void => {
    log.info('')
    log.warning('')
    log.error('')
    log.fatal('')
  }
  all()
  log.setLevel('warning')
  all()
  t.equal(printed.join(''), 'EFWEF')
  t.end()
})

test('a file is replaced when it is full, and the link follows', (t) => {
  const { log, directory, clock } = open(t, { fileBytesMax: 400 })
  log.info('x'.repeat(400))
  log.info('within the same second')
  clock.nowMs += 1000
  log.info('in the next')
  t.equal(readlinkSync(join(directory, 'kvrocks.INFO')), `${NAME}.INFO.20260301-030406.${process.pid}`)
  t.match(entries(directory, 'INFO'), [/in the next$/])
  t.end()
})

test('after the files were moved away, reopen starts new ones', (t) => {
  const { log, directory } = open(t)
  log.info('before')
  const file = join(directory, readlinkSync(join(directory, 'kvrocks.INFO')))
  renameSync(file, join(directory, 'moved'))
  log.info('into the moved one')
  log.reopen()
  log.info('after')
  t.match(entries(directory, 'INFO'), [/after$/])
  t.match(readFileSync(join(directory, 'moved'), 'utf8'), /before\n.*into the moved one\n$/)
  t.end()
})

test('files older than the retention go, others stay', (t) => {
  const { log, directory, clock } = open(t, { retentionDays: 2 })
  const old = [`${NAME}.INFO.20200101-000000.1`, `${NAME}.ERROR.20200101-000000.1`]
  const young = `${NAME}.INFO.20200102-000000.1`
  const foreign = 'other.log'
  const dayS = 24 * 3600
  for (const name of [...old, young, foreign]) {
    writeFileSync(join(directory, name), '')
    const ageS = name === young ? dayS : 3 * dayS
    utimesSync(join(directory, name), START / 1000 - ageS, START / 1000 - ageS)
  }
  log.info('clean')
  const current = `${NAME}.INFO.20260301-030405.${process.pid}`
  t.strictSame(readdirSync(directory).sort(), [current, young, foreign, 'kvrocks.INFO'].sort())
  clock.nowMs += 3600 * 1000
  log.setRetentionDays(0)
  log.info('clean again')
  t.strictSame(readdirSync(directory).sort(), [current, foreign, 'kvrocks.INFO'].sort())
  t.end()
})

test('a log that cannot be written does not throw', (t) => {
  const failures: string[] = []
  const { log, directory } = open(t, { onFailure: (entry) => failures.push(entry) })
  rmSync(directory, { recursive: true })
  log.error('lost')
  t.equal(failures.length, 1)
  t.match(failures[0], /^cannot write to .*ENOENT.* lost\n$/)
  t.end()
})
