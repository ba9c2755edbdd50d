// SPDX-License-Identifier: Apache-2.0
#include "models/judged_cost.h"

#include <cmath>
#include <limits>

namespace genexx {

double cost_of(const KeepRule& rule, const EpochRecord& r) {
  switch (rule.criterion) {
    case Criterion::classification:
      return -(r.validation.accuracy + r.validation.macro_f1);
    case Criterion::loss:
      return r.validation.loss;
    case Criterion::absolute_error:
      return r.validation.absolute_error;
    case Criterion::monitor:
      return r.monitors[static_cast<std::size_t>(rule.monitor)];
    case Criterion::external:
      return r.external;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

bool judges_validation(Criterion c) { return c != Criterion::monitor && c != Criterion::external; }

// One standard error of the cost on `cells` validation cells: for classification that of a share, for each of its two
// figures. Two hits and two misses are added (Agresti and Coull, "Approximate is better than exact for interval
// estimation of binomial proportions", 1998): forty cells that are all right are no proof of a share of one.
double standard_error(const KeepRule& rule, const Judgement& v, std::size_t cells) {
  if (rule.criterion != Criterion::classification || cells == 0) return 0;
  const double n = static_cast<double>(cells) + 4, share = (v.accuracy * static_cast<double>(cells) + 2) / n;
  return 2.0 * std::sqrt(share * (1.0 - share) / n);
}

}  // namespace genexx
