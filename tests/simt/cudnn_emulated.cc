// SPDX-License-Identifier: Apache-2.0
#include "tests/simt/cudnn_emulated.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cudnn_library.h"
#include "tests/simt/execution.h"

namespace genexx::simt {
namespace {

constexpr cudnn::Status kNotSupported = 3000;
constexpr std::size_t kWorkspaceBytes = 384;

// Of any kind; a filter's n is its number of output channels.
struct Descriptor {
  enum class Kind { tensor, filter, convolution } kind = Kind::tensor;
  std::int64_t n = 0, c = 0, w = 0;
  std::int64_t padding = 0, stride = 0;
  bool is_set = false, math_is_set = false;
  std::size_t bytes() const { return static_cast<std::size_t>(n * c * w) * sizeof(float); }
};

struct Emulation {
  bool installed = false;
  InstalledCudnn::Support support = InstalledCudnn::Support::all;
  std::int64_t products = 0;
  CUstream_st* stream = nullptr;
  std::map<void*, std::unique_ptr<Descriptor>> descriptors = {};
};
Emulation& emulation() {
  static Emulation e;
  return e;
}

void expect(bool holds, const std::string& what) {
  if (!holds) throw DeviceError("emulated cuDNN: " + what);
}

template <Descriptor::Kind kind>
cudnn::Status create(void** descriptor) {
  auto made = std::make_unique<Descriptor>(Descriptor{.kind = kind});
  *descriptor = made.get();
  emulation().descriptors[*descriptor] = std::move(made);
  return cudnn::kSuccess;
}
template <Descriptor::Kind kind>
cudnn::Status destroy(void* descriptor) {
  const auto found = emulation().descriptors.find(descriptor);
  expect(found != emulation().descriptors.end() && found->second->kind == kind, "no such descriptor to destroy");
  emulation().descriptors.erase(found);
  return cudnn::kSuccess;
}
const Descriptor& as(void* descriptor, Descriptor::Kind kind, const char* name) {
  const auto* d = static_cast<const Descriptor*>(descriptor);
  expect(d && d->kind == kind && d->is_set, std::string(name) + " is no descriptor of its kind that was set");
  return *d;
}

void set_extents(Descriptor& d, int n, int c, int h, int w) {
  expect(n > 0 && c > 0 && h == 1 && w > 0, "extents are not positive, or the height is not 1");
  d.n = n;
  d.c = c;
  d.w = w;
  d.is_set = true;
}
cudnn::Status set_tensor(void* descriptor, int format, int type, int n, int c, int h, int w) {
  expect(format == 1 && type == 0, "a tensor is not f32 with channels last");
  set_extents(*static_cast<Descriptor*>(descriptor), n, c, h, w);
  return cudnn::kSuccess;
}
cudnn::Status set_filter(void* descriptor, int type, int format, int k, int c, int h, int w) {
  expect(format == 1 && type == 0, "a filter is not f32 with channels last");
  set_extents(*static_cast<Descriptor*>(descriptor), k, c, h, w);
  return cudnn::kSuccess;
}
cudnn::Status set_convolution(void* descriptor, int pad_h, int pad_w, int stride_h, int stride_w, int dilation_h,
                              int dilation_w, int mode, int compute_type) {
  expect(pad_h == 0 && stride_h == 1 && dilation_h == 1 && dilation_w == 1, "the height or a dilation is not trivial");
  expect(mode == 1 && compute_type == 0, "not a cross-correlation in f32");
  auto* d = static_cast<Descriptor*>(descriptor);
  d->padding = pad_w;
  d->stride = stride_w;
  d->is_set = true;
  return cudnn::kSuccess;
}
cudnn::Status set_math(void* descriptor, int math) {
  expect(math == 3, "a math type that rounds inputs");
  static_cast<Descriptor*>(descriptor)->math_is_set = true;
  return cudnn::kSuccess;
}

// The four descriptors of a product, checked against each other.
struct Product {
  const Descriptor &x, &w, &y, &convolution;
};
Product product(void* x, void* w, void* convolution, void* y) {
  const Product p = {as(x, Descriptor::Kind::tensor, "x"), as(w, Descriptor::Kind::filter, "w"),
                     as(y, Descriptor::Kind::tensor, "y"),
                     as(convolution, Descriptor::Kind::convolution, "convolution")};
  expect(p.convolution.math_is_set, "the math type was not set");
  expect(p.x.n == p.y.n && p.w.c == p.x.c && p.w.n == p.y.c, "descriptors do not fit each other");
  const std::int64_t windows = (p.x.w + 2 * p.convolution.padding - p.w.w) / p.convolution.stride + 1;
  expect(p.y.w == windows, "y has " + std::to_string(p.y.w) + " positions, expected " + std::to_string(windows));
  return p;
}

void expect_memory(const char* name, const void* data, const Descriptor& d) {
  expect_device_memory(name, data, d.bytes());
}
void expect_workspace(const void* workspace, std::size_t bytes) {
  expect(bytes >= kWorkspaceBytes, "the workspace is smaller than was asked for");
  expect_device_memory("cuDNN workspace", workspace, bytes);
}

// Calls term(x index, w index, y index) for every product of the convolution, channels last.
template <class Term>
void for_terms(const Descriptor& x, const Descriptor& w, const Descriptor& y, const Descriptor& convolution,
               Term term) {
  for (std::int64_t b = 0; b < y.n; ++b)
    for (std::int64_t i = 0; i < y.w; ++i)
      for (std::int64_t o = 0; o < y.c; ++o)
        for (std::int64_t t = 0; t < w.w; ++t) {
          const std::int64_t at = i * convolution.stride - convolution.padding + t;
          if (at < 0 || at >= x.w) continue;
          for (std::int64_t c = 0; c < x.c; ++c)
            term((b * x.w + at) * x.c + c, (o * w.w + t) * x.c + c, (b * y.w + i) * y.c + o);
        }
}

// out = beta out + the sums of add(sums), in double.
void store(float* out, std::int64_t count, float beta, const std::function<void(std::vector<double>&)>& add) {
  std::vector<double> sums(static_cast<std::size_t>(count), 0.0);
  add(sums);
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(sums[static_cast<std::size_t>(i)] +
                                (beta == 0 ? 0.0 : static_cast<double>(beta) * static_cast<double>(out[i])));
}

float real(const void* number) { return *static_cast<const float*>(number); }

cudnn::Status sized(const Product&, bool supported, std::size_t* bytes) {
  if (!supported) return kNotSupported;
  *bytes = kWorkspaceBytes;
  return cudnn::kSuccess;
}
bool backward_is_supported() { return emulation().support == InstalledCudnn::Support::all; }

cudnn::Status forward_bytes(void*, void* x, void* w, void* convolution, void* y, int algorithm, std::size_t* bytes) {
  expect(algorithm == 1, "another forward algorithm");
  return sized(product(x, w, convolution, y), true, bytes);
}
cudnn::Status input_gradient_bytes(void*, void* w, void* dy, void* convolution, void* dx, int algorithm,
                                   std::size_t* bytes) {
  expect(algorithm == 1, "an input gradient whose sums have no fixed order");
  return sized(product(dx, w, convolution, dy), backward_is_supported(), bytes);
}
cudnn::Status weight_gradient_bytes(void*, void* x, void* dy, void* convolution, void* dw, int algorithm,
                                    std::size_t* bytes) {
  expect(algorithm == 1, "a weight gradient whose sums have no fixed order");
  return sized(product(x, dw, convolution, dy), backward_is_supported(), bytes);
}

cudnn::Status forward(void*, const void* alpha, void* x, const void* x_data, void* w, const void* w_data,
                      void* convolution, int, void* workspace, std::size_t bytes, const void* beta, void* y,
                      void* y_data) {
  const Product p = product(x, w, convolution, y);
  expect(real(alpha) == 1 && real(beta) == 0, "forward is not an overwrite");
  expect_memory("cuDNN x", x_data, p.x);
  expect_memory("cuDNN w", w_data, p.w);
  expect_memory("cuDNN y", y_data, p.y);
  expect_workspace(workspace, bytes);
  ++emulation().products;
  give(emulation().stream, [=, dx = p.x, dw = p.w, dy = p.y, dc = p.convolution] {
    const auto *xs = static_cast<const float*>(x_data), *ws = static_cast<const float*>(w_data);
    store(static_cast<float*>(y_data), dy.n * dy.w * dy.c, 0, [&](std::vector<double>& sums) {
      for_terms(dx, dw, dy, dc, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
        sums[static_cast<std::size_t>(k)] += static_cast<double>(xs[i]) * static_cast<double>(ws[j]);
      });
    });
  });
  return cudnn::kSuccess;
}

cudnn::Status input_gradient(void*, const void* alpha, void* w, const void* w_data, void* dy, const void* dy_data,
                             void* convolution, int, void* workspace, std::size_t bytes, const void* beta, void* dx,
                             void* dx_data) {
  const Product p = product(dx, w, convolution, dy);
  expect(real(alpha) == 1, "alpha is not 1");
  expect_memory("cuDNN dx", dx_data, p.x);
  expect_memory("cuDNN w", w_data, p.w);
  expect_memory("cuDNN dy", dy_data, p.y);
  expect_workspace(workspace, bytes);
  ++emulation().products;
  give(emulation().stream, [=, own = real(beta), of_x = p.x, of_w = p.w, of_y = p.y, of_c = p.convolution] {
    const auto *ws = static_cast<const float*>(w_data), *ys = static_cast<const float*>(dy_data);
    store(static_cast<float*>(dx_data), of_x.n * of_x.w * of_x.c, own, [&](std::vector<double>& sums) {
      for_terms(of_x, of_w, of_y, of_c, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
        sums[static_cast<std::size_t>(i)] += static_cast<double>(ws[j]) * static_cast<double>(ys[k]);
      });
    });
  });
  return cudnn::kSuccess;
}

cudnn::Status weight_gradient(void*, const void* alpha, void* x, const void* x_data, void* dy, const void* dy_data,
                              void* convolution, int, void* workspace, std::size_t bytes, const void* beta, void* dw,
                              void* dw_data) {
  const Product p = product(x, dw, convolution, dy);
  expect(real(alpha) == 1, "alpha is not 1");
  expect_memory("cuDNN x", x_data, p.x);
  expect_memory("cuDNN dw", dw_data, p.w);
  expect_memory("cuDNN dy", dy_data, p.y);
  expect_workspace(workspace, bytes);
  ++emulation().products;
  give(emulation().stream, [=, own = real(beta), of_x = p.x, of_w = p.w, of_y = p.y, of_c = p.convolution] {
    const auto *xs = static_cast<const float*>(x_data), *ys = static_cast<const float*>(dy_data);
    store(static_cast<float*>(dw_data), of_w.n * of_w.w * of_w.c, own, [&](std::vector<double>& sums) {
      for_terms(of_x, of_w, of_y, of_c, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
        sums[static_cast<std::size_t>(j)] += static_cast<double>(xs[i]) * static_cast<double>(ys[k]);
      });
    });
  });
  return cudnn::kSuccess;
}

// Of a bias: one row, repeated.
cudnn::Status add(void*, const void* alpha, void* a, const void* a_data, const void* beta, void* c, void* c_data) {
  const Descriptor &of_a = as(a, Descriptor::Kind::tensor, "a"), &of_c = as(c, Descriptor::Kind::tensor, "c");
  expect(of_a.n == 1 && of_a.w == 1 && of_a.c == of_c.c && real(alpha) == 1 && real(beta) == 1,
         "not a bias that is added");
  expect_memory("cuDNN a", a_data, of_a);
  expect_memory("cuDNN c", c_data, of_c);
  give(emulation().stream, [=, own = of_c] {
    const auto* from = static_cast<const float*>(a_data);
    auto* to = static_cast<float*>(c_data);
    for (std::int64_t i = 0; i < own.n * own.w * own.c; ++i) to[i] += from[i % own.c];
  });
  return cudnn::kSuccess;
}

}  // namespace

InstalledCudnn::InstalledCudnn(Support support) {
  emulation() = Emulation();
  emulation().installed = true;
  emulation().support = support;
}
InstalledCudnn::~InstalledCudnn() { emulation().installed = false; }
std::int64_t InstalledCudnn::products() const { return emulation().products; }
std::int64_t InstalledCudnn::descriptors() const { return static_cast<std::int64_t>(emulation().descriptors.size()); }

}  // namespace genexx::simt

namespace genexx::cudnn {

std::unique_ptr<const Library> open_library() {
  using Kind = simt::Descriptor::Kind;
  if (!simt::emulation().installed) return nullptr;
  auto l = std::make_unique<Library>();
  l->create = [](void** handle) {
    *handle = &simt::emulation();
    return kSuccess;
  };
  l->destroy = [](void*) { return kSuccess; };
  l->set_stream = [](void*, CUstream_st* stream) {
    simt::emulation().stream = stream;
    return kSuccess;
  };
  l->error_text = [](Status) { return "an error of the stand-in"; };
  l->create_tensor = simt::create<Kind::tensor>;
  l->set_tensor = simt::set_tensor;
  l->destroy_tensor = simt::destroy<Kind::tensor>;
  l->create_filter = simt::create<Kind::filter>;
  l->set_filter = simt::set_filter;
  l->destroy_filter = simt::destroy<Kind::filter>;
  l->create_convolution = simt::create<Kind::convolution>;
  l->set_convolution = simt::set_convolution;
  l->set_math = simt::set_math;
  l->destroy_convolution = simt::destroy<Kind::convolution>;
  l->forward_bytes = simt::forward_bytes;
  l->input_gradient_bytes = simt::input_gradient_bytes;
  l->weight_gradient_bytes = simt::weight_gradient_bytes;
  l->add = simt::add;
  l->forward = simt::forward;
  l->input_gradient = simt::input_gradient;
  l->weight_gradient = simt::weight_gradient;
  return l;
}

}  // namespace genexx::cudnn
