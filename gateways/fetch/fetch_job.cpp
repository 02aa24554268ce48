#include "gateways/fetch/fetch_job.hpp"

#include <fmt/format.h>

#include "eventstore/fault.hpp"
#include "gateways/artifact_digester.hpp"

namespace ota::gateways::fetch {
namespace {

constexpr std::size_t kReadBytes = std::size_t{128} * 1024;

domain::StoreContent content_of(const actors::ArtifactDigests& digests) {
  return {digests.md5, digests.sha1, digests.sha256, digests.size};
}

// What speaks against these bytes; empty: they are the registered ones.
std::string mismatch(const domain::FirmwareRegistered& wanted, const actors::ArtifactDigests& found) {
  const auto differs = [](std::string_view what, auto registered, auto there) {
    return fmt::format("{} mismatch: {} was registered, the file there has {}", what,
                       domain::to_hex(domain::view_of(registered)), domain::to_hex(domain::view_of(there)));
  };
  if (found.size != wanted.facts.file_size) {
    return fmt::format("a file of {} bytes is there, {} were announced", found.size, wanted.facts.file_size);
  }
  if (found.sha256 != wanted.sha256) return differs("SHA256 checksum", wanted.sha256, found.sha256);
  const bool has_md5 = wanted.md5 != decltype(wanted.md5){};
  if (has_md5 && found.md5 != wanted.md5) return differs("MD5 checksum", wanted.md5, found.md5);
  return {};
}

// The store has them already: of an upload, of another firmware, or of a try whose end nobody heard of.
std::optional<actors::ArtifactDigests> digests_in_store(const actors::ArtifactStore& artifacts,
                                                        const domain::FirmwareRegistered& wanted,
                                                        const std::function<bool(std::uint64_t)>& on_bytes) {
  const auto artifact = artifacts.open(wanted.sha256);
  if (!artifact || artifact->size() != wanted.facts.file_size) return std::nullopt;
  ArtifactDigester digester;
  std::string piece(kReadBytes, '\0');
  for (std::uint64_t at = 0; at < artifact->size() && on_bytes(at);) {
    const auto count = artifact->read(at, piece.data(), piece.size());
    if (count == 0) break;
    digester.update({piece.data(), count});
    at += count;
  }
  return digester.finish();
}

// The part of the file that is here, growing.
class Part final : public Receiver {
 public:
  Part(actors::ArtifactStore& artifacts, const domain::FirmwareRegistered& wanted,
       const std::function<bool(std::uint64_t)>& on_bytes)
      : artifacts_(artifacts),
        name_("fetch-" + domain::to_hex(domain::view_of(wanted.sha256))),
        on_bytes_(on_bytes),
        upload_(artifacts.resume_upload(name_)),
        here_(upload_->held()),
        goes_on_(on_bytes_(here_)) {}

  void begin(std::uint64_t at) override {
    if (at != here_) begin_anew();
    in_one_piece_ = in_one_piece_ && at == 0;
  }
  void take(std::string_view bytes) override {
    upload_->write(bytes);
    here_ += bytes.size();
    goes_on_ = on_bytes_(here_);
    OTA_FAULT("fetch.bytes");
  }
  bool is_over() const override { return !goes_on_ || !on_bytes_(here_); }

  void begin_anew() {
    upload_->discard();
    upload_ = artifacts_.resume_upload(name_);
    here_ = 0;
  }
  // Nothing of it is to be gone on with.
  void forget() { upload_->discard(); }
  std::uint64_t here() const { return here_; }
  bool is_in_one_piece() const { return in_one_piece_; }
  actors::ArtifactUpload& upload() { return *upload_; }

 private:
  actors::ArtifactStore& artifacts_;
  const std::string name_;
  const std::function<bool(std::uint64_t)>& on_bytes_;
  std::unique_ptr<actors::ArtifactUpload> upload_;
  std::uint64_t here_;
  bool goes_on_;
  bool in_one_piece_ = true;
};

Brought failed(End end, std::string why) { return {std::nullopt, {end, std::move(why), {}}}; }

}  // namespace

Brought bring(const domain::Firmware& firmware, actors::ArtifactStore& artifacts, const Patience& patience,
              const std::function<bool(std::uint64_t)>& on_bytes) {
  const auto& wanted = firmware.record;
  if (const auto digests = digests_in_store(artifacts, wanted, on_bytes)) {
    if (!on_bytes(digests->size)) return failed(End::kOver, {});
    auto why = mismatch(wanted, *digests);
    if (why.empty()) return {content_of(*digests), {End::kWhole, {}, {}}};
    // Bytes of that name are these bytes: either they are damaged, or the registration contradicts itself.
    const bool damaged = digests->sha256 != wanted.sha256;
    return failed(damaged ? End::kAgain : End::kOther, damaged ? "the stored bytes are damaged: " + why : why);
  }

  Part part(artifacts, wanted, on_bytes);
  const auto size = wanted.facts.file_size;
  if (part.here() > size) part.begin_anew();
  const bool was_whole = part.here() == size;
  if (!was_whole) {
    auto ending = ask({wanted.file_url, part.here(), size}, patience, part);
    const bool of_the_whole = ending.end == End::kOther && part.is_in_one_piece();
    if (ending.end == End::kOther && !of_the_whole) ending.end = End::kStartAnew;
    if (ending.end == End::kOther || ending.end == End::kStartAnew) part.forget();
    if (ending.end != End::kWhole) return {std::nullopt, std::move(ending)};
  }
  const auto digests = part.upload().finish();
  if (auto why = mismatch(wanted, digests); !why.empty()) {
    part.forget();
    const bool final = !was_whole && part.is_in_one_piece();
    return failed(final ? End::kOther : End::kStartAnew, std::move(why));
  }
  OTA_FAULT("fetch.before_commit");
  part.upload().commit();
  OTA_FAULT("fetch.before_record");
  return {content_of(digests), {End::kWhole, {}, {}}};
}

}  // namespace ota::gateways::fetch
