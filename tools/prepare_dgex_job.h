// SPDX-License-Identifier: Apache-2.0
// The work of genexx prepare-dgex.
#pragma once

#include <cstdint>
#include <string>

#include "engine/dtype.h"
#include "tools/console.h"

namespace genexx::tools {

struct PrepareDgexOptions {
  std::string geo, gtex, geuvadis, map, landmarks, out;
  std::string device = "auto", dtype = "float32", missing = "error", gene_column;
  std::uint64_t seed = 0;
  std::int64_t clusters = 100, batch = 1000, passes = 10;
  double distance = 1.0;  // 0: near-duplicates are kept
  int threads = 0;
  bool overwrite = false;
};

// Reads, removes near-duplicates, normalises, standardises, splits and writes the prepared directory. Throws UsageError
// where it is there already, InputError and RefusedError for inputs that cannot be used.
void prepare_dgex(const PrepareDgexOptions& options, Console& console);

}  // namespace genexx::tools
