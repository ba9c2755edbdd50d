// SPDX-License-Identifier: Apache-2.0
// The safetensors container: named tensors and text metadata in one file, nothing executed on reading. Format:
// safetensors README, section "Format".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/named_tensor.h"

namespace genexx {

// Longest header accepted. Gene lists, statistics and configuration of a model are in it.
inline constexpr std::int64_t kMaximumSafetensorsHeader = std::int64_t{16} << 20;

// Metadata key under which write_safetensors stores checksums: JSON text with one CRC-32 for the other metadata and one
// for each tensor (its name, type, shape and bytes).
inline constexpr const char* kChecksumKey = "checksums";

using Metadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  std::vector<NamedTensor> tensors;  // in the order of their bytes in the file
  Metadata metadata;                 // without the checksums
};

// Whether a file without checksums is accepted. Where they are there, they are always verified.
enum class Checksums { if_present, required };

// Writes atomically (atomic_file.h), tensors in the given order without gaps, the header padded with spaces to a
// multiple of 8 bytes. Throws UsageError for equal names, the name __metadata__, bytes that do not fit the shape, and a
// header over the limit; RuntimeError where the file cannot be written.
void write_safetensors(const std::string& path, const SafetensorsFile& file);

// Reads the whole file. Types: F64, F32, BF16, I64, I32, U8. Nothing is allocated before the header is proved: at most
// kMaximumSafetensorsHeader bytes, an object without repeated keys, for each tensor a known type, a shape whose product
// does not overflow and offsets that fit it, and together the whole buffer without gap or overlap.
// Throws InputError naming the file, the tensor, what was found and what was expected.
SafetensorsFile read_safetensors(const std::string& path, Checksums checksums = Checksums::if_present);

// The metadata alone, verified like the rest of the header; the tensors' bytes are not read.
Metadata read_safetensors_metadata(const std::string& path, Checksums checksums = Checksums::if_present);

}  // namespace genexx
