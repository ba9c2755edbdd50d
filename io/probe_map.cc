// SPDX-License-Identifier: Apache-2.0
#include "io/probe_map.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/tab_fields.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  for (TabFields cut(without_tail(line)); !cut.done();) fields.push_back(utf8_text(std::string(cut.next())));
  return fields;
}

bool is_skipped(std::string_view line) { return without_tail(line).empty() || line.front() == '#'; }

std::vector<std::string> probes_of(const TextReader& text, const std::string& list) {
  std::vector<std::string> probes;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string probe = list.substr(begin, end - begin);
    probe.erase(0, probe.find_first_not_of(' '));
    probe.erase(probe.find_last_not_of(' ') + 1);
    if (probe.empty()) text.fail(fmt::format("an empty probe in '{}'; expected names separated by commas", list));
    if (std::find(probes.begin(), probes.end(), probe) != probes.end())
      text.fail(fmt::format("the probe '{}' twice in one gene, expected each once", probe));
    probes.push_back(std::move(probe));
    begin = end + 1;
  }
  return probes;
}

ProbedGene gene_of(const TextReader& text, const std::vector<std::string>& fields) {
  if (fields.size() != 3)
    text.fail(fmt::format("{} fields separated by tabs, expected 3: symbol, Ensembl id, probes", fields.size()));
  if (fields[1].empty()) text.fail("the second field, the Ensembl id, is empty; every gene needs one");
  return {fields[0], fields[1], probes_of(text, fields[2])};
}

// Where several genes share a name the first one has it.
class GeneNames {
 public:
  explicit GeneNames(const std::vector<ProbedGene>& genes) {
    for (std::size_t i = 0; i < genes.size(); ++i) by_.emplace(without_version(genes[i].id), i);
    for (std::size_t i = 0; i < genes.size(); ++i) by_.emplace(genes[i].symbol, i);
    for (std::size_t i = 0; i < genes.size(); ++i)
      for (const std::string& probe : genes[i].probes) by_.emplace(probe, i);
  }
  // -1 when there is none.
  std::int64_t find(const std::string& name) const {
    const auto found = by_.find(without_version(name));
    return found == by_.end() ? -1 : static_cast<std::int64_t>(found->second);
  }

 private:
  std::unordered_map<std::string, std::size_t> by_;
};

std::vector<ProbedGene> named_landmarks(const std::vector<ProbedGene>& map, const std::string& path) {
  const GeneNames names(map);
  TextReader text(path);
  std::vector<ProbedGene> landmarks;
  std::unordered_set<std::int64_t> seen;
  std::vector<std::string> unknown;
  std::string_view line;
  while (text.next(line)) {
    if (is_skipped(line)) continue;
    const std::string name = fields_of(line)[0];
    const std::int64_t gene = names.find(name);
    if (gene < 0) {
      unknown.push_back(name);
    } else if (!seen.insert(gene).second) {
      text.fail(fmt::format("'{}' is a landmark that was named before; expected each once", name));
    } else {
      landmarks.push_back(map[static_cast<std::size_t>(gene)]);
    }
  }
  if (!unknown.empty())
    throw RefusedError(
        fmt::format("{}: {} of {} landmarks are not in the map, the first being '{}'. Give a map that "
                    "has them, or landmarks as symbol, id and probes.",
                    path, unknown.size(), unknown.size() + landmarks.size(), unknown[0]));
  return landmarks;
}

bool has_three_columns(const std::string& path) {
  TextReader text(path);
  std::string_view line;
  while (text.next(line))
    if (!is_skipped(line)) return fields_of(line).size() == 3;
  throw InputError(path + " names no landmark, expected one on each line");
}

using Columns = std::unordered_map<std::string, std::int32_t>;

constexpr std::int32_t kSeveral = -1;

// -1 (kSeveral) where a name stands for several columns.
Columns columns_by_name(const std::vector<std::string>& names) {
  Columns columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [at, is_new] = columns.emplace(without_version(names[i]), static_cast<std::int32_t>(i));
    if (!is_new) at->second = kSeveral;
  }
  return columns;
}

std::int32_t single_column(const MatrixSource& source, const std::string& name, std::int32_t column) {
  if (column != kSeveral) return column;
  throw RefusedError(
      fmt::format("{}: several columns are called '{}', and it cannot be told which is meant. Keep one of "
                  "them, or choose other names with --gene-column.",
                  source.description(), name));
}

}  // namespace

std::string without_version(const std::string& id) {
  const std::size_t dot = id.find('.');
  const bool is_versioned = id.rfind("ENS", 0) == 0 && dot != std::string::npos && dot + 1 < id.size() &&
                            id.find_first_not_of("0123456789", dot + 1) == std::string::npos;
  return is_versioned ? id.substr(0, dot) : id;
}

std::vector<ProbedGene> read_probe_map(const std::string& path) {
  TextReader text(path);
  std::vector<ProbedGene> genes;
  std::unordered_set<std::string> ids;
  std::string_view line;
  while (text.next(line)) {
    if (is_skipped(line)) continue;
    genes.push_back(gene_of(text, fields_of(line)));
    if (!ids.insert(without_version(genes.back().id)).second)
      text.fail(fmt::format("the id '{}' was given before; expected each gene once", genes.back().id));
  }
  if (genes.empty()) throw InputError(path + " has no genes, expected lines of symbol, Ensembl id and probes");
  return genes;
}

LandmarkSplit split_landmarks(const std::vector<ProbedGene>& map, const std::string& landmark_file) {
  LandmarkSplit split;
  split.landmarks =
      has_three_columns(landmark_file) ? read_probe_map(landmark_file) : named_landmarks(map, landmark_file);
  std::unordered_set<std::string> ids, symbols, probes;
  for (const ProbedGene& gene : split.landmarks) {
    ids.insert(without_version(gene.id));
    if (!gene.symbol.empty()) symbols.insert(gene.symbol);
    probes.insert(gene.probes.begin(), gene.probes.end());
  }
  for (const ProbedGene& gene : map) {
    const bool same_id = ids.count(without_version(gene.id)) > 0;
    const bool shares_probe = std::any_of(gene.probes.begin(), gene.probes.end(),
                                          [&](const std::string& probe) { return probes.count(probe) > 0; });
    const bool all_shared = std::all_of(gene.probes.begin(), gene.probes.end(),
                                        [&](const std::string& probe) { return probes.count(probe) > 0; });
    if (same_id && all_shared) continue;  // the landmark itself
    if (same_id || shares_probe || symbols.count(gene.symbol) > 0) {
      split.leaks.push_back(gene.id);
    } else {
      split.targets.push_back(gene);
    }
  }
  if (split.targets.empty())
    throw RefusedError(landmark_file + ": every gene of the map is a landmark, and no target is left to infer");
  return split;
}

GeneColumns probe_columns(const std::vector<ProbedGene>& genes, const MatrixSource& source) {
  const Columns columns = columns_by_name(source.gene_names());
  GeneColumns found;
  found.columns.resize(genes.size());
  for (std::size_t g = 0; g < genes.size(); ++g) {
    for (const std::string& probe : genes[g].probes) {
      const auto at = columns.find(without_version(probe));
      if (at != columns.end()) {
        found.columns[g].push_back(single_column(source, probe, at->second));
      } else {
        ++found.missing_probes;
        if (found.first_missing.empty()) found.first_missing = probe;
      }
    }
    found.missing_genes += found.columns[g].empty() ? 1 : 0;
  }
  return found;
}

GeneColumns gene_columns(const std::vector<ProbedGene>& genes, const MatrixSource& source) {
  const Columns columns = columns_by_name(source.gene_names());
  GeneColumns found;
  found.columns.resize(genes.size());
  for (std::size_t g = 0; g < genes.size(); ++g) {
    auto at = columns.find(without_version(genes[g].id));
    if (at == columns.end()) at = columns.find(genes[g].symbol);
    if (at != columns.end()) {
      found.columns[g].push_back(single_column(source, genes[g].id, at->second));
      continue;
    }
    ++found.missing_genes;
    if (found.first_missing.empty()) found.first_missing = genes[g].id;
  }
  return found;
}

}  // namespace genexx
