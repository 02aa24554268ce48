#include "domain/codec/readable.hpp"

#include <fmt/format.h>

namespace ota::domain {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

struct Writer {
  std::string& out;
  IsJson is_json;

  void operator()(bool yes) const { out += yes ? "true" : "false"; }
  void operator()(std::int64_t n) const { out += std::to_string(n); }
  void operator()(std::uint64_t n) const { out += std::to_string(n); }
  void operator()(double n) const { fmt::format_to(std::back_inserter(out), "{}", n); }
  void operator()(const std::string& text) const { append_quoted(out, text); }
  void operator()(const JsonText& json) const {
    if (is_json && is_json(json.text)) {
      out += json.text;
    } else {
      append_quoted(out, json.text);
    }
  }
  void operator()(Caller person) const { append_quoted(out, fmt::format("user:{:016x}", person.token)); }
  void operator()(const ReadableList& list) const {
    out += '[';
    bool first = true;
    for (const auto& value : list) {
      if (!first) out += ',';
      first = false;
      std::visit(*this, value.value);
    }
    out += ']';
  }
  void operator()(const ReadableFields& fields) const {
    out += '{';
    bool first = true;
    for (const auto& [name, value] : fields) {
      if (!first) out += ',';
      first = false;
      append_quoted(out, name);
      out += ':';
      std::visit(*this, value.value);
    }
    out += '}';
  }
};

}  // namespace

std::string to_json_text(const ReadableFields& fields, IsJson is_json) {
  std::string out;
  Writer{out, is_json}(fields);
  return out;
}

std::string to_json_text(const Event& event, IsJson is_json) { return to_json_text(readable(event), is_json); }

}  // namespace ota::domain
