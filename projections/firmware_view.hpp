// Firmware: its state, by id, number, model and version, and newest first.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "projections/answers.hpp"
#include "projections/page.hpp"
#include "projections/view.hpp"

namespace ota::projections {

template <>
struct RowCodec<domain::Firmware> {
  static std::string encode(const domain::Firmware& firmware);
  static std::optional<domain::Firmware> decode(std::string_view bytes);
};

class FirmwareView final : public View {
 public:
  explicit FirmwareView(Rows& rows);

  std::string_view name() const override { return "firmware"; }
  void load(const Reader& reader) override;
  void apply(Change& change) override;
  void commit() override;

 private:
  void list(const domain::FirmwareRegistered& record, domain::Position at);

  Rows& rows_;
  RowCache<domain::Firmware> firmware_;
  std::uint32_t newest_number_ = 0;
  bool number_moved_ = false;
};

// What readers ask.
namespace firmwares {
std::optional<FirmwareRow> find(const Reader& reader, domain::FirmwareId id);
std::optional<domain::FirmwareId> of_version(const Reader& reader, std::string_view model,
                                             std::string_view version);
std::optional<domain::FirmwareId> bringing(const Reader& reader, std::string_view model,
                                           std::string_view version);
std::optional<domain::FirmwareId> of_number(const Reader& reader, std::uint32_t number);
std::uint32_t newest_number(const Reader& reader);
bool refers_to(const Reader& reader, const std::array<std::uint8_t, 32>& sha256);
std::vector<domain::FirmwareId> to_fetch(const Reader& reader);
Page<FirmwareRow> list(const Reader& reader, const FirmwareFilter& filter, const PageRequest& page);
}  // namespace firmwares

}  // namespace ota::projections
