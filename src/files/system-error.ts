/** The reasons of the operating system in the words of C's strerror. */

/** `No such file or directory` from Node's `ENOENT: no such file or directory, open 'x'`. */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const reason = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message
  return reason.charAt(0).toUpperCase() + reason.slice(1)
}
