// How the values of settings are written. Each throws BadValue with a sentence that says what is wanted.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "domain/words.hpp"

namespace ota::tools {

struct BadValue : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t number(const std::string& text, std::uint64_t low, std::uint64_t high);
// "250ms", "1s", "5m", "24h".
domain::Duration duration(const std::string& text);
domain::Duration duration_within(const std::string& text, domain::Duration low, domain::Duration high);
// A bare true or false of the file counts, too.
bool on_or_off(const std::string& text);
// Separated by commas; blanks around each do not count.
std::vector<std::string> words(const std::string& text);
// "127.0.0.1", "::1": names are looked up by nobody.
std::string ip_address(const std::string& text);
// A segment of the devices' paths that needs no encoding, in upper case.
std::string tenant(const std::string& text);
// The name of a header field.
std::string header_name(const std::string& text);
// The name of a device's attribute.
std::string attribute_name(const std::string& text);
// An http or https URL, without slashes at its end; may be empty.
std::string web_url(const std::string& text);
// The same, with {sha256} or {file} in it.
std::string artifact_url(const std::string& text);
// An access key's id, or a region: letters, digits, '-' and '_'.
std::string store_word(const std::string& text);
// Where NATS servers are: host:4222, nats://host:4222 or tls://host:4222, separated by commas alone. May be empty.
std::string nats_urls(const std::string& text);
std::string one_of(const std::string& text, std::initializer_list<const char*> allowed);

}  // namespace ota::tools
