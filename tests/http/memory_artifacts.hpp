// An artifact store in memory, with the promises of the port: content addressed, swept on request.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "actors/ports/artifact_store.hpp"
#include "http/commands.hpp"

namespace ota::http::test {

class MemoryArtifacts final : public actors::ArtifactStore {
 public:
  using Sha256 = std::array<std::uint8_t, 32>;

  std::unique_ptr<actors::ArtifactUpload> begin_upload() override {
    return std::make_unique<Upload>(*this);
  }
  std::unique_ptr<actors::Artifact> open(const Sha256& sha256) const override {
    const std::lock_guard lock(mutex_);
    if (fault_ == Fault::kUnreadable) throw actors::ArtifactError("the disk is on fire");
    const auto at = stored_.find(sha256);
    if (at == stored_.end()) return nullptr;
    return std::make_unique<Bytes>(fault_ == Fault::kCutShort ? at->second.substr(1) : at->second);
  }
  bool contains(const Sha256& sha256) const override {
    const std::lock_guard lock(mutex_);
    return stored_.contains(sha256);
  }
  actors::SweepReport sweep(std::uint64_t older_than_s,
                            const std::function<bool(const Sha256&)>& referenced) override {
    actors::SweepReport report;
    if (older_than_s > 0) return report;  // everything here is young
    const std::lock_guard lock(mutex_);
    report.orphans_removed =
        std::erase_if(stored_, [&](const auto& entry) { return !referenced(entry.first); });
    return report;
  }
  // What is wrong with the store, for whoever opens something from now on.
  enum class Fault { kNone, kUnreadable, kCutShort };
  void set(Fault fault) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return stored_.size();
  }

 private:
  class Upload final : public actors::ArtifactUpload {
   public:
    explicit Upload(MemoryArtifacts& store) : store_(store) {}
    void write(std::string_view bytes) override { bytes_ += bytes; }
    const actors::ArtifactDigests& finish() override {
      digests_.size = bytes_.size();
      digests_.sha256 = hash_of({bytes_});
      // Other digests of the same bytes would do as well: nobody compares them here.
      std::copy_n(digests_.sha256.begin(), digests_.md5.size(), digests_.md5.begin());
      std::copy_n(digests_.sha256.begin(), digests_.sha1.size(), digests_.sha1.begin());
      return digests_;
    }
    void commit() override {
      const std::lock_guard lock(store_.mutex_);
      store_.stored_[digests_.sha256] = bytes_;
    }

   private:
    MemoryArtifacts& store_;
    std::string bytes_;
    actors::ArtifactDigests digests_;
  };

  class Bytes final : public actors::Artifact {
   public:
    explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    std::size_t read(std::uint64_t offset, char* out, std::size_t length) const override {
      if (offset >= bytes_.size()) return 0;
      const auto count = std::min<std::size_t>(length, bytes_.size() - offset);
      std::memcpy(out, bytes_.data() + offset, count);
      return count;
    }

   private:
    std::string bytes_;
  };

  mutable std::mutex mutex_;
  std::map<Sha256, std::string> stored_;
  Fault fault_ = Fault::kNone;
};

}  // namespace ota::http::test
