// The functions of a session, by the file that has them. Each reads its arguments by position: see native.ts.
#pragma once

#include <node_api.h>

#define SESSION_METHODS(METHOD)                                         \
  METHOD(bind, Bind)                                                    \
  METHOD(close, Close)                                                  \
  METHOD(liveHandles, LiveHandles)                                      \
  METHOD(read, Read)                                                    \
  METHOD(takeValue, TakeValue)                                          \
  METHOD(get, Get)                                                      \
  METHOD(multiGet, MultiGet)                                            \
  METHOD(write, Write)                                                  \
  METHOD(onWritten, OnWritten)                                          \
  METHOD(beginWrite, BeginWrite)                                        \
  METHOD(hasWritten, HasWritten)                                        \
  METHOD(endWrite, EndWrite)                                            \
  METHOD(onFetched, OnFetched)                                          \
  METHOD(setFetchThreads, SetFetchThreads)                              \
  METHOD(fetch, Fetch)                                                  \
  METHOD(fetchRange, FetchRange)                                        \
  METHOD(takeFetched, TakeFetched)                                      \
  METHOD(snapshot, TakeSnapshot)                                        \
  METHOD(snapshotSequence, SnapshotSequence)                            \
  METHOD(releaseSnapshot, ReleaseSnapshot)                              \
  METHOD(latestSequence, LatestSequence)                                \
  METHOD(bindChunk, BindChunk)                                          \
  METHOD(iteratorOpen, IteratorOpen)                                    \
  METHOD(iteratorSeek, IteratorSeek)                                    \
  METHOD(iteratorFill, IteratorFill)                                    \
  METHOD(iteratorClose, IteratorClose)                                  \
  METHOD(walOpen, WalOpen)                                              \
  METHOD(walRead, WalRead)                                              \
  METHOD(walClose, WalClose)                                            \
  METHOD(property, Property)                                            \
  METHOD(intProperty, IntProperty)                                      \
  METHOD(mapProperty, MapProperty)                                      \
  METHOD(setListener, SetListener)                                      \
  METHOD(writeAsync, WriteAsync)                                        \
  METHOD(flush, Flush)                                                  \
  METHOD(compactRange, CompactRange)                                    \
  METHOD(checkpoint, MakeCheckpoint)                                    \
  METHOD(resume, Resume)                                                \
  METHOD(syncWal, SyncWal)                                              \
  METHOD(verifyChecksum, VerifyChecksum)                                \
  METHOD(tryCatchUpWithPrimary, TryCatchUpWithPrimary)                  \
  METHOD(setManualCompactionsAllowed, SetManualCompactionsAllowed)      \
  METHOD(setOptions, SetOptions)                                        \
  METHOD(setDbOptions, SetDbOptions)                                    \
  METHOD(setRateBytesPerSecond, SetRateBytesPerSecond)                  \
  METHOD(setReclaimBefore, SetReclaimBefore)                            \
  METHOD(setDeleteRateBytesPerSecond, SetDeleteRateBytesPerSecond)       \
  METHOD(setSpaceBytesMax, SetSpaceBytesMax)                             \
  METHOD(setBlockCacheBytes, SetBlockCacheBytes)                        \
  METHOD(clearBlockCache, ClearBlockCache)                              \
  METHOD(blockCacheUsage, BlockCacheUsage)                              \
  METHOD(ticker, Ticker)                                                \
  METHOD(tickers, Tickers)                                              \
  METHOD(histograms, Histograms)                                        \
  METHOD(resetStatistics, ResetStatistics)                              \
  METHOD(setPerfLevel, SetPerfLevel)                                    \
  METHOD(perfContext, PerfContextText)                                  \
  METHOD(ioStats, IoStatsText)                                          \
  METHOD(sortedWalFiles, SortedWalFiles)                                \
  METHOD(liveFiles, LiveFiles)                                          \
  METHOD(liveFileNames, LiveFileNames)                                  \
  METHOD(tableProperties, TableProperties)                              \
  METHOD(setFileDeletions, SetFileDeletions)                            \
  METHOD(approximateSizes, ApproximateSizes)                            \
  METHOD(deleteFilesInRanges, DeleteFilesInRanges)                      \
  METHOD(deleteRange, DeleteRange)

namespace methods {
#define DECLARE(name, function) napi_value function(napi_env env, napi_callback_info info);
SESSION_METHODS(DECLARE)
#undef DECLARE
}  // namespace methods
