// SPDX-License-Identifier: Apache-2.0
// Targets inferred by a trained network for rows that are ready as its input, averaged over the replicas.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/session.h"

namespace genexx::dgex {

class Inference {
 public:
  static constexpr std::int64_t kMostRows = 256;  // of one call

  // `weights` are [replicas, ...]. `ctx` must outlive the object; all its threads work on one block.
  Inference(Context& ctx, const Network& network, std::int64_t replicas, const std::vector<NamedTensor>& weights);

  std::int64_t replicas() const { return session_.options().replicas; }
  std::int64_t landmarks() const { return session_.network().input_width(); }
  std::int64_t targets() const { return session_.network().output_width(); }

  // `rows` is [count, landmarks], count <= kMostRows; the result is [replicas, count, targets]. Throws UsageError for
  // more rows.
  std::vector<float> each(const float* rows, std::int64_t count);
  // Their mean over the replicas: [count, targets].
  std::vector<float> mean(const float* rows, std::int64_t count);

 private:
  Session session_;
};

}  // namespace genexx::dgex
