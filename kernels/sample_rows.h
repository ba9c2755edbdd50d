// SPDX-License-Identifier: Apache-2.0
// An op: draws the batch of the current step, from the step counter alone, so that a replayed step draws its own rows.
//   epoch = step[k] / steps_per_epoch      place = (step[k] % steps_per_epoch) batch + i
//   position = the place'th element of the epoch: shuffled (each once), or drawn with replacement by an alias table
//   rows[k,i] = cells[k, position]         labels_out[k,i] = labels[rows[k,i]], or the replica's own labels[k,
//   rows[k,i]]
// Places from count[k] on belong to no cell: row -1, label -1. The host knows them by rows_of_step (models/sampler.h).
// The arithmetic is engine/sampling.h, bit-equal on every device.
#pragma once

#include <cstdint>

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::sample_rows {

struct Args {
  ConstTensor seed;                  // [r] i64: key of each replica
  ConstTensor step;                  // [r] i64: steps done so far, 0 or more
  std::int64_t steps_per_epoch = 0;  // 1 or more, the same for all replicas
  std::int64_t batch = 0;            // places from one step to the next, at least n; 0: n. The short last batch of an
                                     // epoch asks for fewer rows than it
  ConstTensor cells;                 // [r or 1, N] i64: rows of the data set this replica samples from
  ConstTensor count;                 // [r or 1] i64 in [0, N]: how many of them are meant; the rest is padding
  ConstTensor alias_probability;     // of the shape of cells, f32 } both: draw with replacement;
  ConstTensor alias_index;           // of the shape of cells, i32 } neither: shuffle. Tables over [0, count)
  ConstTensor labels;                // [all cells of the data set] or [r, all cells] i32, or absent
  Tensor rows;                       // [r, n] i64
  Tensor labels_out;                 // [r, n] i32; present exactly when labels are
};

// The sizes of a checked call. Strides are elements between replicas, 0 where a tensor is shared.
struct Extents {
  std::int64_t replicas, n, batch;
  std::int64_t cells_stride, count_stride, labels_stride;
};

// Throws ShapeError naming the wrong argument. Contents of `cells`, `count` and the tables are the caller's to check:
// they live on the device. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args, const Extents& e);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args, const Extents& e);
}

}  // namespace genexx::sample_rows
