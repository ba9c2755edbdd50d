// SPDX-License-Identifier: Apache-2.0
// The file by which both sides of a comparison get the same data and weights: a safetensors container, written and read
// here without io/, so that the programs of bench build on a machine without its libraries.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/named_tensor.h"

namespace genexx::bench {

struct CaseFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> sizes;  // what a reader should say of them

  // Throws InputError naming what is missing.
  const NamedTensor& at(const std::string& name) const;
  bool has(const std::string& name) const;
};

// Throw RuntimeError or InputError naming the path.
void write_case_file(const std::string& path, const CaseFile& file);
CaseFile read_case_file(const std::string& path);

}  // namespace genexx::bench
