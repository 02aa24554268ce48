// The URL of a file that is held elsewhere, checked: where its path ends in a name, and nothing in it is secret.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace ota::http {

struct WebUrl {
  std::string text;                       // as given
  std::string file_name;                  // the last part of its path, percent-decoded; may be empty
};

// http or https, with a host, in printable ASCII, and no user or password in it: it stands in the log for ever, and is shown.
// The string says what is wrong.
std::variant<WebUrl, std::string> parse_web_url(std::string_view text);

}  // namespace ota::http
