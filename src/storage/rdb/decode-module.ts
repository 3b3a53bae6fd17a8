import { type Int64, toInt64 } from '../../bytes/int64.js'
import type { ByteSource } from './byte-source.js'
import { MODULE_DOUBLE, MODULE_EOF, MODULE_FLOAT, MODULE_SIGNED, MODULE_STRING, MODULE_UNSIGNED } from './format.js'
import { corrupt } from './rdb-error.js'
import type { ModuleItem, ModuleValue } from './value.js'

/**
 * Values of modules describe themselves: an id, then items, each behind an opcode.
 *
 *   id    nine characters of six bits, then ten bits of encoding version
 *
 * Source: Redis module.c, moduleTypeNameByID.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NAME_LENGTH = 9
const VERSION_BITS = 10n

/** Reads a module's value with its id. */
export function readModule(source: ByteSource): ModuleValue {
  const id = BigInt(source.length())
  return { type: 'module', name: moduleName(id), encodingVersion: Number(id & 1023n), items: readModuleItems(source) }
}

/** The nine characters of a module type's id. */
export function moduleName(id: bigint): string {
  let name = ''
  for (let index = 1; index <= NAME_LENGTH; index++) {
    name += ALPHABET[Number((id >> (64n - BigInt(index) * 6n)) & 63n)]
  }
  return name
}

/** The id of a module type. Throws RangeError for a name that is not nine characters of the alphabet. */
export function moduleId(name: string, encodingVersion: number): Int64 {
  let id = 0n
  for (const character of name) {
    const index = ALPHABET.indexOf(character)
    if (index < 0) throw new RangeError('impossible name of a module type')
    id = (id << 6n) | BigInt(index)
  }
  if (name.length !== NAME_LENGTH) throw new RangeError('impossible name of a module type')
  return toInt64((id << VERSION_BITS) | BigInt(encodingVersion))
}

/** Reads items up to the mark that ends them. */
export function readModuleItems(source: ByteSource): ModuleItem[] {
  const items: ModuleItem[] = []
  for (;;) {
    const opcode = source.length()
    switch (opcode) {
      case MODULE_EOF:
        return items
      case MODULE_SIGNED:
        items.push({ kind: 'signed', value: asSigned(source.length()) })
        break
      case MODULE_UNSIGNED:
        items.push({ kind: 'unsigned', value: source.length() })
        break
      case MODULE_FLOAT:
        items.push({ kind: 'float', value: source.float() })
        break
      case MODULE_DOUBLE:
        items.push({ kind: 'double', value: source.double() })
        break
      case MODULE_STRING:
        items.push({ kind: 'string', value: source.string() })
        break
      default:
        throw corrupt('module: unknown item')
    }
  }
}

function asSigned(value: Int64): Int64 {
  return toInt64(BigInt.asIntN(64, BigInt(value)))
}
