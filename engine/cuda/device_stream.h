// SPDX-License-Identifier: Apache-2.0
// A stream of a CUDA device, and how grids follow each other in it. No CUDA header is needed to include this.
#pragma once

struct CUstream_st;

namespace genexx {

// When a grid begins: when the one ahead of it in the stream has ended; or early, to be set up meanwhile, waiting
// inside for that end before it touches memory (programmatic dependent launch, compute capability 9.0 and newer).
enum class GridBegin { behind, early };

class DeviceStream {
 public:
  DeviceStream(CUstream_st* stream = nullptr, GridBegin begin = GridBegin::behind)  // NOLINT: meant to be implicit
      : stream_(stream), begin_(begin) {}
  operator CUstream_st*() const { return stream_; }  // NOLINT: meant to be implicit
  // What kernels that know how to wait may do here.
  GridBegin begin() const { return begin_; }

 private:
  CUstream_st* stream_;
  GridBegin begin_;
};

}  // namespace genexx
