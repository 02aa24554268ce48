// A file of devices, CSV or JSON Lines, from its bytes to what each line says.
//
//   feed(), feed(), ... -> finish()
//
//   CSV         device_id,device_model,firmware_version,groups,attribute.site      the header names the columns
//               d-1,SF-100,1.0.0,beta;lab,ams                                      an empty field says nothing
//   JSON Lines  {"device_id":"d-1","device_model":"SF-100","groups":["beta","lab"],"attributes":{"site":"ams"}}
//
// The fields are those of PUT /devices/{id}, with the same bounds. A bad line is reported with all its bad fields, and the
// others go on; only a header that cannot be refuses the file, before any of its devices. Empty lines are overlooked, and
// what JSON has beside these fields. Memory is one line, however large the file. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/device_import.hpp"
#include "http/problem.hpp"

namespace ota::http {

enum class ImportFormat : std::uint8_t { kCsv, kJsonLines };
// Empty: none that can be read.
std::optional<ImportFormat> import_format(std::string_view content_type);

struct BadField {
  std::string name;                       // empty: the line as a whole
  std::string message;
};

class ImportFile {
 public:
  // Each line that says anything goes to one of the two.
  struct Sinks {
    std::function<void(actors::ImportLine line)> on_device;
    std::function<void(std::uint64_t line, std::vector<BadField> fields)> on_bad;
  };
  static std::unique_ptr<ImportFile> make(ImportFormat format, Sinks sinks);
  virtual ~ImportFile() = default;

  // Takes the next bytes; false: the file is refused, see problem().
  virtual bool feed(std::string_view bytes) = 0;
  // The file is over; false: it is refused.
  virtual bool finish() = 0;
  // What is wrong with the header, after a false.
  virtual const Problem& problem() const = 0;
};

}  // namespace ota::http
