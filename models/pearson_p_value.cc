// SPDX-License-Identifier: Apache-2.0
#include "models/pearson_p_value.h"

#include <cmath>

namespace genexx {
namespace {

// ln(Gamma(a + 1/2) / Gamma(a)), a > 0: the asymptotic series of the quotient (its terms follow from Abramowitz and
// Stegun 6.1.40) for a >= 20, reached from below by Gamma(a + 1) = a Gamma(a). A difference of two lgamma would lose
// digits.
double log_half_step(double a) {
  double shift = 0;
  for (; a < 20; a += 1) shift += std::log(a / (a + 0.5));
  const double w = 1 / a, w2 = w * w;
  const double series = w * (-1.0 / 8 + w2 * (1.0 / 192 + w2 * (-1.0 / 640 + w2 * (17.0 / 14336 - w2 * 31.0 / 18432))));
  return 0.5 * std::log(a) + series + shift;
}

// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8) by Lentz' method (Press et al.,
// Numerical Recipes, 3rd edition, 5.2); converges quickly for x < (a + 1) / (a + b + 2). Loses the digits of 1 / (1 -
// x).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 100000;
  const auto nonzero = [](double v) { return std::fabs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    value *= d * c;
    if (std::fabs(d * c - 1) < 1e-15) break;
  }
  return value;
}

// 1 + sum over n of y^n (a+b)(a+b+1)...(a+b+n-1) / ((b+1)(b+2)...(b+n)): all terms positive (Abramowitz and
// Stegun 26.5.4). About a y + 40 terms for y < 1/2.
double beta_series(double b, double a, double y) {
  double term = 1, sum = 1;
  for (int n = 1; term > 1e-17 * sum; ++n) {
    term *= y * (a + b + n - 1) / (b + n);
    sum += term;
  }
  return sum;
}

}  // namespace

double pearson_p_value(double r, std::int64_t n) {
  if (n <= 2 || std::isnan(r)) return 1;
  const double size = std::fabs(r);
  if (size >= 1) return 0;
  const double a = 0.5 * static_cast<double>(n - 2), b = 0.5;
  const double square = size * size;
  const double log_x = square < 0.5 ? std::log1p(-square) : std::log((1 - size) * (1 + size));
  // x^a (1 - x)^b / B(a, b), with Gamma(1/2) = sqrt(pi)
  const double front = std::exp(a * log_x + log_half_step(a)) * size / std::sqrt(3.14159265358979323846);
  // Where p is not small (above 0.01), 1 - I_{r^2}(b, a) costs no digits and avoids an x close to 1.
  if (square < 0.5 && a * square < 3) return 1 - front * beta_series(b, a, square) / b;
  return front * beta_fraction(a, b, (1 - size) * (1 + size)) / a;
}

double critical_correlation(double p, std::int64_t n) {
  double low = 0, high = 1;
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (low + high);
    (pearson_p_value(middle, n) <= p ? high : low) = middle;
  }
  return high;
}

}  // namespace genexx
