// SHA-1 (FIPS 180-4), for redis.sha1hex.
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

void compress(uint32_t* state, const unsigned char* block) {
  uint32_t words[80];
  for (int i = 0; i < 16; i++) {
    words[i] = static_cast<uint32_t>(block[i * 4]) << 24 | static_cast<uint32_t>(block[i * 4 + 1]) << 16 |
               static_cast<uint32_t>(block[i * 4 + 2]) << 8 | block[i * 4 + 3];
  }
  for (int i = 16; i < 80; i++) words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 80; i++) {
    uint32_t mix, constant;
    if (i < 20) {
      mix = (b & c) | (~b & d), constant = 0x5a827999;
    } else if (i < 40) {
      mix = b ^ c ^ d, constant = 0x6ed9eba1;
    } else if (i < 60) {
      mix = (b & c) | (b & d) | (c & d), constant = 0x8f1bbcdc;
    } else {
      mix = b ^ c ^ d, constant = 0xca62c1d6;
    }
    uint32_t next = rotate(a, 5) + mix + e + constant + words[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

}  // namespace

void sha1_hex(const char* bytes, size_t size, char* hex) {
  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const unsigned char* at = reinterpret_cast<const unsigned char*>(bytes);
  size_t rest = size;
  for (; rest >= 64; rest -= 64, at += 64) compress(state, at);
  unsigned char tail[128] = {};
  if (rest != 0) memcpy(tail, at, rest);
  tail[rest] = 0x80;
  size_t tail_bytes = rest < 56 ? 64 : 128;
  uint64_t bits = static_cast<uint64_t>(size) * 8;
  for (int i = 0; i < 8; i++) tail[tail_bytes - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
  compress(state, tail);
  if (tail_bytes == 128) compress(state, tail + 64);
  for (int i = 0; i < 40; i++) hex[i] = "0123456789abcdef"[state[i / 8] >> (28 - i % 8 * 4) & 15];
}

}  // namespace scripting
