// Members of a JSON object as a client reads them: what it cannot work without is an error that
// names the member. For the readers of messages only: includes the JSON library.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tools/otasim/parsed.hpp"

namespace ota::sim::json_fields {

using nlohmann::json;

// Thrown by what follows and caught by guarded(): keeps the readers free of error plumbing.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline const json& member(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end())
    throw Malformed(fmt::format("member '{}' is missing", name));
  return *found;
}

inline std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_string())
    throw Malformed(fmt::format("member '{}' is {} and not a string", name, value.dump()));
  return value.get<std::string>();
}

// Of at least `least`.
inline std::int64_t integer(const json& object, const char* name, std::int64_t least) {
  const json& value = member(object, name);
  if (!value.is_number_integer() || value.get<std::int64_t>() < least)
    throw Malformed(
        fmt::format("member '{}' is {}, not an integer >= {}", name, value.dump(), least));
  return value.get<std::int64_t>();
}

inline bool truth(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_boolean())
    throw Malformed(fmt::format("member '{}' is {}, not true or false", name, value.dump()));
  return value.get<bool>();
}

// Ids come as strings, from some servers as numbers.
inline std::string id_text(const json& object, const char* name) {
  const json& value = member(object, name);
  if (value.is_number_integer()) return value.dump();
  std::string id = text(object, name);
  if (id.empty()) throw Malformed(fmt::format("member '{}' is empty", name));
  return id;
}

inline std::string hash(const json& hashes, const char* name, std::size_t length) {
  std::string value = text(hashes, name);
  if (value.size() != length || value.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Malformed(fmt::format("hash '{}' is '{}', not {} lower-case hex", name, value, length));
  return value;
}

template <class Read>
auto guarded(std::string_view body, Read read) -> Parsed<decltype(read(json{}))> {
  try {
    return {read(json::parse(body)), {}};
  } catch (const Malformed& error) {
    return {{}, error.what()};
  } catch (const json::exception& error) {
    return {{}, error.what()};
  }
}

}  // namespace ota::sim::json_fields
