// SPDX-License-Identifier: Apache-2.0
// cuBLASLt at the shapes of the four systems, L2 cold: what the best of several algorithms gains over the first, and
// for each epilogue whether it exists and whether it is faster than the product followed by a kernel of its own.
#include "bench/device/blas_lt.h"

namespace {

using namespace genexx::bench::device;

constexpr unsigned kThreads = 256;

// What the epilogues of a forward pass do, behind the product: bias along the rows of D, and ReLU.
__global__ void __launch_bounds__(kThreads)
    finish_kernel(float* d, const float* __restrict__ bias, std::int64_t m, std::int64_t n, bool relu) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < m * n;
       i += std::int64_t{gridDim.x} * kThreads) {
    const float y = d[i] + bias[i % m];
    d[i] = relu ? fmaxf(y, 0.0f) : y;
  }
}

// What those of a backward pass do: sums along the columns of D[m, n] (m rows lie side by side).
__global__ void __launch_bounds__(kThreads)
    sum_kernel(const float* __restrict__ d, float* sums, std::int64_t m, std::int64_t n) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (row >= m) return;
  float sum = 0;
  for (std::int64_t j = 0; j < n; ++j) sum += d[j * m + row];
  sums[row] = sum;
}

struct Layer {
  const char* system;
  std::int64_t batch, out, in;
};

constexpr Layer kLayers[] = {
    {"D-GEX", 200, 3000, 943},     {"D-GEX", 200, 9000, 943},     {"D-GEX", 200, 3000, 3000},
    {"D-GEX", 200, 6000, 6000},    {"D-GEX", 200, 9000, 9000},    {"D-GEX", 200, 4760, 3000},
    {"D-GEX", 200, 4760, 9000},    {"fly", 128, 8192, 17000},     {"fly", 256, 8192, 17000},
    {"fly", 512, 8192, 17000},     {"fly", 128, 8192, 8192},      {"fly", 256, 8192, 8192},
    {"fly", 512, 8192, 8192},      {"fly", 256, 59, 8192},        {"TransBrain", 256, 500, 4542},
    {"TransBrain", 256, 500, 500}, {"TransBrain", 256, 105, 500}, {"scAnnoNet", 256, 128, 2000},
    {"scAnnoNet", 256, 64, 128}};

std::string text(const Layer& l, const char* pass) {
  return std::string(l.system) + " " + pass + " n=" + std::to_string(l.batch) + " (" + std::to_string(l.out) + "," +
         std::to_string(l.in) + ")";
}

// Row-major y = x W^T is column-major y' = W'^T x', and so on: weights are operand A, the batch is on the n side.
std::vector<Product> products_of(const Layer& l, Class precision) {
  return {{text(l, "forward"), l.out, l.batch, l.in, CUBLAS_OP_T, CUBLAS_OP_N, precision},
          {text(l, "input gradient"), l.in, l.batch, l.out, CUBLAS_OP_N, CUBLAS_OP_N, precision},
          {text(l, "weight gradient"), l.in, l.out, l.batch, CUBLAS_OP_N, CUBLAS_OP_T, precision}};
}

// The best of up to `most` algorithms: their time, and that of the first.
struct Choice {
  Spread first, best;
  cublasLtMatmulAlgo_t algorithm{};
  int tried = 0;
};

Choice choose(const Plan& plan, int most) {
  Choice choice;
  const Algorithms all = plan.algorithms(most);
  for (int i = 0; i < all.count; ++i) {
    const cublasLtMatmulAlgo_t& algorithm = all.found[i].algo;
    if (!plan.run(algorithm, 0, nullptr)) continue;
    const Spread time = time_launches([&](int set, cudaStream_t s) { plan.run(algorithm, set, s); }, plan.sets());
    if (choice.tried++ == 0) choice.first = time;
    if (choice.tried == 1 || time.median_us < choice.best.median_us) {
      choice.best = time;
      choice.algorithm = algorithm;
    }
  }
  return choice;
}

void epilogue(cublasLtHandle_t handle, Product product, const char* name, cublasLtEpilogue_t kind, const Choice& plain,
              int most) {
  const std::string what = product.name + " " + name_of(product.precision) + " " + name;
  const int sets = cold_sets(product.bytes());
  product.epilogue = kind;
  const Plan fused(handle, product, sets);
  const Choice choice = choose(fused, most);
  if (choice.tried == 0) return print_missing("epilogues", what, "cuBLASLt has no algorithm for it");
  product.epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const Plan separate(handle, product, sets);
  const Memory bias(4 * std::max(product.m, product.n));
  auto* values = static_cast<float*>(bias.data());
  const bool sums = kind == CUBLASLT_EPILOGUE_DRELU_BGRAD || kind == CUBLASLT_EPILOGUE_BGRADB;
  const bool relu = kind == CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
  const auto blocks =
      static_cast<unsigned>(std::min<std::int64_t>(1024, (product.m * product.n + kThreads - 1) / kThreads));
  const auto rows = static_cast<unsigned>((product.m + kThreads - 1) / kThreads);
  const Spread two = time_launches(
      [&](int set, cudaStream_t s) {
        separate.run(plain.algorithm, set, s);
        auto* d = static_cast<float*>(separate.result(set));
        if (sums) {
          sum_kernel<<<rows, kThreads, 0, s>>>(d, values, product.m, product.n);
        } else {
          finish_kernel<<<blocks, kThreads, 0, s>>>(d, values, product.m, product.n, relu);
        }
      },
      sets);
  print("epilogues", what, choice.best,
        {{"product_us", plain.best.median_us}, {"product_and_kernel_us", two.median_us}, {"tried", choice.tried}});
}

}  // namespace

int main(int count, char** words) {
  const int most = count > 1 ? std::atoi(words[1]) : 8;  // algorithms to try; 64 takes many minutes
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "cublasLtCreate");
  for (const Class precision : {Class::tf32, Class::bf16, Class::fp32}) {
    for (const Layer& layer : kLayers) {
      const std::vector<Product> products = products_of(layer, precision);
      std::vector<Choice> plain;
      for (const Product& product : products) {
        const Plan plan(handle, product, cold_sets(product.bytes()));
        plain.push_back(choose(plan, most));
        const Choice& c = plain.back();
        print("gemm", product.name + " " + name_of(precision), c.best,
              {{"first_us", c.first.median_us},
               {"tried", c.tried},
               {"tflop_per_s", 1e-6 * product.flop() / c.best.median_us},
               {"gb_per_s", 1e-3 * static_cast<double>(product.bytes()) / c.best.median_us}});
      }
      epilogue(handle, products[0], "BIAS", CUBLASLT_EPILOGUE_BIAS, plain[0], most);
      epilogue(handle, products[0], "RELU_AUX_BIAS", CUBLASLT_EPILOGUE_RELU_AUX_BIAS, plain[0], most);
      epilogue(handle, products[1], "DRELU_BGRAD", CUBLASLT_EPILOGUE_DRELU_BGRAD, plain[1], most);
      epilogue(handle, products[2], "BGRADB", CUBLASLT_EPILOGUE_BGRADB, plain[2], most);
    }
  }
  check(cublasLtDestroy(handle), "cublasLtDestroy");
  return 0;
}
