import { fileURLToPath } from 'node:url'

/** The root of the clone or package, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
