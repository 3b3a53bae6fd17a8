/** The numbers of Redis's RDB format. Source: Redis rdb.h, up to RDB version 15 (Redis 8.10). */

/** The newest version that is read. Higher ones give known types other meanings (Valkey's is 80), or unknown ones. */
export const RDB_VERSION_MAX = 15

export const TYPE_STRING = 0
export const TYPE_LIST = 1
export const TYPE_SET = 2
export const TYPE_ZSET = 3
export const TYPE_HASH = 4
export const TYPE_ZSET_2 = 5
export const TYPE_MODULE_PRE_GA = 6
export const TYPE_MODULE_2 = 7
export const TYPE_HASH_ZIPMAP = 9
export const TYPE_LIST_ZIPLIST = 10
export const TYPE_SET_INTSET = 11
export const TYPE_ZSET_ZIPLIST = 12
export const TYPE_HASH_ZIPLIST = 13
export const TYPE_LIST_QUICKLIST = 14
export const TYPE_STREAM_LISTPACKS = 15
export const TYPE_HASH_LISTPACK = 16
export const TYPE_ZSET_LISTPACK = 17
export const TYPE_LIST_QUICKLIST_2 = 18
export const TYPE_STREAM_LISTPACKS_2 = 19
export const TYPE_SET_LISTPACK = 20
export const TYPE_STREAM_LISTPACKS_3 = 21
export const TYPE_HASH_METADATA_PRE_GA = 22
export const TYPE_HASH_LISTPACK_EX_PRE_GA = 23
export const TYPE_HASH_METADATA = 24
export const TYPE_HASH_LISTPACK_EX = 25
export const TYPE_STREAM_LISTPACKS_4 = 26
export const TYPE_STREAM_LISTPACKS_5 = 27

export const OPCODE_KEY_META = 243
export const OPCODE_SLOT_INFO = 244
export const OPCODE_FUNCTION_2 = 245
export const OPCODE_FUNCTION_PRE_GA = 246
export const OPCODE_MODULE_AUX = 247
export const OPCODE_IDLE = 248
export const OPCODE_FREQ = 249
export const OPCODE_AUX = 250
export const OPCODE_RESIZE_DB = 251
export const OPCODE_EXPIRE_TIME_MS = 252
export const OPCODE_EXPIRE_TIME = 253
export const OPCODE_SELECT_DB = 254
export const OPCODE_EOF = 255

/**
 * Lengths: the two top bits of the first byte say how the rest is read.
 *
 *   00llllll              6 bits
 *   01llllll llllllll     14 bits, big-endian
 *   10000000 + 4 bytes    32 bits, big-endian
 *   10000001 + 8 bytes    64 bits, big-endian
 *   11eeeeee              not a length: a string in the encoding e
 */
export const LENGTH_14_BITS = 0x40
export const LENGTH_32_BITS = 0x80
export const LENGTH_64_BITS = 0x81
export const LENGTH_ENCODED = 0xc0
export const ENCODED_INT8 = 0
export const ENCODED_INT16 = 1
export const ENCODED_INT32 = 2
export const ENCODED_LZF = 3

/** Old scores: the length of their text in one byte, or one of these. */
export const SCORE_NAN = 253
export const SCORE_INFINITY = 254
export const SCORE_MINUS_INFINITY = 255

/** Nodes of a quicklist of the second form. */
export const NODE_PLAIN = 1
export const NODE_PACKED = 2

/** Flags of an entry in a stream's listpack. */
export const STREAM_ENTRY_DELETED = 1
export const STREAM_ENTRY_SAME_FIELDS = 2
export const STREAM_ID_SIZE = 16

/** What stands before each item that a module saved. */
export const MODULE_EOF = 0
export const MODULE_SIGNED = 1
export const MODULE_UNSIGNED = 2
export const MODULE_FLOAT = 3
export const MODULE_DOUBLE = 4
export const MODULE_STRING = 5

/** The end of a DUMP payload: version (2 bytes) and CRC-64 (8 bytes), both little-endian. */
export const FOOTER_SIZE = 10
