/**
 * Why a script or a library could not be compiled or did not end: an error for the client, and the reason to roll back
 * what the script wrote. A script that returns an error table has ended, so that is a reply and not this.
 *
 * Not an `Error`: scripts raise errors as a matter of course, and a JavaScript stack would say nothing about them.
 */
export class ScriptError {
  /**
   * @param text the line after `-`, beginning with its code, one character a byte (latin1)
   * @param stopped whether the script was stopped from outside: out of time, or out of memory for its reply
   */
  constructor(
    readonly text: string,
    readonly stopped = false,
  ) {}

  toString(): string {
    return this.text
  }
}
