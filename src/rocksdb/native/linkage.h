#pragma once

/** True when the linked RocksDB was compiled with assertions, which makes it nearly half as fast. */
bool RocksDBAsserts();
