/*
 * To be preloaded: reads of files that are not in the page cache take READ_DELAY_US microseconds longer, as on a disk
 * that is so far away. Any number of them is under way at the same time.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Reads that were refused for want of the page cache: the kernel fetches then, and may have done so by the next one. */
static atomic_uchar refused[1 << 16];

static atomic_uchar *refusal(int fd, off_t offset) {
  return &refused[((uint64_t)offset * 0x9e3779b97f4a7c15u + (uint64_t)fd * 0xc2b2ae3d27d4eb4fu) >> 48];
}

static ssize_t read_at_once(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
  return syscall(SYS_preadv2, fd, parts, count, (long)offset, 0L, flags);
}

static ssize_t read_slowly(int fd, void *to, size_t length, off_t offset) {
  static long delay_us = -1;
  if (delay_us < 0) delay_us = atol(getenv("READ_DELAY_US") ? getenv("READ_DELAY_US") : "0");
  struct iovec part = {to, length};
  if (!atomic_exchange(refusal(fd, offset), 0) && read_at_once(fd, &part, 1, offset, RWF_NOWAIT) == (ssize_t)length) {
    return (ssize_t)length;
  }
  struct timespec delay = {delay_us / 1000000, delay_us % 1000000 * 1000};
  nanosleep(&delay, NULL);
  return syscall(SYS_pread64, fd, to, length, offset);
}

static ssize_t read_or_refuse(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
  ssize_t done = read_at_once(fd, parts, count, offset, flags);
  if (done < 0 && (flags & RWF_NOWAIT)) atomic_store(refusal(fd, offset), 1);
  return done;
}

ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
  return read_or_refuse(fd, parts, count, offset, flags);
}

ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) {
  return read_or_refuse(fd, parts, count, offset, flags);
}

ssize_t pread(int fd, void *to, size_t length, off_t offset) { return read_slowly(fd, to, length, offset); }
ssize_t pread64(int fd, void *to, size_t length, off64_t offset) { return read_slowly(fd, to, length, offset); }
