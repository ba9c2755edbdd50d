// SPDX-License-Identifier: Apache-2.0
#include "io/gene_matcher.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/atomic_file.h"

namespace genexx {
namespace {

enum class Spelling { as_is, without_version, without_case };

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ENSG00000141510.17 -> ENSG00000141510. Only Ensembl ids: many clone names end in a dot and a digit (AC012345.1).
std::string without_version(const std::string& name) {
  if (name.compare(0, 3, "ENS") != 0) return name;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot + 1 == name.size()) return name;
  const bool digits = std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 1, name.end(), is_digit);
  return digits ? name.substr(0, dot) : name;
}

std::string spelled(const std::string& name, Spelling spelling) {
  if (spelling == Spelling::without_version) return without_version(name);
  if (spelling == Spelling::as_is) return name;
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

using GeneIndex = std::unordered_map<std::string, std::int32_t>;

GeneIndex index_of(const GeneNaming& model, Spelling spelling) {
  GeneIndex index;
  for (std::size_t gene = 0; gene < model.names.size(); ++gene) {
    if (!model.names[gene].empty())
      index.emplace(spelled(model.names[gene], spelling), static_cast<std::int32_t>(gene));
  }
  return index;
}

// One pair of namings.
struct Attempt {
  const GeneNaming* data = nullptr;
  const GeneNaming* model = nullptr;
  Spelling spelling = Spelling::as_is;
  std::vector<std::int32_t> target;
  std::int64_t found = 0;  // genes of the model
};

Attempt attempt(const GeneNaming& data, const GeneNaming& model, const GeneIndex& index, Spelling spelling) {
  Attempt result{&data, &model, spelling, {}, 0};
  std::vector<char> seen(model.names.size(), 0);
  for (const std::string& name : data.names) {
    const auto place = name.empty() ? index.end() : index.find(spelled(name, spelling));
    result.target.push_back(place == index.end() ? -1 : place->second);
    if (place == index.end()) continue;
    char& mark = seen[static_cast<std::size_t>(place->second)];
    result.found += mark == 0;
    mark = 1;
  }
  return result;
}

Attempt best_attempt(const std::vector<GeneNaming>& data, const std::vector<GeneNaming>& model,
                     std::initializer_list<Spelling> spellings) {
  Attempt best;
  best.found = -1;
  for (const Spelling spelling : spellings) {
    for (const GeneNaming& of_model : model) {
      const GeneIndex index = index_of(of_model, spelling);
      for (const GeneNaming& of_data : data) {
        Attempt next = attempt(of_data, of_model, index, spelling);
        if (next.found > best.found) best = std::move(next);
      }
    }
  }
  return best;
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string examples(const GeneNaming& naming) {
  std::vector<std::string> some;
  for (const std::string& name : naming.names) {
    if (some.size() == 3) break;
    if (!name.empty()) some.push_back("'" + name + "'");
  }
  return fmt::format("{}: {}", naming.source, fmt::join(some, ", "));
}

std::string all_examples(const std::vector<GeneNaming>& namings) {
  std::vector<std::string> lines;
  for (const GeneNaming& naming : namings) lines.push_back(examples(naming));
  return fmt::format("{}", fmt::join(lines, "; "));
}

[[noreturn]] void refuse(const std::vector<GeneNaming>& data, const std::vector<GeneNaming>& model, const Attempt& best,
                         double min_overlap) {
  const auto genes = static_cast<std::int64_t>(model.front().names.size());
  const Attempt any_case = best_attempt(data, model, {Spelling::without_case});
  std::string hint;
  if (any_case.found > 2 * best.found + 1) {
    hint = fmt::format(" Regardless of case {} would match: are the data of the species of the model?", any_case.found);
  }
  if (best.found == 0)
    throw RefusedError(fmt::format(
        "the data have none of the {} genes of the model. The data name genes by {}. The model names them by "
        "{}.{} Choose the names with --gene-column.",
        genes, all_examples(data), all_examples(model), hint));
  throw RefusedError(fmt::format(
      "the data have {} of the {} genes of the model ({:.1f} %), at least {:.1f} % are needed. The data name genes by "
      "{}. The model names them by {}.{} Choose the names with --gene-column, or accept fewer with --min-overlap.",
      best.found, genes, 100 * share(best.found, genes), 100 * min_overlap, all_examples(data), all_examples(model),
      hint));
}

// Keeps one column of each gene, or refuses, as `duplicates` says; counts those beyond the first.
std::int64_t settle_duplicates(Attempt& best, DuplicateGenes duplicates) {
  std::vector<char> seen(best.model->names.size(), 0);
  std::int64_t merged = 0;
  for (std::size_t column = 0; column < best.target.size(); ++column) {
    std::int32_t& gene = best.target[column];
    if (gene < 0) continue;
    char& mark = seen[static_cast<std::size_t>(gene)];
    if (mark != 0) {
      ++merged;
      if (duplicates == DuplicateGenes::error) {
        throw RefusedError(
            fmt::format("gene '{}' of the model is in more than one column of the data (column {} is "
                        "'{}'); sum them with --duplicates sum or take the first with --duplicates first",
                        best.model->names[static_cast<std::size_t>(gene)], column + 1, best.data->names[column]));
      }
      if (duplicates == DuplicateGenes::first) gene = -1;
    }
    mark = 1;
  }
  return merged;
}

std::string describe(const Attempt& best, const GeneMatch& match, DuplicateGenes duplicates) {
  std::string text = fmt::format("{} of {} genes of the model found ({:.1f} %): {} matched with {}", best.found,
                                 match.genes, 100 * match.overlap, best.data->source, best.model->source);
  if (best.spelling == Spelling::without_version) text += ", versions of Ensembl ids cut off";
  if (match.merged > 0) {
    text += fmt::format("; {} further columns of the same genes {}", match.merged,
                        duplicates == DuplicateGenes::sum ? "summed" : "left out");
  }
  return text;
}

bool mostly_different(const std::vector<std::string>& names) {
  const std::unordered_set<std::string_view> distinct(names.begin(), names.end());
  return 2 * distinct.size() >= names.size();
}

bool is_whole_or_text(const Column& column) {
  const auto* numbers = std::get_if<Numbers>(&column.values);
  return !numbers || numbers->kind == NumberKind::integer;
}

}  // namespace

std::vector<GeneNaming> gene_namings(const MatrixSource& source) {
  std::vector<GeneNaming> namings = {{"gene names", source.gene_names()}};
  for (const Column& column : source.genes().columns) {
    if (!is_whole_or_text(column)) continue;
    const Categorical labels = as_categorical(column);
    GeneNaming naming{fmt::format("gene column '{}'", column.name), {}};
    for (const std::int32_t code : labels.codes) {
      naming.names.push_back(code < 0 ? "" : labels.categories[static_cast<std::size_t>(code)]);
    }
    if (mostly_different(naming.names) && naming.names != namings.front().names) namings.push_back(std::move(naming));
  }
  return namings;
}

std::vector<std::uint8_t> GeneMatch::missing_mask() const {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(genes), 0);
  for (const std::int64_t gene : missing) mask[static_cast<std::size_t>(gene)] = 1;
  return mask;
}

GeneMatch match_genes(const std::vector<GeneNaming>& data, const std::vector<GeneNaming>& model,
                      const GeneMatchOptions& options) {
  if (data.empty() || model.empty()) throw UsageError("genes are matched by names, but one side has none");
  Attempt best = best_attempt(data, model, {Spelling::as_is, Spelling::without_version});
  GeneMatch match;
  match.genes = static_cast<std::int64_t>(model.front().names.size());
  match.overlap = share(best.found, match.genes);
  std::vector<char> there(static_cast<std::size_t>(match.genes), 0);
  for (const std::int32_t gene : best.target) {
    if (gene >= 0) there[static_cast<std::size_t>(gene)] = 1;
  }
  for (std::int64_t gene = 0; gene < match.genes; ++gene) {
    if (there[static_cast<std::size_t>(gene)] == 0) match.missing.push_back(gene);
  }
  if (!options.missing_file.empty()) write_missing_genes(options.missing_file, match, model);
  if (match.overlap < options.min_overlap || best.found == 0) refuse(data, model, best, options.min_overlap);
  match.merged = settle_duplicates(best, options.duplicates);
  match.target = best.target;
  match.description = describe(best, match, options.duplicates);
  return match;
}

std::vector<std::string> unique_names(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    if (seen.insert(name).second) unique.push_back(name);
  }
  return unique;
}

MatchedSource::MatchedSource(BatchSource& source, const GeneMatch& match)
    : source_(source),
      match_(match),
      sum_(static_cast<std::size_t>(match.genes), 0.0f),
      filled_(static_cast<std::size_t>(match.genes + 63) / 64, 0) {
  if (source.cols() != static_cast<std::int64_t>(match.target.size())) {
    throw UsageError(fmt::format("the match is for {} columns, the data have {}", match.target.size(), source.cols()));
  }
}

bool MatchedSource::next(CsrMatrix& block, std::int64_t max_rows) {
  if (!source_.next(unmatched_, max_rows)) return false;
  block.rows = 0;
  block.cols = match_.genes;
  block.row_begin.assign(1, 0);
  block.column.clear();
  block.value.clear();
  for (std::int64_t row = 0; row < unmatched_.rows; ++row) {
    const std::int64_t begin = unmatched_.row_begin[static_cast<std::size_t>(row)];
    const std::int64_t end = unmatched_.row_begin[static_cast<std::size_t>(row) + 1];
    add_row(unmatched_.value.data() + begin, unmatched_.column.data() + begin, end - begin, block);
  }
  return true;
}

// The order of genes changes, so values go to a dense row and come back by the bits that say where they are: no
// sorting.
void MatchedSource::add_row(const float* value, const std::int32_t* column, std::int64_t count, CsrMatrix& block) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t gene = match_.target[static_cast<std::size_t>(column[i])];
    if (gene < 0) continue;
    sum_[static_cast<std::size_t>(gene)] += value[i];
    filled_[static_cast<std::size_t>(gene) / 64] |= std::uint64_t{1} << (gene % 64);
  }
  for (std::size_t word = 0; word < filled_.size(); ++word) {
    for (std::uint64_t bits = filled_[word]; bits != 0; bits &= bits - 1) {
      const std::size_t gene = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      if (sum_[gene] != 0.0f) {
        block.column.push_back(static_cast<std::int32_t>(gene));
        block.value.push_back(sum_[gene]);
      }
      sum_[gene] = 0.0f;
    }
    filled_[word] = 0;
  }
  block.row_begin.push_back(static_cast<std::int64_t>(block.column.size()));
  ++block.rows;
}

void write_missing_genes(const std::string& path, const GeneMatch& match, const std::vector<GeneNaming>& model) {
  AtomicFile file(path);
  std::string line;
  for (const GeneNaming& naming : model) line += (line.empty() ? "" : "\t") + naming.source;
  file.write(line + "\n");
  for (const std::int64_t gene : match.missing) {
    line.clear();
    for (const GeneNaming& naming : model) {
      if (&naming != &model.front()) line += "\t";
      line += naming.names[static_cast<std::size_t>(gene)];
    }
    file.write(line + "\n");
  }
  file.commit();
}

}  // namespace genexx
