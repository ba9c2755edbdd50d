// SPDX-License-Identifier: Apache-2.0
// Random numbers of many distributions, as a sequence that belongs to one element (a cell, a gene) and one purpose.
// Host only. The sequence depends on seed, stream and element, never on threads or on other elements.
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/philox.h"

namespace genexx {

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint32_t stream, std::int64_t element)
      : key_(philox_key(seed, stream)), element_(static_cast<std::uint64_t>(element)) {}

  // Four words at once; words left over from word() are dropped.
  PhiloxCounter words() {
    used_ = 4;
    return draw();
  }

  std::uint32_t word() {
    if (used_ == 4) {
      const PhiloxCounter c = draw();
      held_[0] = c.x, held_[1] = c.y, held_[2] = c.z, held_[3] = c.w;
      used_ = 0;
    }
    return held_[used_++];
  }

  // Uniform in (0, 1), never either end.
  double uniform() { return open_uniform(word()); }
  static double open_uniform(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

  // Standard normal, by Box and Muller (Annals of Mathematical Statistics 29, 1958); one of the pair is not used.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

  // Poisson. Below 30 the product method (Knuth, TAOCP 2, section 3.4.1), exact; from 30 on the rounded normal of the
  // same mean and variance, whose skewness (1/sqrt(mean), at most 0.18) is lost.
  std::int64_t poisson(double mean) {
    if (mean >= 30.0) {
      return static_cast<std::int64_t>(std::fmax(0.0, std::floor(mean + std::sqrt(mean) * normal() + 0.5)));
    }
    const double limit = std::exp(-mean);
    std::int64_t count = 0;
    for (double product = uniform(); product > limit; product *= uniform()) ++count;
    return count;
  }

 private:
  PhiloxCounter draw() {
    const auto low = static_cast<std::uint32_t>(position_), high = static_cast<std::uint32_t>(position_ >> 32);
    ++position_;
    return philox(key_, {low, high, static_cast<std::uint32_t>(element_), static_cast<std::uint32_t>(element_ >> 32)});
  }

  PhiloxKey key_;
  std::uint64_t element_;
  std::uint64_t position_ = 0;
  std::uint32_t held_[4] = {};
  int used_ = 4;
};

}  // namespace genexx
