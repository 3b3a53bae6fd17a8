#include "info_log.h"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "rocksdb/file_system.h"
#include "rocksdb/status.h"
#include "table_files.h"

namespace {

/** Appends lines in RocksDB's form. A line that the disk does not take is lost, and the next one is tried again. */
class PatientLogger : public rocksdb::Logger {
 public:
  explicit PatientLogger(int fd) : fd_(fd) {}
  ~PatientLogger() override { Close().PermitUncheckedError(); }

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::string line = Prefix();
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length < 0) return;
    size_t begin = line.size();
    line.resize(begin + static_cast<size_t>(length) + 1);
    vsnprintf(&line[begin], static_cast<size_t>(length) + 1, format, arguments);
    // In place of the 0 at its end; some texts have a line feed already.
    if (length > 0 && line[line.size() - 2] == '\n') {
      line.pop_back();
    } else {
      line.back() = '\n';
    }
    ssize_t written = write(fd_, line.data(), line.size());
    if (written > 0) bytes_ += static_cast<size_t>(written);
  }

  size_t GetLogFileSize() const override { return bytes_; }

 protected:
  rocksdb::Status CloseImpl() override {
    int fd = fd_.exchange(-1);
    if (fd >= 0) close(fd);
    return rocksdb::Status::OK();
  }

 private:
  /** `2026/01/31-12:00:00.000000 4711 ` */
  static std::string Prefix() {
    timeval now;
    gettimeofday(&now, nullptr);
    tm local;
    localtime_r(&now.tv_sec, &local);
    char text[96];
    int length = snprintf(text, sizeof(text), "%04d/%02d/%02d-%02d:%02d:%02d.%06d %llu ", local.tm_year + 1900,
                          local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                          static_cast<int>(now.tv_usec),
                          static_cast<unsigned long long>(rocksdb::Env::Default()->GetThreadID()));
    return std::string(text, static_cast<size_t>(length));
  }

  std::atomic<int> fd_;
  std::atomic<size_t> bytes_{0};
};

class PatientLogFileSystem : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "PatientLogFileSystem"; }

  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions&,
                              std::shared_ptr<rocksdb::Logger>* result, rocksdb::IODebugContext*) override {
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return rocksdb::IOStatus::IOError("While opening " + path, strerror(errno));
    result->reset(new PatientLogger(fd));
    return rocksdb::IOStatus::OK();
  }
};

}  // namespace

rocksdb::Env* EnvWithPatientLog() {
  static rocksdb::Env* const env =
      rocksdb::NewCompositeEnv(std::make_shared<PatientLogFileSystem>(NewTableFileSystem())).release();
  return env;
}
