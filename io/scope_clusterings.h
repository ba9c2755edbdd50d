// SPDX-License-Identifier: Apache-2.0
// Clusterings of SCope's loom files: /col_attrs/Clusterings holds compound elements with one integer field for each
// clustering, called by its id; the global MetaData says in JSON what clusterings and clusters are called. It is plain
// or deflated and in base64, an attribute of / or, from loom 3 on, the dataset /attrs/MetaData. Source: SCope's JSON
// schema of the metadata and SCopeLoomR.
#pragma once

#include "io/hdf5.h"
#include "io/table.h"

namespace genexx {

// Appends a column "Clusterings/NAME" for each clustering: the descriptions of its clusters, or their numbers where the
// file tells none; NAME is the id where it has no name. What cannot be read is counted in `unread`, a MetaData that is
// damaged too. `clusterings` is the dataset, whose length has been checked. Throws InputError for one that cannot be
// read at all.
void append_scope_clusterings(const hdf5::Node& root, const hdf5::Node& clusterings, ObsTable& table);

}  // namespace genexx
