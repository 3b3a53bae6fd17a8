/** Versions that the server tells. */

/** Of this program. */
export const VERSION = '0.1.0'
/** The Kvrocks whose behaviour is followed: tools decide by it. */
export const KVROCKS_VERSION = '2.17.0'
/** The Redis whose commands are there: client libraries decide by it. Source: kvrocks src/common/version.h. */
export const REDIS_VERSION = '7.0.0'
