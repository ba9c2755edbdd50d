// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/region_pairs.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/config.h"

namespace genexx::transbrain {
namespace {

// One mouse region and its human homologues.
struct Homologues {
  const char* mouse;
  std::vector<const char*> human;
};

std::vector<RegionPair> flatten(const std::vector<Homologues>& groups) {
  std::vector<RegionPair> pairs;
  for (const Homologues& group : groups)
    for (const char* human : group.human) pairs.push_back({human, group.mouse});
  return pairs;
}

std::vector<RegionPair> cortex_pairs() {
  return flatten({{"PL", {"A32p", "A32sg"}},
                  {"ACAd", {"A32p", "A32sg", "A24rv", "A24cd"}},
                  {"ACAv", {"A32p", "A32sg", "A24rv", "A24cd"}},
                  {"RSPd", {"A23d", "A23v"}},
                  {"RSPv", {"A23d", "A23v"}},
                  {"ORBl", {"A11l", "A11m", "A12/47o", "A12/47l"}},
                  {"ORBm", {"A11l", "A11m", "A12/47o", "A12/47l"}},
                  {"ORBvl", {"A11l", "A11m", "A12/47o", "A12/47l"}},
                  {"MOp", {"A4hf", "A4t", "A4ul", "A4ll"}},
                  {"SSp-ul", {"A1/2/3ulhf"}},
                  {"SSp-m", {"A1/2/3tonIa"}},
                  {"SSp-ll", {"A1/2/3ll"}},
                  {"SSp-tr", {"A1/2/3tru"}},
                  {"VISp", {"cCunG", "rCunG", "cLinG", "rLinG"}},
                  {"AId", {"dIa"}},
                  {"AIv", {"vIa"}},
                  {"AUDp", {"TE1.0 and TE1.2"}}});
}

std::vector<RegionPair> subcortex_pairs() {
  return flatten({{"DG", {"CA4DG"}},
                  {"CP", {"body of caudate"}},
                  {"PAL", {"external segment of globus pallidus"}},
                  {"CA1", {"CA1"}},
                  {"SUB", {"subiculum"}},
                  {"CA2", {"CA2CA3"}},
                  {"CA3", {"CA2CA3"}},
                  {"ACB", {"nucleus accumbens"}},
                  {"MED", {"mPFtha"}}});
}

using Places = std::unordered_map<std::string, std::int64_t>;

Places places_of(const std::vector<std::string>& regions) {
  Places places;
  for (std::size_t i = 0; i < regions.size(); ++i) places.emplace(regions[i], static_cast<std::int64_t>(i));
  return places;
}

void check_list(const std::vector<RegionPair>& pairs) {
  if (pairs.empty()) throw RefusedError("the list of homologous pairs is empty, expected at least one pair");
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const RegionPair& p = pairs[i];
    if (p.human.empty() || p.mouse.empty())
      throw RefusedError(fmt::format("homologous pair {} has no {} region, expected a name in both columns", i + 1,
                                     p.human.empty() ? "human" : "mouse"));
    if (!seen.emplace(p.human, p.mouse).second)
      throw RefusedError(
          fmt::format("homologous pair {} ('{}', '{}') is in the list twice and would count twice; remove one", i + 1,
                      p.human, p.mouse));
  }
}

std::string describe_absent(const RegionPair& pair, const std::vector<std::string>& human_regions,
                            const std::vector<std::string>& mouse_regions) {
  const bool no_human = std::find(human_regions.begin(), human_regions.end(), pair.human) == human_regions.end();
  const std::string& name = no_human ? pair.human : pair.mouse;
  const std::vector<std::string>& known = no_human ? human_regions : mouse_regions;
  return fmt::format("the {} data have no region '{}'{}", no_human ? "human" : "mouse", name,
                     known.empty() ? "" : " (the nearest name is '" + nearest_name(name, known) + "')");
}

}  // namespace

std::vector<RegionPair> published_pairs(const std::string& name) {
  if (name == "cortex") return cortex_pairs();
  if (name == "subcortex") return subcortex_pairs();
  if (name != "all") return {};
  std::vector<RegionPair> pairs = cortex_pairs();
  for (RegionPair& pair : subcortex_pairs()) pairs.push_back(std::move(pair));
  return pairs;
}

ResolvedPairs resolve_pairs(const std::vector<RegionPair>& pairs, const std::vector<std::string>& human_regions,
                            const std::vector<std::string>& mouse_regions, AbsentPairs rule) {
  check_list(pairs);
  const Places human = places_of(human_regions), mouse = places_of(mouse_regions);
  ResolvedPairs out;
  for (const RegionPair& pair : pairs) {
    const auto h = human.find(pair.human), m = mouse.find(pair.mouse);
    if (h == human.end() || m == mouse.end()) {
      out.absent.push_back(pair);
      continue;
    }
    out.pairs.push_back(pair);
    out.index.push_back({h->second, m->second});
  }
  if (out.absent.empty() || (rule == AbsentPairs::leave_out && !out.pairs.empty())) return out;
  const std::string first = describe_absent(out.absent[0], human_regions, mouse_regions);
  throw RefusedError(fmt::format("{} of {} homologous pairs are not in the data: {}; {}", out.absent.size(),
                                 pairs.size(), first,
                                 out.pairs.empty() ? "is this the list of these regions?"
                                                   : "correct the list, or leave such pairs out with "
                                                     "--skip-absent-pairs"));
}

}  // namespace genexx::transbrain
