// SPDX-License-Identifier: Apache-2.0
// cuDNN's batch norm of [batch, columns], forward and backward, L2 cold: what kernels/batch_norm.h is measured against.
#include <cudnn.h>

#include <memory>

#include "bench/device/timing.h"

namespace {

using namespace genexx::bench::device;

void check_dnn(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", what, cudnnGetErrorString(status));
  std::exit(1);
}

void measure(cudnnHandle_t handle, int batch, int columns) {
  const std::int64_t elements = std::int64_t{batch} * columns;
  const int sets = cold_sets(8 * elements);
  const Memory x(sets * 4 * elements), y(sets * 4 * elements), dx(sets * 4 * elements), vectors(8 * 4 * columns);
  const auto vector = [&](int i) { return static_cast<float*>(vectors.data()) + std::int64_t{i} * columns; };
  const auto of = [&](const Memory& m, int set) { return static_cast<float*>(m.data()) + set * elements; };
  cudnnTensorDescriptor_t data = nullptr, parameters = nullptr;
  check_dnn(cudnnCreateTensorDescriptor(&data), "cudnnCreateTensorDescriptor");
  check_dnn(cudnnCreateTensorDescriptor(&parameters), "cudnnCreateTensorDescriptor");
  check_dnn(cudnnSetTensor4dDescriptor(data, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, batch, columns, 1, 1), "descriptor");
  check_dnn(cudnnDeriveBNTensorDescriptor(parameters, data, CUDNN_BATCHNORM_PER_ACTIVATION), "descriptor");
  const float one = 1, zero = 0;
  const auto forward = [&](int set, cudaStream_t stream) {
    check_dnn(cudnnSetStream(handle, stream), "cudnnSetStream");
    check_dnn(cudnnBatchNormalizationForwardTraining(handle, CUDNN_BATCHNORM_PER_ACTIVATION, &one, &zero, data,
                                                     of(x, set), data, of(y, set), parameters, vector(0), vector(1),
                                                     0.1, vector(2), vector(3), 1e-5, vector(4), vector(5)),
              "cudnnBatchNormalizationForwardTraining");
  };
  const auto backward = [&](int set, cudaStream_t stream) {
    check_dnn(cudnnSetStream(handle, stream), "cudnnSetStream");
    check_dnn(cudnnBatchNormalizationBackward(handle, CUDNN_BATCHNORM_PER_ACTIVATION, &one, &zero, &one, &zero, data,
                                              of(x, set), data, of(y, set), data, of(dx, set), parameters, vector(0),
                                              vector(6), vector(7), 1e-5, vector(4), vector(5)),
              "cudnnBatchNormalizationBackward");
  };
  const std::string shape = std::to_string(batch) + " x " + std::to_string(columns);
  const double megabytes = 1e-6 * 4 * static_cast<double>(elements);
  const Spread f = time_launches(forward, sets);
  print("batch_norm_cudnn", shape + " forward", f, {{"gb_per_s", 1e3 * 2 * megabytes / f.median_us}});
  const Spread b = time_launches(backward, sets);
  print("batch_norm_cudnn", shape + " backward", b, {{"gb_per_s", 1e3 * 3 * megabytes / b.median_us}});
  check_dnn(cudnnDestroyTensorDescriptor(data), "cudnnDestroyTensorDescriptor");
  check_dnn(cudnnDestroyTensorDescriptor(parameters), "cudnnDestroyTensorDescriptor");
}

}  // namespace

int main() {
  cudnnHandle_t handle = nullptr;
  check_dnn(cudnnCreate(&handle), "cudnnCreate");
  for (const int batch : {128, 256, 512})
    for (const int columns : {500, 8192}) measure(handle, batch, columns);
  check_dnn(cudnnDestroy(handle), "cudnnDestroy");
  return 0;
}
