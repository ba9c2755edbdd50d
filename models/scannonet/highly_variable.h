// SPDX-License-Identifier: Apache-2.0
// Highly variable genes, the "seurat" flavour of Scanpy (pp.highly_variable_genes; after Satija et al., Nature
// Biotechnology 33, 2015): dispersion compared with that of genes of similar mean.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace genexx::scannonet {

// Normalised dispersion of each gene from the mean and variance (ddof 1) of its normalised counts (before the
// logarithm):
//   dispersion = ln(variance / mean), NaN where the variance is 0; a mean of 0 counts as 1e-12
//   20 bins of equal width over ln(1 + mean), closed on the right, the first on both sides
//   (dispersion - mean of its bin) / standard deviation of its bin (ddof 1)
//   a bin with one dispersion: standard deviation := its mean, mean := 0, so that the gene gets 1
// NaN where the dispersion is NaN.
std::vector<double> normalised_dispersions(std::span<const double> mean, std::span<const double> variance);

// Indices, ascending, of the genes whose normalised dispersion is at least the n-th largest: n of them, more when there
// are ties. All genes when there are no more than n of them. NaN is never selected otherwise.
std::vector<std::int64_t> most_variable(std::span<const double> normalised, std::int64_t n);

}  // namespace genexx::scannonet
