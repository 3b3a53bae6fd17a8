/** Errors of client side caching. Source of the texts: Redis src/networking.c, clientCommand; src/tracking.c. */

import { err, type ReplyError } from '../errors.js'

export const ONE_REDIRECT = err('A client can only redirect to a single other client')
export const NO_REDIRECT_TARGET = err('The client ID you want redirect to does not exist')
export const PREFIX_WITHOUT_BROADCAST = err('PREFIX option requires BCAST mode to be enabled')
export const SWITCHED_BROADCAST = err(
  "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
)
export const OPTIONS_WITH_BROADCAST = err('OPTIN and OPTOUT are not compatible with BCAST')
export const BOTH_OPTIONS = err("You can't specify both OPTIN mode and OPTOUT mode")
export const SWITCHED_OPTION = err(
  "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
)
export const CACHING_WITHOUT_TRACKING = err(
  'CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
)
export const CACHING_YES_WITHOUT_OPTIN = err('CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.')
export const CACHING_NO_WITHOUT_OPTOUT = err('CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.')

export function prefixOverlapsExisting(prefix: string, existing: string): ReplyError {
  return overlap(prefix, `an existing prefix '${existing}'`)
}

export function prefixOverlapsOther(prefix: string, other: string): ReplyError {
  return overlap(prefix, `another provided prefix '${other}'`)
}

function overlap(prefix: string, what: string): ReplyError {
  return err(`Prefix '${prefix}' overlaps with ${what}. Prefixes for a single client must not overlap.`)
}
