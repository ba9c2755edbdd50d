// SPDX-License-Identifier: Apache-2.0
#include "models/epoch_outcome.h"

#include <utility>

#include "engine/tensor_packing.h"

namespace genexx {
namespace {

// An outcome as numbers, and back; the losses and monitors come last.
std::vector<double> numbers_of(const EpochOutcome& o) {
  std::vector<double> row = {
      o.losses.accuracy, o.validation.loss, o.validation.accuracy, o.validation.macro_f1, o.validation.absolute_error,
      o.learning_rate,   o.seconds};
  row.insert(row.end(), o.losses.losses.begin(), o.losses.losses.end());
  row.insert(row.end(), o.monitors.begin(), o.monitors.end());
  return row;
}

EpochOutcome outcome_of(const double* row, std::size_t losses, std::size_t monitors) {
  EpochOutcome o;
  o.losses.accuracy = *row++;
  o.validation.loss = *row++;
  o.validation.accuracy = *row++;
  o.validation.macro_f1 = *row++;
  o.validation.absolute_error = *row++;
  o.learning_rate = *row++;
  o.seconds = *row++;
  o.losses.losses.assign(row, row + losses);
  row += losses;
  o.monitors.assign(row, row + monitors);
  return o;
}

}  // namespace

std::vector<EpochOutcome> share_outcomes(Communicator& ranks, const std::vector<EpochOutcome>& own, std::size_t losses,
                                         std::size_t monitors) {
  if (ranks.size() == 1) return own;
  std::vector<double> mine;
  for (const EpochOutcome& o : own) {
    const std::vector<double> row = numbers_of(o);
    mine.insert(mine.end(), row.begin(), row.end());
  }
  const std::size_t width = numbers_of({}).size() + losses + monitors;
  const std::vector<double> numbers = ranks.all_gather_values(mine);
  std::vector<EpochOutcome> all;
  for (std::size_t at = 0; at + width <= numbers.size(); at += width)
    all.push_back(outcome_of(numbers.data() + at, losses, monitors));
  return all;
}

std::vector<NamedTensor> concatenate(const std::vector<std::vector<NamedTensor>>& parts) {
  std::vector<NamedTensor> all = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i)
    for (std::size_t t = 0; t < all.size(); ++t) {
      all[t].shape[0] += parts[i][t].shape[0];
      all[t].bytes.insert(all[t].bytes.end(), parts[i][t].bytes.begin(), parts[i][t].bytes.end());
    }
  return all;
}

std::vector<NamedTensor> share_tensors(Communicator& ranks, std::vector<NamedTensor> own) {
  if (ranks.size() == 1) return own;
  std::vector<std::vector<NamedTensor>> parts;
  for (const std::vector<std::byte>& bytes : ranks.all_gather_bytes(pack_tensors(own)))
    if (!bytes.empty()) parts.push_back(unpack_tensors(bytes));
  return concatenate(parts);
}

}  // namespace genexx
