/**
 * `npm start [-- ARGUMENTS]`: prepares the clone, then serves with conf/kvrocks.conf in this same process. package.json
 * says `exec node`, because npm passes signals to the shell between, which would not pass them on.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare } from './prepare.mjs'
import { ROOT } from './root.mjs'
import { runMain } from './say.mjs'

await runMain(async () => {
  await prepare()
  const program = join(ROOT, 'dist/src/cli/main.js')
  process.argv.splice(1, 1, program, 'server', '-c', join(ROOT, 'conf/kvrocks.conf'))
  await import(pathToFileURL(program).href)
})
