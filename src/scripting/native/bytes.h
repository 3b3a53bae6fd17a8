// A growing byte buffer outside Lua's heap. It never throws and has no destructor that must run between its use and
// a Lua error: the engine owns every instance, because lua_error leaves a C++ frame without unwinding it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace scripting {

class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes();

  const char* data() const { return data_; }
  char* data() { return data_; }
  size_t size() const { return size_; }
  bool failed() const { return failed_; }

  // Makes the buffer refuse to pass `limit` bytes (0: no limit). What does not fit is dropped and failed() turns true.
  void set_limit(size_t limit) { limit_ = limit; }
  void clear();
  void truncate(size_t size) { size_ = size; }

  void append(const void* bytes, size_t size) {
    if (size > capacity_ - size_ && !grow(size)) return;
    copy(bytes, size);
  }
  void append(const char* text);
  void push(char byte) {
    if (size_ == capacity_ && !grow(1)) return;
    data_[size_++] = byte;
  }
  // Room for `size` more bytes at the returned address, or nullptr. The caller reports what it used with advance.
  char* reserve(size_t size) {
    if (size > capacity_ - size_ && !grow(size)) return nullptr;
    return data_ + size_;
  }
  void advance(size_t size) { size_ += size; }
  void append_integer(long long value);

 private:
  bool grow(size_t more);
  void copy(const void* bytes, size_t size);

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t limit_ = 0;
  bool failed_ = false;
};

}  // namespace scripting
