#include "bytes.h"

#include <cstdlib>
#include <cstring>

namespace scripting {

namespace {
// What a buffer keeps between uses. A larger one is given back, so that one huge reply does not stay for ever.
constexpr size_t kept_bytes = 1 << 20;
}  // namespace

Bytes::~Bytes() { free(data_); }

void Bytes::clear() {
  size_ = 0;
  failed_ = false;
  if (capacity_ > kept_bytes) {
    free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }
}

void Bytes::append(const char* text) { append(text, strlen(text)); }

void Bytes::copy(const void* bytes, size_t size) {
  if (size == 0) return;
  memcpy(data_ + size_, bytes, size);
  size_ += size;
}

bool Bytes::grow(size_t more) {
  size_t wanted = size_ + more;
  if (failed_ || wanted < size_ || (limit_ != 0 && wanted > limit_)) {
    failed_ = true;
    return false;
  }
  size_t capacity = capacity_ < 256 ? 256 : capacity_;
  while (capacity < wanted) capacity *= 2;
  void* moved = realloc(data_, capacity);
  if (moved == nullptr) {
    failed_ = true;
    return false;
  }
  data_ = static_cast<char*>(moved);
  capacity_ = capacity;
  return true;
}

void Bytes::append_integer(long long value) {
  char digits[24];
  char* at = digits + sizeof digits;
  unsigned long long rest = value < 0 ? 0ULL - static_cast<unsigned long long>(value) : static_cast<unsigned long long>(value);
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) *--at = '-';
  append(at, static_cast<size_t>(digits + sizeof digits - at));
}

}  // namespace scripting
