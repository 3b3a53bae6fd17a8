/**
 * What npm runs when this package is installed into another project: builds the addons there. It installs nothing on the
 * system, but says what is missing. In a clone there is nothing to do: npm start and npm test prepare it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildAddon, buildRequirements, staleAddons } from './addons.mjs'
import { ROOT } from './root.mjs'
import { runMain, SetupError } from './say.mjs'

await runMain(async () => {
  if (existsSync(join(ROOT, 'tests'))) return
  const addons = staleAddons()
  const missing = buildRequirements().filter(({ present }) => !present())
  if (addons.length > 0 && missing.length > 0) {
    const names = missing.map(({ debian }) => debian).join(' ')
    throw new SetupError(`needs ${names} to build its addons: install these packages first, then this one again`)
  }
  for (const addon of addons) await buildAddon(addon)
})
