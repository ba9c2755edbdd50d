// SPDX-License-Identifier: Apache-2.0
// How HDF5 writes to the disk. A failed write is remembered and told to the library as done: the library cannot survive
// one (a dataset whose close failed is closed again at the end of the process, through freed memory). After the failure
// nothing more is written, and whoever writes looks at the outcome before believing in the file.
#pragma once

#include <cstdint>
#include <memory>

#include "io/hdf5.h"

namespace genexx::hdf5 {

struct WriteOutcome {
  int error = 0;           // errno of the first write that failed, 0 for none
  std::int64_t bytes = 0;  // that it was asked to write
};

// File access properties with this way of writing, without file locks. Every file opened with them keeps `outcome`
// alive. Throws RuntimeError when the library refuses the driver.
Id write_access(const std::shared_ptr<WriteOutcome>& outcome);

}  // namespace genexx::hdf5
