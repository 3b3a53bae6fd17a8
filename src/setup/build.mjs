/** `npm run build`: everything that `npm start` prepares, and nothing more. */
import { prepare } from './prepare.mjs'
import { runMain } from './say.mjs'

await runMain(prepare)
