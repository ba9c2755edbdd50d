// SPDX-License-Identifier: Apache-2.0
// Several NumPy arrays in one file, as numpy.load reads them: a ZIP archive whose members are .npy files, stored as
// they are, since weights do not compress. Format: NumPy, numpy.savez; PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3.
#pragma once

#include <string>
#include <vector>

#include "engine/named_tensor.h"

namespace genexx {

// Texts as an array: [n], or one text where `shape` is [].
struct NpzTexts {
  std::string name;
  std::vector<std::string> texts;
  std::vector<std::int64_t> shape;
};

// Writes atomically, tensors first. Members over 4 GiB, or beyond the first 4 GiB, get ZIP64 fields. Throws UsageError
// for bf16, for equal names, for bytes that do not fit the shape; RuntimeError where the file cannot be written.
void write_npz(const std::string& path, const std::vector<NamedTensor>& tensors, const std::vector<NpzTexts>& texts);

}  // namespace genexx
