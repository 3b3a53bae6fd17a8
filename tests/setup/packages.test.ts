/** What the setup asks of apt-get. */
import { test } from 'tap'
import { Clone } from '../support/clone.js'

const INSTALL = '-q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends wanted'
const UPDATE = '-q -y -o DPkg::Lock::Timeout=300 update'

const LISTS_LOCKED = 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)'
const DPKG_LOCKED = 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (unattended-upgr)'
const UNKNOWN = 'E: Unable to locate package wanted'

interface Case {
  readonly name: string
  /** What apt-get writes, run by run; it fails if that is an error. */
  readonly answers: readonly string[]
  readonly runs: readonly string[]
  readonly failure?: string
}

const CASES: readonly Case[] = [
  { name: 'installs what is missing', answers: ['done'], runs: [INSTALL] },
  {
    name: 'updates the lists if they do not know it',
    answers: [UNKNOWN, '', 'done'],
    runs: [INSTALL, UPDATE, INSTALL],
  },
  {
    name: 'waits for another that updates the lists',
    answers: [UNKNOWN, LISTS_LOCKED, '', 'done'],
    runs: [INSTALL, UPDATE, UPDATE, INSTALL],
  },
  {
    name: 'leaves it at the time that apt-get waits for dpkg',
    answers: [DPKG_LOCKED],
    runs: [INSTALL],
    failure: DPKG_LOCKED,
  },
  { name: 'says why it cannot', answers: [UNKNOWN, '', UNKNOWN], runs: [INSTALL, UPDATE, INSTALL], failure: UNKNOWN },
]

test('the setup', { skip: process.platform === 'darwin' && 'no apt-get' }, async (t) => {
  for (const { name, answers, runs, failure } of CASES) {
    t.test(name, async (t) => {
      const clone = new Clone(t)
      clone.program('sudo', '#!/bin/sh\nshift\nexec "$@"\n')
      clone.program(
        'apt-get',
        `#!/bin/sh
echo "$*" >> "$CLONE_LOG"
case $(grep -c . "$CLONE_LOG") in
${answers.map((text, index) => `${index + 1}) echo '${text}'; exit ${text.startsWith('E:') ? 100 : 0} ;;`).join('\n')}
esac
exit 1
`,
      )
      const { code, output } = await clone.run(`
        import { installMissing } from '${clone.root}/src/setup/packages.mjs'
        import { runMain } from '${clone.root}/src/setup/say.mjs'
        await runMain(() => installMissing([{ present: () => false, debian: 'wanted', brew: 'wanted' }], 'for a test'))`)
      t.same(clone.noted(), runs)
      t.equal(code, failure === undefined ? 0 : 1)
      t.match(output, /^kvrocks-ts: installing wanted by (?:sudo )?apt-get, for a test\n/)
      t.equal(output.split('\n')[1], failure ? `kvrocks-ts: apt-get could not install wanted: ${failure}` : '')
    })
  }
})
