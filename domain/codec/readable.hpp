// An event as people read it: times as dates, ids as everywhere else, words instead of numbers.
//
// How a field reads is said where it is declared (events.proto, `reads_as`). Left out is what says nothing: an empty text or
// list, what is absent, a number that is 0; a yes or no is always said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/events.hpp"

namespace ota::domain {

struct Readable;
struct ReadableField;
using ReadableList = std::vector<Readable>;
using ReadableFields = std::vector<ReadableField>;  // in the order of their declaration
struct JsonText {  // what somebody gave us as JSON: who can parse it, may show it as such
  std::string text;
};
struct Readable {
  // A Caller is a person: who can, puts the name in its place.
  std::variant<bool, std::int64_t, std::uint64_t, double, std::string, JsonText, Caller, ReadableList, ReadableFields> value;
};

struct ReadableField {
  std::string name;
  Readable value;
};

ReadableFields readable(const Event& event);

// The same as JSON. Persons are "user:" and their token in hex, as they are in the log. What was given as JSON stands there as
// such if `is_json` says that it is, to its last byte; without it, and if it is none, as text.
using IsJson = bool (*)(std::string_view text);
std::string to_json_text(const Event& event, IsJson is_json = nullptr);
std::string to_json_text(const ReadableFields& fields, IsJson is_json = nullptr);

}  // namespace ota::domain
