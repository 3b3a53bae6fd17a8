#include "table_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

using rocksdb::FileOptions;
using rocksdb::FileSystem;
using rocksdb::FSRandomAccessFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {
thread_local bool waits_not = false;
}

NoWait::NoWait(bool applies) : before_(waits_not) {
  if (applies) waits_not = true;
}

NoWait::~NoWait() { waits_not = before_; }

#if defined(__linux__) && defined(RWF_NOWAIT)

namespace {

class TableFile : public FSRandomAccessFile {
 public:
  /** Takes the descriptor over. */
  TableFile(std::string name, int descriptor, uint64_t size)
      : name_(std::move(name)), descriptor_(descriptor), size_(size) {}

  ~TableFile() override { close(descriptor_); }

  IOStatus Read(uint64_t offset, size_t length, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    if (waits_not) {
      struct iovec part = {scratch, length};
      ssize_t done = preadv2(descriptor_, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
      bool is_whole = done >= 0 && (static_cast<size_t>(done) == length || offset + static_cast<size_t>(done) >= size_);
      if (is_whole) {
        *result = Slice(scratch, static_cast<size_t>(done));
        return IOStatus::OK();
      }
      if (done >= 0 || errno == EAGAIN) {
        return rocksdb::status_to_io_status(rocksdb::Status::Incomplete("Not in the page cache"));
      }
      // A file system that knows no such reads.
    }
    return ReadAll(offset, length, result, scratch);
  }

  IOStatus Prefetch(uint64_t offset, size_t length, const IOOptions&, IODebugContext*) override {
    return readahead(descriptor_, static_cast<off64_t>(offset), length) == 0 ? IOStatus::OK() : Error("readahead");
  }

  void Hint(AccessPattern pattern) override {
    int advice = pattern == kRandom       ? POSIX_FADV_RANDOM
                 : pattern == kSequential ? POSIX_FADV_SEQUENTIAL
                 : pattern == kWillNeed   ? POSIX_FADV_WILLNEED
                 : pattern == kWontNeed   ? POSIX_FADV_DONTNEED
                                          : POSIX_FADV_NORMAL;
    posix_fadvise(descriptor_, 0, 0, advice);
  }

  IOStatus InvalidateCache(size_t offset, size_t length) override {
    int error = posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_DONTNEED);
    return error == 0 ? IOStatus::OK() : IOStatus::IOError("fadvise " + name_, strerror(error));
  }

 private:
  IOStatus ReadAll(uint64_t offset, size_t length, Slice* result, char* scratch) const {
    size_t used = 0;
    while (used < length) {
      ssize_t done = pread(descriptor_, scratch + used, length - used, static_cast<off_t>(offset + used));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return Error("pread");
      if (done == 0) break;
      used += static_cast<size_t>(done);
    }
    *result = Slice(scratch, used);
    return IOStatus::OK();
  }

  IOStatus Error(const char* what) const {
    return IOStatus::IOError(std::string(what) + " " + name_, strerror(errno));
  }

  const std::string name_;
  const int descriptor_;
  const uint64_t size_;
};

class TableFileSystem : public rocksdb::FileSystemWrapper {
 public:
  TableFileSystem() : FileSystemWrapper(FileSystem::Default()) {}

  const char* Name() const override { return "TableFileSystem"; }

  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<FSRandomAccessFile>* file, IODebugContext* context) override {
    bool is_plain = !options.use_direct_reads && !options.use_mmap_reads;
    int descriptor = is_plain ? open(name.c_str(), O_RDONLY | O_CLOEXEC) : -1;
    struct stat status;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
      *file = std::make_unique<TableFile>(name, descriptor, static_cast<uint64_t>(status.st_size));
      return IOStatus::OK();
    }
    if (descriptor >= 0) close(descriptor);
    // It also says what is wrong.
    return target()->NewRandomAccessFile(name, options, file, context);
  }
};

}  // namespace

std::shared_ptr<FileSystem> NewTableFileSystem() { return std::make_shared<TableFileSystem>(); }

#else

std::shared_ptr<FileSystem> NewTableFileSystem() { return FileSystem::Default(); }

#endif
