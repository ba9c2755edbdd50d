// SPDX-License-Identifier: Apache-2.0
#include "models/stratify.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "engine/error.h"
#include "engine/sampling.h"

namespace genexx {
namespace {

// Philox streams: a class or a group order each has its own.
constexpr std::uint32_t kGroupStream = 0x67727570u;
constexpr std::uint32_t kClassStream = 0x636C6173u;

using Parts = std::vector<std::vector<std::int64_t>>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void check_fractions(std::span<const double> fractions) {
  double sum = 0;
  for (const double f : fractions) {
    if (!(f >= 0)) throw UsageError("split fraction " + std::to_string(f) + ", expected 0 or more");
    sum += f;
  }
  if (!(std::fabs(sum - 1) < 1e-9))
    throw UsageError("split fractions sum to " + std::to_string(sum) + ", expected 1; give for example 0.8, 0.1, 0.1");
}

// The rows of each code, in the order of `cells`.
Parts by_code(std::span<const std::int64_t> cells, std::span<const std::int32_t> codes) {
  Parts rows;
  for (const std::int64_t cell : cells) {
    const std::int32_t code = codes[at(cell)];
    if (code < 0) continue;
    if (at(code) >= rows.size()) rows.resize(at(code) + 1);
    rows[at(code)].push_back(cell);
  }
  return rows;
}

// How many cells of one class each part gets; remembers what each part is still owed.
class Dealer {
 public:
  explicit Dealer(const StratifyRequest& request)
      : fractions_(request.fractions), scarce_order_(request.scarce_order), owed_(request.fractions.size(), 0.0) {}

  std::vector<std::int64_t> deal(std::int64_t cells) {
    for (std::size_t p = 0; p < owed_.size(); ++p) owed_[p] += fractions_[p] * static_cast<double>(cells);
    const std::int64_t parts = std::count_if(fractions_.begin(), fractions_.end(), [](double f) { return f > 0; });
    std::vector<std::int64_t> counts =
        cells < parts && !scarce_order_.empty() ? deal_scarce(cells) : deal_shares(cells);
    if (cells >= parts) give_everyone_one(counts);
    for (std::size_t p = 0; p < owed_.size(); ++p) owed_[p] -= static_cast<double>(counts[p]);
    return counts;
  }

 private:
  std::vector<std::int64_t> deal_scarce(std::int64_t cells) const {
    std::vector<std::int64_t> counts(owed_.size());
    for (const int part : scarce_order_) {
      if (cells == 0) break;
      if (fractions_[static_cast<std::size_t>(part)] == 0) continue;
      ++counts[static_cast<std::size_t>(part)];
      --cells;
    }
    return counts;
  }

  // Whole shares, then the rest one by one to the part that is owed most.
  std::vector<std::int64_t> deal_shares(std::int64_t cells) const {
    std::vector<std::int64_t> counts(owed_.size());
    std::int64_t left = cells;
    for (std::size_t p = 0; p < counts.size(); ++p) {
      counts[p] = static_cast<std::int64_t>(std::floor(fractions_[p] * static_cast<double>(cells) + 1e-9));
      left -= counts[p];
    }
    for (; left > 0; --left) {
      std::size_t most = 0;
      double most_owed = -1e300;
      for (std::size_t p = 0; p < counts.size(); ++p) {
        const double owed = owed_[p] - static_cast<double>(counts[p]);
        if (fractions_[p] == 0 || owed <= most_owed + 1e-9) continue;
        most = p;
        most_owed = owed;
      }
      ++counts[most];
    }
    return counts;
  }

  void give_everyone_one(std::vector<std::int64_t>& counts) const {
    for (std::size_t p = 0; p < counts.size(); ++p) {
      if (counts[p] > 0 || fractions_[p] == 0) continue;
      --*std::max_element(counts.begin(), counts.end());
      ++counts[p];
    }
  }

  std::span<const double> fractions_;
  std::span<const int> scarce_order_;
  std::vector<double> owed_;
};

Parts stratify_cells(const StratifyRequest& request) {
  Parts parts(request.fractions.size());
  Dealer dealer(request);
  const Parts classes = by_code(request.cells, request.classes);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const std::vector<std::int64_t> rows =
        random_order(classes[c], request.seed, kClassStream + static_cast<std::uint32_t>(c));
    const std::vector<std::int64_t> counts = dealer.deal(static_cast<std::int64_t>(rows.size()));
    auto next = rows.begin();
    for (std::size_t p = 0; p < parts.size(); ++p) {
      parts[p].insert(parts[p].end(), next, next + counts[p]);
      next += counts[p];
    }
  }
  return parts;
}

// Cells of each group by class, and the groups in the order they are dealt: largest first, equals in random order.
struct Groups {
  Parts rows;
  std::vector<std::vector<double>> class_counts;  // [groups][classes]
  std::vector<double> totals;                     // [classes]
  std::vector<std::int64_t> order;
};

Groups gather_groups(const StratifyRequest& request) {
  std::vector<std::int64_t> labelled;
  std::int32_t most = -1;
  for (const std::int64_t cell : request.cells) {
    if (request.classes[at(cell)] < 0) continue;
    if (request.groups[at(cell)] < 0)
      throw RefusedError(
          "row " + std::to_string(cell) +
          " has no group, expected one for every labelled cell; fill the group column, or split without it");
    labelled.push_back(cell);
    most = std::max(most, request.classes[at(cell)]);
  }
  Groups groups;
  groups.rows = by_code(labelled, request.groups);
  groups.totals.resize(at(most + 1));
  for (const std::vector<std::int64_t>& rows : groups.rows) {
    std::vector<double>& counts = groups.class_counts.emplace_back(at(most + 1));
    for (const std::int64_t cell : rows) {
      ++counts[at(request.classes[at(cell)])];
      ++groups.totals[at(request.classes[at(cell)])];
    }
  }
  for (const std::int64_t g :
       random_order(all_cells(static_cast<std::int64_t>(groups.rows.size())), request.seed, kGroupStream))
    if (!groups.rows[at(g)].empty()) groups.order.push_back(g);
  std::stable_sort(groups.order.begin(), groups.order.end(), [&](std::int64_t a, std::int64_t b) {
    return groups.rows[at(a)].size() > groups.rows[at(b)].size();
  });
  return groups;
}

// By how much the part moves away from its share of every class when the group joins it; below zero: nearer.
double cost_of_joining(const std::vector<double>& part, const std::vector<double>& group,
                       const std::vector<double>& totals, double fraction) {
  double cost = 0;
  for (std::size_t c = 0; c < totals.size(); ++c) {
    if (totals[c] == 0) continue;
    const double share = fraction * totals[c];
    const double before = part[c] - share, after = before + group[c];
    cost += (after * after - before * before) / share;
  }
  return cost;
}

Parts stratify_groups(const StratifyRequest& request) {
  const Groups groups = gather_groups(request);
  Parts parts(request.fractions.size());
  std::vector<std::vector<double>> counts(parts.size(), std::vector<double>(groups.totals.size()));
  std::size_t groups_left = groups.order.size();
  for (const std::int64_t g : groups.order) {
    std::size_t empty_parts = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) empty_parts += parts[p].empty() && request.fractions[p] > 0;
    std::size_t best = parts.size();
    double best_cost = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (request.fractions[p] == 0 || (groups_left <= empty_parts && !parts[p].empty())) continue;
      const double cost = cost_of_joining(counts[p], groups.class_counts[at(g)], groups.totals, request.fractions[p]);
      if (best != parts.size() && cost >= best_cost) continue;
      best = p;
      best_cost = cost;
    }
    parts[best].insert(parts[best].end(), groups.rows[at(g)].begin(), groups.rows[at(g)].end());
    for (std::size_t c = 0; c < groups.totals.size(); ++c) counts[best][c] += groups.class_counts[at(g)][c];
    --groups_left;
  }
  return parts;
}

}  // namespace

std::vector<std::vector<std::int64_t>> stratify(const StratifyRequest& request) {
  check_fractions(request.fractions);
  Parts parts = request.groups.empty() ? stratify_cells(request) : stratify_groups(request);
  for (std::vector<std::int64_t>& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

std::vector<std::int64_t> random_order(std::span<const std::int64_t> cells, std::uint64_t seed, std::uint32_t stream) {
  std::vector<std::int64_t> order(cells.begin(), cells.end());
  const PhiloxKey key = philox_key(seed, stream);
  for (std::size_t i = order.size(); i > 1; --i) {
    const PhiloxCounter words = philox(key, {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), 0, 0});
    std::swap(order[i - 1], order[at(scaled_index(words.x, words.y, static_cast<std::int64_t>(i)))]);
  }
  return order;
}

std::vector<std::int64_t> all_cells(std::int64_t count) {
  std::vector<std::int64_t> cells(at(count));
  std::iota(cells.begin(), cells.end(), std::int64_t{0});
  return cells;
}

}  // namespace genexx
