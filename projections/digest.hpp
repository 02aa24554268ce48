// A digest of all rows: equal for equal rows, however they are laid out on disk.
#pragma once

#include <string>

#include "projections/reader.hpp"

namespace ota::projections {

// 32 hex digits over every row of both families in key order. Not cryptographic: it finds
// differences, not forgeries. `reader` of one moment.
std::string digest_of(const Reader& reader);

}  // namespace ota::projections
