// SPDX-License-Identifier: Apache-2.0
// The loops themselves, included once into the namespace of each instruction set. Nothing here may use a std template
// or an inline function from elsewhere: it would be compiled for this set under a name the other sets share.

// ---- vectors ----------------------------------------------------------------------------------------------------

typedef float FloatVector __attribute__((vector_size(kVectorBytes)));
typedef double DoubleVector __attribute__((vector_size(kVectorBytes)));
typedef std::int32_t IntVector __attribute__((vector_size(kVectorBytes)));
typedef float LooseFloatVector __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
typedef double LooseDoubleVector __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  using Type = FloatVector;
  using Loose = LooseFloatVector;
};
template <>
struct VectorOf<double> {
  using Type = DoubleVector;
  using Loose = LooseDoubleVector;
};
template <class T>
using Vector = typename VectorOf<T>::Type;
template <class T>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class T>
static inline Vector<T> load(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::Loose*>(p);
}
template <class T>
static inline void store(T* p, Vector<T> v) {
  *reinterpret_cast<typename VectorOf<T>::Loose*>(p) = v;
}
template <class T>
static inline Vector<T> broadcast(T x) {
  return x - Vector<T>{};
}

#include "kernels/simd/simd_gemm.inl"

// ---- elementary functions -------------------------------------------------------------------------------------------
// float: range reduction and polynomials of the Cephes library (S. Moshier, expf.c, tanhf.c), within 2 ulp.
// double: the C library, since double serves proofs, not speed.

static inline FloatVector choose(IntVector mask, FloatVector yes, FloatVector no) {
  return (FloatVector)((mask & (IntVector)yes) | (~mask & (IntVector)no));
}

static inline FloatVector exp_vector(FloatVector x) {
  const FloatVector high = broadcast(88.3762626647949f);
  const FloatVector low = broadcast(-87.3365447504019f);
  const IntVector is_nan = (IntVector)(x != x);
  const FloatVector original = x;
  x = choose((IntVector)(x < high), x, high);
  x = choose((IntVector)(x > low), x, low);
  const FloatVector magic = broadcast(12582912.0f);  // 1.5 * 2^23: adding and taking away rounds to an integer
  const FloatVector n = (x * 1.44269504088896341f + magic) - magic;
  x = x - n * 0.693359375f;
  x = x - n * -2.12194440e-4f;
  FloatVector p = broadcast(1.9875691500e-4f);
  p = p * x + 1.3981999507e-3f;
  p = p * x + 8.3334519073e-3f;
  p = p * x + 4.1665795894e-2f;
  p = p * x + 1.6666665459e-1f;
  p = p * x + 5.0000001201e-1f;
  p = p * x * x + x + 1.0f;
  const IntVector scale = (__builtin_convertvector(n, IntVector) + 127) << 23;
  return choose(is_nan, original, p * (FloatVector)scale);
}

static inline FloatVector tanh_vector(FloatVector x) {
  const FloatVector magnitude = (FloatVector)((IntVector)x & 0x7fffffff);
  const FloatVector z = x * x;
  FloatVector p = broadcast(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const FloatVector small = p * z * x + x;
  const FloatVector large = 1.0f - 2.0f / (exp_vector(magnitude + magnitude) + 1.0f);
  const FloatVector signed_large = (FloatVector)((IntVector)large | ((IntVector)x & (IntVector)broadcast(-0.0f)));
  return choose((IntVector)(magnitude < 0.625f), small, signed_large);
}

static inline FloatVector sigmoid_vector(FloatVector x) { return 1.0f / (1.0f + exp_vector(-x)); }

static inline FloatVector relu_vector(FloatVector x) {
  return choose((IntVector)(x < 0.0f), FloatVector{}, x);  // NaN stays NaN
}

template <FloatVector (*kFunction)(FloatVector)>
static void each(std::int64_t n, const float* x, float* y) {
  std::int64_t i = 0;
  for (; i + kLanes<float> <= n; i += kLanes<float>) store(y + i, kFunction(load(x + i)));
  if (i == n) return;
  FloatVector tail = {};
  for (std::int64_t j = 0; i + j < n; ++j) tail[j] = x[i + j];
  tail = kFunction(tail);
  for (std::int64_t j = 0; i + j < n; ++j) y[i + j] = tail[j];
}

static void tanh_double(std::int64_t n, const double* x, double* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = __builtin_tanh(x[i]);
}
static void sigmoid_double(std::int64_t n, const double* x, double* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = 1.0 / (1.0 + __builtin_exp(-x[i]));
}
static void relu_double(std::int64_t n, const double* x, double* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

// ---- dropout ----------------------------------------------------------------------------------------------------------

typedef std::uint32_t WordVector __attribute__((vector_size(kVectorBytes)));
typedef std::uint64_t WideVector __attribute__((vector_size(kVectorBytes)));

constexpr int kPhiloxLanes = kVectorBytes / 4;  // counters worked on at once, one in each lane
constexpr int kDrawnUnits = 4 * kPhiloxLanes;   // words they give

// The halves of the 64-bit products of each lane and `factor`.
struct Product {
  WordVector high, low;
};

static inline Product multiply(WordVector a, std::uint32_t factor) {
  const WideVector factors = WideVector{} + factor, low_half = WideVector{} + 0xFFFFFFFFu;
  const WideVector even = (WideVector)multiply_even((Wide)a, (Wide)factors);
  const WideVector odd = (WideVector)multiply_even((Wide)((WideVector)a >> 32), (Wide)factors);
  return {(WordVector)((even >> 32) | (odd & ~low_half)), (WordVector)((even & low_half) | (odd << 32))};
}

// The words of philox for counters {first + i, row, step_lo, step_hi} with i < kPhiloxLanes, those of one counter side by
// side; the same numbers as engine/philox.h. Lanes are dealt out so that transposing 4 x 4 words within each 16 bytes
// leaves all words in order: of G groups of four lanes, lane 4 q + j holds counter first + q + G j.
static inline void philox_words(const DropoutRow& d, std::uint32_t first, std::uint32_t (&word)[kDrawnUnits]) {
  constexpr int kGroups = kPhiloxLanes / 4;
  WordVector x = {};
  for (int lane = 0; lane < kPhiloxLanes; ++lane)
    x[lane] = static_cast<std::uint32_t>(lane / 4 + kGroups * (lane % 4));
  x += first;
  WordVector y = WordVector{} + d.row, z = WordVector{} + d.step_lo, w = WordVector{} + d.step_hi;
  std::uint32_t key_lo = d.key_lo, key_hi = d.key_hi;
  for (int round = 0; round < 10; ++round) {
    const Product p0 = multiply(x, 0xD2511F53u), p1 = multiply(z, 0xCD9E8D57u);
    x = p1.high ^ y ^ key_lo;
    y = p1.low;
    z = p0.high ^ w ^ key_hi;
    w = p0.low;
    key_lo += 0x9E3779B9u;
    key_hi += 0xBB67AE85u;
  }
  const Wide xy_low = interleave_low_32((Wide)x, (Wide)y), xy_high = interleave_high_32((Wide)x, (Wide)y);
  const Wide zw_low = interleave_low_32((Wide)z, (Wide)w), zw_high = interleave_high_32((Wide)z, (Wide)w);
  const Wide in_order[4] = {interleave_low_64(xy_low, zw_low), interleave_high_64(xy_low, zw_low),
                            interleave_low_64(xy_high, zw_high), interleave_high_64(xy_high, zw_high)};
  __builtin_memcpy(word, in_order, sizeof word);
}

// One unit.
template <class T>
static inline void drop(const DropoutRow& d, std::uint32_t word, T scale, const T* x, T* y) {
  const T value = word >= d.threshold ? *x * scale : T{0};
  *y = d.accumulate ? *y + value : value;
}

// A whole group of units; x may be y.
static inline void drop_group(const DropoutRow& d, const std::uint32_t* word, float scale, const float* x, float* y) {
  for (int i = 0; i < kDrawnUnits; i += kPhiloxLanes) {
    WordVector words;
    __builtin_memcpy(&words, word + i, sizeof words);
    const IntVector kept = (IntVector)(words >= d.threshold);
    FloatVector value = (FloatVector)((IntVector)(load(x + i) * scale) & kept);
    if (d.accumulate) value += load(y + i);
    store(y + i, value);
  }
}

static inline void drop_group(const DropoutRow& d, const std::uint32_t* word, double scale, const double* x, double* y) {
  for (int i = 0; i < kDrawnUnits; ++i) drop(d, word[i], scale, x + i, y + i);
}

template <class T>
static void dropout(const DropoutRow& d, T scale, const T* x, T* y) {
  std::uint32_t word[kDrawnUnits];
  std::int64_t u = 0;
  for (; u + kDrawnUnits <= d.units; u += kDrawnUnits) {
    philox_words(d, d.first + static_cast<std::uint32_t>(u / 4), word);
    drop_group(d, word, scale, x + u, y + u);
  }
  if (u == d.units) return;
  philox_words(d, d.first + static_cast<std::uint32_t>(u / 4), word);
  for (std::int64_t i = 0; u + i < d.units; ++i) drop(d, word[i], scale, x + u + i, y + u + i);
}

// ---- optimizers -------------------------------------------------------------------------------------------------------

template <class T>
static inline T square_root(T x);
template <>
inline float square_root<float>(float x) {
  return __builtin_sqrtf(x);
}
template <>
inline double square_root<double>(double x) {
  return __builtin_sqrt(x);
}

template <class T>
static void adam(const AdamRun<T>& a) {
  T* __restrict__ weight = a.weight;
  T* __restrict__ m = a.m;
  T* __restrict__ v = a.v;
  const T* __restrict__ gradient = a.gradient;
  const T step = a.lr / a.correction1;
  const T root = square_root(a.correction2);
  const T keep = T{1} - a.lr * a.decoupled_decay;
  for (std::int64_t i = 0; i < a.n; ++i) {
    const T w = weight[i] * keep;
    const T g = gradient[i] + a.coupled_decay * weight[i];
    const T first = a.beta1 * m[i] + a.rest1 * g;
    const T second = a.beta2 * v[i] + a.rest2 * g * g;
    m[i] = first;
    v[i] = second;
    weight[i] = w - step * first / (square_root(second) / root + a.eps);
  }
}

template <class T>
static void sgd(const SgdRun<T>& s) {
  T* __restrict__ weight = s.weight;
  T* __restrict__ velocity = s.velocity;
  const T* __restrict__ gradient = s.gradient;
  for (std::int64_t i = 0; i < s.n; ++i) {
    const T g = gradient[i] + s.decay * weight[i];
    const T moved = s.momentum * velocity[i] - s.lr * g;
    velocity[i] = moved;
    weight[i] += moved;
  }
}

template <class T>
static void add_rows(std::int64_t rows, std::int64_t columns, const T* x, std::int64_t ldx, T* y) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) y[j] += x[i * ldx + j];
}

// ---- distances --------------------------------------------------------------------------------------------------------

template <class T>
static inline void distance_gradient(const DistanceRun<T>& d, std::int64_t i) {
  T value = d.factor * (d.x[i] - d.target[i]);
  if (d.mask) value *= d.mask[i];
  d.gradient[i] = d.accumulate ? d.gradient[i] + value : value;
}

// One number's share of the sum.
template <class T>
static inline double distance_term(const DistanceRun<T>& d, std::int64_t i) {
  const double difference = static_cast<double>(d.x[i]) - static_cast<double>(d.target[i]);
  return (d.mask ? static_cast<double>(d.mask[i]) : 1.0) * difference * difference;
}

template <class T>
static double distance(const DistanceRun<T>& d) {
  if (d.gradient)
    for (std::int64_t i = 0; i < d.n; ++i) distance_gradient(d, i);
  constexpr int kSums = 32;
  double sum[kSums] = {};
  std::int64_t i = 0;
  for (; i + kSums <= d.n; i += kSums)
    for (int l = 0; l < kSums; ++l) sum[l] += distance_term(d, i + l);
  for (int l = 0; i < d.n; ++i, ++l) sum[l] += distance_term(d, i);
  for (int width = kSums / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) sum[l] += sum[l + width];
  return sum[0];
}

#include "kernels/simd/simd_sparse.inl"

// ---- tables -----------------------------------------------------------------------------------------------------------

const Table<float>& float_table();
const Table<double>& double_table();

const Table<float>& float_table() {
  static const Table<float> t = {kGemmRows, kPanel<float>, kRows * kDepth + kDepth * kColumns,
                                 gemm<float>, each<tanh_vector>, each<sigmoid_vector>, each<relu_vector>, dropout<float>,
                                 adam<float>, sgd<float>, add_rows<float>, distance<float>,
                                 kTile<float>, kTurnedGenes * kTile<float>, sparse_forward<float>, sparse_gradient<float>};
  return t;
}

const Table<double>& double_table() {
  static const Table<double> t = {kGemmRows, kPanel<double>, kRows * kDepth + kDepth * kColumns,
                                  gemm<double>, tanh_double, sigmoid_double, relu_double, dropout<double>,
                                  adam<double>, sgd<double>, add_rows<double>, distance<double>,
                                  kTile<double>, kTurnedGenes * kTile<double>, sparse_forward<double>, sparse_gradient<double>};
  return t;
}
