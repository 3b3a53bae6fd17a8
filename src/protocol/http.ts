/** Requests that are no requests: those of a browser that was talked into speaking to the server. */

import type { Args } from './args.js'

const METHODS = ['get', 'head', 'post', 'put', 'delete', 'options', 'patch', 'connect', 'trace']

/**
 * True for the first line of an HTTP request, for its Host header, and for POST: words that no command takes, so that a
 * form in a web page cannot smuggle commands behind them. Source: redis src/server.c, processCommand; kvrocks src/server/
 * redis_request.cc.
 */
export function isHttp(args: Args): boolean {
  if (args.is(0, 'post') || args.is(0, 'host:')) return true
  if (args.count !== 3 || !args.latin1(2).startsWith('HTTP/')) return false
  return METHODS.some((method) => args.is(0, method))
}
