/** The command line of the server. Source: kvrocks src/cli/main.cc, ParseCommandLineOptions. */

export interface ServeArguments {
  readonly action: 'serve'
  /** A path, `-` for standard input, undefined for defaults alone. */
  readonly configFile: string | undefined
  readonly overrides: readonly (readonly [name: string, value: string])[]
}

/** `cdc` and what follows it. */
export interface CdcWords {
  readonly action: 'cdc'
  readonly words: readonly string[]
}

/** `backup`, `restore`, `verify` or `import` and what follows it. */
export interface BackupWords {
  readonly action: 'backup' | 'restore' | 'verify' | 'import'
  readonly words: readonly string[]
}

/** A command line that makes no sense: it gets the usage, the reason, and exit code 1. */
export interface Misuse {
  readonly action: 'misuse'
  readonly reason: string
}

export type Arguments = ServeArguments | CdcWords | BackupWords | Misuse | { readonly action: 'version' | 'help' }

/** Reads what follows the program's name. As in Kvrocks, -v and -h count as soon as they are met. */
export function parseArguments(words: readonly string[]): Arguments {
  if (words[0] === 'cdc') return { action: 'cdc', words: words.slice(1) }
  const [action] = words
  if (action === 'backup' || action === 'restore' || action === 'verify' || action === 'import') {
    return { action, words: words.slice(1) }
  }
  const overrides: [string, string][] = []
  let configFile: string | undefined
  for (let at = words[0] === 'server' ? 1 : 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '-v' || word === '--version') return { action: 'version' }
    if (word === '-h' || word === '--help') return { action: 'help' }
    if (!isOption(word)) return { action: 'misuse', reason: `'${word}' is neither an option nor a command` }
    const value = words[++at]
    if (value === undefined) return { action: 'misuse', reason: `'${word}' needs a value` }
    if (word === '-c' || word === '--config') configFile = value
    else overrides.push([word.slice(2), value])
  }
  return { action: 'serve', configFile, overrides }
}

/** One that takes a value. */
function isOption(word: string): boolean {
  return word === '-c' || (word.startsWith('--') && word.length > 2)
}

export const USAGE = `kvrocks-ts speaks the Redis protocol and stores its data in RocksDB.

Usage:
    kvrocks-ts [server] [options]
    kvrocks-ts cdc tail|snapshot|copy [options]    read the change feed of a server
    kvrocks-ts backup|restore|verify ...           make, bring back and check backups
    kvrocks-ts import --from <url> [options]       take over the keys of a Redis, and follow it

Options:
    -c, --config <file>       read settings from <file>, or from standard input if it is -
    --<setting> <value>       override a setting of the file; see kvrocks.conf for all of them
    -v, --version             print the version
    -h, --help                print this text
`
