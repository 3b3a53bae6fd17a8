/** `npm test [-- TEXT…]`: prepares the clone, then runs the test files whose path contains one of the texts. */
import { installMissing, program, serviceProgram } from './packages.mjs'
import { prepare } from './prepare.mjs'
import { ROOT } from './root.mjs'
import { runMain } from './say.mjs'

await runMain(async () => {
  await prepare()
  await installMissing(
    [
      serviceProgram('redis-server', 'redis'),
      serviceProgram('redis-sentinel', 'redis'),
      program('redis-cli', 'redis-tools', 'redis'),
      program('tclsh', 'tcl', 'tcl-tk'),
      program('openssl', 'openssl', 'openssl'),
      // Not in the smallest images.
      program('kill', 'procps'),
    ],
    'for the tests',
  )
  // Not before: it needs a package of npm.
  const { runTests } = await import('./run-tests.mjs')
  if (!(await runTests(ROOT, process.argv.slice(2)))) process.exitCode = 1
})
