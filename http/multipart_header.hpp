// The headers inside and around multipart/form-data (RFC 7578, 2183, 8187): boundary, part names,
// file names. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace ota::http {

// The boundary of a Content-Type header; empty if that is not multipart/form-data with a usable
// boundary.
std::optional<std::string> multipart_boundary(std::string_view content_type);

struct PartHeader {
  std::string name;
  std::string file_name;     // without folders; empty if none is given
  std::string content_type;  // empty if none is given
};

// Reads the header lines of a part (without the empty line); or a sentence on what is wrong with
// them.
std::variant<PartHeader, std::string> parse_part_header(std::string_view block);

}  // namespace ota::http
