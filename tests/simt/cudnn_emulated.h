// SPDX-License-Identifier: Apache-2.0
// A stand-in for cuDNN on the emulated device: it computes what the descriptors say by plain loops and refuses what the
// library's contract forbids. A test of our arguments, not of cuDNN.
#pragma once

#include <cstdint>

namespace genexx::simt {

// Contexts made while one lives find the stand-in installed; others find no cuDNN.
class InstalledCudnn {
 public:
  enum class Support { all, forward_only };
  explicit InstalledCudnn(Support support = Support::all);
  ~InstalledCudnn();
  InstalledCudnn(const InstalledCudnn&) = delete;
  InstalledCudnn& operator=(const InstalledCudnn&) = delete;

  // Products done since it was made, and the number of descriptors not destroyed yet.
  std::int64_t products() const;
  std::int64_t descriptors() const;
};

}  // namespace genexx::simt
