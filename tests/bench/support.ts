import { spawnSync } from 'node:child_process'

/** Why a test that needs redis-benchmark is skipped, or false. */
export const BENCHMARK_MISSING: string | false =
  spawnSync('redis-benchmark', ['--version']).error === undefined ? false : 'redis-benchmark is not installed'
