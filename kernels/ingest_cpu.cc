// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/ingest.h"
#include "kernels/stored_row.h"

namespace genexx::ingest::cpu {
namespace {

constexpr std::int64_t kRowsPerTask = 8;

template <class T>
T limited(T x, T clip) {
  if (clip == 0) return x;
  return x > clip ? clip : x < -clip ? -clip : x;
}

// The scaling of one replica: null where absent.
template <class T>
struct Scaling {
  const T* shift;
  const T* factor;
  T clip;

  T operator()(T x, std::int64_t gene) const {
    if (factor && factor[gene] == 0) return 0;
    if (shift) x -= shift[gene];
    if (factor) x *= factor[gene];
    return limited(x, clip);
  }
};

template <class T>
void scatter_row(const Args& args, const Scaling<T>& scaling, const StoredRow& row, T row_factor, T* out) {
  const std::int32_t* gene_of_column = args.gene_of_column ? args.gene_of_column.as<std::int32_t>() : nullptr;
  for (std::int64_t i = 0; i < row.count; ++i) {
    const std::int64_t column = row.column_of(i);
    const std::int64_t gene = gene_of_column ? gene_of_column[column] : column;
    if (gene < 0) continue;
    out[gene] = scaling(transformed(args.transform, static_cast<T>(row.value[i]) * row_factor), gene);
  }
}

// Whether every gene of a row is in the same place of `data`, so that nothing has to be looked up.
bool whole_rows(const Args& args) {
  return args.data.dense && !args.gene_of_column && args.transform == ValueTransform::none && args.clip == 0;
}

// One such row; the same numbers as scatter_row's.
template <class T>
void scale_row(const Scaling<T>& scaling, const StoredRow& row, T row_factor, T* out) {
  const T* const shift = scaling.shift;
  const T* const factor = scaling.factor;
  for (std::int64_t j = 0; j < row.count; ++j) {
    T x = static_cast<T>(row.value[j]) * row_factor;
    if (shift) x -= shift[j];
    if (factor) x = factor[j] == 0 ? T{0} : x * factor[j];
    out[j] = x;
  }
}

template <class T>
Scaling<T> scaling_of(const Args& args, const Extents& e, std::int64_t replica) {
  return {args.shift ? args.shift.as<T>() + replica * e.shift_stride : nullptr,
          args.factor ? args.factor.as<T>() + replica * e.factor_stride : nullptr, static_cast<T>(args.clip)};
}

// What a row without stored values becomes, for each distinct scaling: most of a batch, computed once.
template <class T>
struct ZeroImage {
  T* values = nullptr;      // null: all zero
  std::int64_t stride = 0;  // between replicas
};

template <class T>
ZeroImage<T> zero_image(CpuContext& ctx, ScratchFrame& frame, const Args& args, const Extents& e) {
  ZeroImage<T> image;
  if (!args.shift || whole_rows(args)) return image;
  image.stride = e.shift_stride != 0 || e.factor_stride != 0 ? e.genes : 0;
  const std::int64_t images = image.stride != 0 ? e.replicas : 1;
  image.values = frame.take<T>(images * e.genes);
  ctx.parallel(images, [&](std::int64_t replica) {
    const Scaling<T> scaling = scaling_of<T>(args, e, replica);
    for (std::int64_t j = 0; j < e.genes; ++j) image.values[replica * e.genes + j] = scaling(T{0}, j);
  });
  return image;
}

template <class T>
void run_typed(CpuContext& ctx, const Args& args, const Extents& e) {
  ScratchFrame frame(ctx);
  const ZeroImage<T> image = zero_image<T>(ctx, frame, args, e);
  const std::int64_t parts = (e.n + kRowsPerTask - 1) / kRowsPerTask;
  ctx.parallel(e.replicas * parts, [&](std::int64_t task) {
    const std::int64_t replica = task / parts;
    const std::int64_t begin = task % parts * kRowsPerTask, end = std::min(e.n, begin + kRowsPerTask);
    const Scaling<T> scaling = scaling_of<T>(args, e, replica);
    const std::int64_t* rows = args.rows.as<std::int64_t>() + replica * e.rows_stride;
    const float* factors = args.row_factor ? args.row_factor.as<float>() + replica * e.row_factor_stride : nullptr;
    for (std::int64_t i = begin; i < end; ++i) {
      T* out = args.out.as<T>() + (replica * e.n + i) * e.genes;
      const T row_factor = factors && rows[i] >= 0 ? static_cast<T>(factors[rows[i]]) : T{1};
      if (rows[i] >= 0 && whole_rows(args)) {
        scale_row(scaling, stored_row(args.data, rows[i]), row_factor, out);
        continue;
      }
      if (rows[i] < 0 || !image.values) {
        std::fill_n(out, e.genes, T{0});
      } else {
        std::copy_n(image.values + replica * image.stride, e.genes, out);
      }
      if (rows[i] < 0) continue;
      scatter_row(args, scaling, stored_row(args.data, rows[i]), row_factor, out);
    }
  });
}

}  // namespace

void run(CpuContext& ctx, const Args& args, const Extents& e) {
  on_float(args.out.dtype, [&](auto zero) { run_typed<decltype(zero)>(ctx, args, e); });
}

}  // namespace genexx::ingest::cpu
