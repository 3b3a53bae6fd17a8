import { test } from 'tap'
import { Cron } from '../../src/config/cron.js'

/** Local time, as schedules are. 2026-03-01 is a Sunday. */
const at = (text: string): Date => new Date(`2026-03-${text}`)

test('a schedule matches the minutes that it names', (t) => {
  const cases: readonly (readonly [schedule: string, time: string, matches: boolean])[] = [
    ['* * * * *', '01T00:00:00', true],
    ['0 3 * * *', '02T03:00:59', true],
    ['0 3 * * *', '02T03:01:00', false],
    ['* 0-7 * * *', '02T07:59:00', true],
    ['* 0-7 * * *', '02T08:00:00', false],
    ['*/20 * * * *', '02T08:40:00', true],
    ['*/20 * * * *', '02T08:41:00', false],
    ['0 0 */2 * *', '03T00:00:00', true],
    ['0 0 */2 * *', '02T00:00:00', false],
    ['0 0 * * 0', '01T00:00:00', true],
    ['0 0 * * 1-5', '01T00:00:00', false],
    ['5,10-12 * * 3 *', '01T09:11:00', true],
    ['5,10-12 * * 4 *', '01T09:11:00', false],
    ['0 3 * * * 0 4 * * *', '01T04:00:00', true],
    ['', '01T04:00:00', false],
  ]
  for (const [schedule, time, matches] of cases) {
    t.equal(new Cron(schedule).matches(at(time)), matches, `${schedule} at ${time}`)
  }
  t.end()
})

test('a schedule is due once in a matching minute', (t) => {
  const cron = new Cron('0 3 * * *')
  t.equal(cron.isDue(at('01T02:59:59')), false)
  t.equal(cron.isDue(at('01T03:00:10')), true)
  t.equal(cron.isDue(at('01T03:00:30')), false)
  t.equal(cron.isDue(at('02T03:00:30')), true)
  t.end()
})

test('an empty schedule is off', (t) => {
  t.equal(new Cron('').enabled, false)
  t.equal(new Cron('* * * * *').enabled, true)
  t.end()
})

test('what is no schedule is refused with the reason', (t) => {
  const prefix = 'cron expression format error'
  const cases: readonly (readonly [schedule: string, message: string])[] = [
    ['* * * *', `${prefix}, should only contain 5x fields`],
    ['60 * * * *', `${prefix}: an integer is expected in a cron expression: out of numeric range`],
    ['x * * * *', `${prefix}: an integer is expected in a cron expression: not started as an integer`],
    ['1x * * * *', `${prefix}: an integer is expected in a cron expression: encounter non-integer characters`],
    ['* 7-0 * * *', `${prefix}: for pattern \`l-r\` in cron expression, r should be larger than l`],
    ['* -7 * * *', `${prefix}: an integer is expected before \`-\` in a cron expression: not started as an integer`],
    ['* 1- * * *', `${prefix}: an integer is expected after \`-\` in a cron expression: not started as an integer`],
    ['*/0 * * * *', `${prefix}: interval value after \`*/\` cannot be zero`],
    ['* * * * 7', `${prefix}: an integer is expected in a cron expression: out of numeric range`],
    [', * * * *', `${prefix}: invalid cron expression`],
  ]
  for (const [schedule, message] of cases) t.throws(() => new Cron(schedule), { message }, schedule)
  t.end()
})
