// SPDX-License-Identifier: Apache-2.0
// CUDA's own names for g++ and clang++: what a kernel of kernels/*_cuda.cu may use, with the meaning the CUDA C++
// Programming Guide (13.0, chapter "C++ Language Extensions") gives it. Included by kernels/launch.h when GENEXX_SIMT
// is defined; no CUDA toolkit is needed, and one that is there is not looked at, so that every machine emulates the
// same. The rules that are checked, and how they are reported: execution.h. Approximate intrinsics (__expf, rsqrtf) are
// exact here and differ from a device in the last places.
#pragma once

#include <math.h>

#include <bit>
#include <cstdint>
#include <type_traits>

#include "tests/simt/execution.h"

// ------------------------------------------------------------------------------------------------------- keywords --
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
#define __grid_constant__

inline constexpr int warpSize = 32;

// --------------------------------------------------------------------------------------------------- vector types --
struct float2 {
  alignas(8) float x;
  float y;
};
struct float3 {
  float x, y, z;
};
struct float4 {
  alignas(16) float x;
  float y, z, w;
};
struct double2 {
  alignas(16) double x;
  double y;
};
struct double4 {
  alignas(16) double x;
  double y, z, w;
};
struct int2 {
  alignas(8) int x;
  int y;
};
struct int3 {
  int x, y, z;
};
struct int4 {
  alignas(16) int x;
  int y, z, w;
};
struct uint2 {
  alignas(8) unsigned x;
  unsigned y;
};
struct uint4 {
  alignas(16) unsigned x;
  unsigned y, z, w;
};
struct longlong2 {
  alignas(16) long long x;
  long long y;
};
struct ulonglong2 {
  alignas(16) unsigned long long x;
  unsigned long long y;
};
struct ushort2 {
  alignas(4) unsigned short x;
  unsigned short y;
};
struct ushort4 {
  alignas(8) unsigned short x;
  unsigned short y, z, w;
};
struct uchar4 {
  alignas(4) unsigned char x;
  unsigned char y, z, w;
};

constexpr float2 make_float2(float x, float y) { return {x, y}; }
constexpr float3 make_float3(float x, float y, float z) { return {x, y, z}; }
constexpr float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
constexpr double2 make_double2(double x, double y) { return {x, y}; }
constexpr double4 make_double4(double x, double y, double z, double w) { return {x, y, z, w}; }
constexpr int2 make_int2(int x, int y) { return {x, y}; }
constexpr int3 make_int3(int x, int y, int z) { return {x, y, z}; }
constexpr int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
constexpr uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
constexpr uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
constexpr uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
constexpr longlong2 make_longlong2(long long x, long long y) { return {x, y}; }
constexpr ulonglong2 make_ulonglong2(unsigned long long x, unsigned long long y) { return {x, y}; }
constexpr ushort2 make_ushort2(unsigned short x, unsigned short y) { return {x, y}; }
constexpr ushort4 make_ushort4(unsigned short x, unsigned short y, unsigned short z, unsigned short w) {
  return {x, y, z, w};
}
constexpr uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) {
  return {x, y, z, w};
}

// ------------------------------------------------------------------------------------------- barriers and fences --
inline void __syncthreads(genexx::CodeLocation at = genexx::CodeLocation::here()) {
  genexx::simt::block_barrier("__syncthreads", 0, at);
}
inline int __syncthreads_or(int predicate, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::block_barrier("__syncthreads_or", predicate, at).any;
}
inline int __syncthreads_and(int predicate, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::block_barrier("__syncthreads_and", predicate, at).all;
}
inline int __syncthreads_count(int predicate, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::block_barrier("__syncthreads_count", predicate, at).count;
}
inline void __threadfence() { genexx::simt::memory_fence(); }
inline void __threadfence_block() { genexx::simt::memory_fence(); }

// ----------------------------------------------------------------------------------------------------------- warps --
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  genexx::simt::warp_barrier({"__syncwarp", mask, at});
}
inline unsigned __ballot_sync(unsigned mask, int predicate, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::warp_ballot({"__ballot_sync", mask, at}, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::warp_ballot({"__any_sync", mask, at}, predicate != 0) != 0;
}
inline int __all_sync(unsigned mask, int predicate, genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::warp_ballot({"__all_sync", mask, at}, predicate == 0) == 0;
}

namespace genexx::simt {

template <class T>
T shuffle(const WarpOperation& operation, int source, T value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(ShuffleValue),
                "a plain value of 16 bytes at most");
  ShuffleValue words;
  __builtin_memcpy(words.words, &value, sizeof(T));
  words = warp_shuffle(operation, source, words);
  __builtin_memcpy(&value, words.words, sizeof(T));
  return value;
}

// First and last lane of the segment of `width` lanes (a power of two) the running thread is in.
inline int first_lane(int width) { return static_cast<int>(lane()) & ~(width - 1); }
inline int last_lane(int width) { return static_cast<int>(lane()) | (width - 1); }

}  // namespace genexx::simt

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize,
              genexx::CodeLocation at = genexx::CodeLocation::here()) {
  return genexx::simt::shuffle({"__shfl_sync", mask, at}, genexx::simt::first_lane(width) + (source & (width - 1)),
                               value);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 genexx::CodeLocation at = genexx::CodeLocation::here()) {
  const int own = static_cast<int>(genexx::simt::lane()), source = own - static_cast<int>(delta);
  return genexx::simt::shuffle({"__shfl_up_sync", mask, at}, source < genexx::simt::first_lane(width) ? own : source,
                               value);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   genexx::CodeLocation at = genexx::CodeLocation::here()) {
  const int own = static_cast<int>(genexx::simt::lane()), source = own + static_cast<int>(delta);
  return genexx::simt::shuffle({"__shfl_down_sync", mask, at}, source > genexx::simt::last_lane(width) ? own : source,
                               value);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = warpSize,
                  genexx::CodeLocation at = genexx::CodeLocation::here()) {
  const int own = static_cast<int>(genexx::simt::lane()), source = own ^ lanes;
  return genexx::simt::shuffle({"__shfl_xor_sync", mask, at}, source > genexx::simt::last_lane(width) ? own : source,
                               value);
}

// --------------------------------------------------------------------------------------------------------- atomics --
// Relaxed, as on the device, so that ThreadSanitizer sees a missing __threadfence in a hand-over through a flag.
namespace genexx::simt {

// Replaces *p by next(*p) and returns what it was.
template <class T, class Next>
T atomic_update(T* p, Next next) {
  T old, wanted;
  __atomic_load(p, &old, __ATOMIC_RELAXED);
  do {
    wanted = next(old);
  } while (!__atomic_compare_exchange(p, &old, &wanted, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}

template <class T>
concept AtomicInteger = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;
template <class T>
concept AtomicNumber = AtomicInteger<T> || std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
concept OrderedInteger = AtomicInteger<T> || std::is_same_v<T, long long>;

}  // namespace genexx::simt

template <genexx::simt::AtomicNumber T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  if constexpr (std::is_same_v<T, int>) return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);  // wraps, also signed
  return genexx::simt::atomic_update(p, [v](T old) { return old + v; });
}
template <genexx::simt::OrderedInteger T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  return genexx::simt::atomic_update(p, [v](T old) { return old < v ? v : old; });
}
template <genexx::simt::OrderedInteger T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  return genexx::simt::atomic_update(p, [v](T old) { return v < old ? v : old; });
}
template <genexx::simt::AtomicInteger T>
T atomicOr(T* p, std::type_identity_t<T> v) {
  return __atomic_fetch_or(p, v, __ATOMIC_RELAXED);
}
template <genexx::simt::AtomicInteger T>
T atomicAnd(T* p, std::type_identity_t<T> v) {
  return __atomic_fetch_and(p, v, __ATOMIC_RELAXED);
}
template <genexx::simt::AtomicNumber T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return genexx::simt::atomic_update(p, [v](T) { return v; });
}
template <genexx::simt::AtomicInteger T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}

// -------------------------------------------------------------------------------------------- loads and stores --
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcs(const T* p) {
  return *p;
}
template <class T>
T __ldcg(const T* p) {
  return *p;
}
template <class T>
void __stwb(T* p, std::type_identity_t<T> v) {
  *p = v;
}
template <class T>
void __stcs(T* p, std::type_identity_t<T> v) {
  *p = v;
}
template <class T>
void __stcg(T* p, std::type_identity_t<T> v) {
  *p = v;
}

// ---------------------------------------------------------------------------------------------------- arithmetic --
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float a) { return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f; }
inline float __expf(float x) noexcept { return expf(x); }
inline float __logf(float x) noexcept { return logf(x); }

// CUDA's min and max; of two floating-point numbers the one that is not NaN.
template <class T>
requires std::is_integral_v<T>
constexpr T min(T a, T b) { return b < a ? b : a; }
template <class T>
requires std::is_integral_v<T>
constexpr T max(T a, T b) { return a < b ? b : a; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>((static_cast<unsigned __int128>(a) * b) >> 64);
}
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline int __float2int_rn(float x) { return static_cast<int>(nearbyintf(x)); }

// -------------------------------------------------------------------------------------------------------- bfloat16 --
// The part of the toolkit's cuda_bf16.h that kernels may use. Rounds to nearest, ties to even; a NaN stays a NaN.
struct __nv_bfloat16 {
  __nv_bfloat16() = default;
  __nv_bfloat16(float x) : bits(rounded(x)) {}
  operator float() const { return __uint_as_float(static_cast<unsigned>(bits) << 16); }

  static unsigned short rounded(float x) {
    if (x != x) return 0x7FFF;
    const unsigned u = __float_as_uint(x);
    return static_cast<unsigned short>((u + 0x7FFFu + (u >> 16 & 1u)) >> 16);
  }

  unsigned short bits;
};
struct __nv_bfloat162 {
  alignas(4) __nv_bfloat16 x;
  __nv_bfloat16 y;
};
inline __nv_bfloat16 __float2bfloat16(float x) { return {x}; }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return {x}; }
inline float __bfloat162float(__nv_bfloat16 x) { return x; }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {x, y}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 v) { return {v.x, v.y}; }
inline float2 __bfloat1622float2(__nv_bfloat162 v) { return {v.x, v.y}; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return std::bit_cast<__nv_bfloat16>(bits); }
