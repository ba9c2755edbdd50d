// SPDX-License-Identifier: Apache-2.0
// SHA-256, to say which file a run read. Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5 and 6.2.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace genexx {

class Sha256 {
 public:
  void update(std::string_view bytes);
  // The digest as 64 hexadecimal digits. The object is used up.
  std::string hex();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 8> state_ = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                         0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
  std::array<unsigned char, 64> pending_{};
  std::size_t filled_ = 0;
  std::uint64_t length_ = 0;
};

// The digest of a file, or of the names and contents of a directory's files in sorted order. Throws InputError.
std::string sha256_of(const std::string& path);

}  // namespace genexx
