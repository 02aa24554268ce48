// Port: where firmware bytes are kept. Implemented in gateways/ (files by default, S3 later).
//
// Content addressed: an artifact's name is the SHA-256 of its bytes, so storing the same bytes twice is storing them
// once. Nothing half-written is ever visible. All calls may block on I/O: never call them from an actor.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ota::actors {

struct ArtifactDigests {
  std::array<std::uint8_t, 16> md5{};
  std::array<std::uint8_t, 20> sha1{};
  std::array<std::uint8_t, 32> sha256{};
  std::uint64_t size = 0;                 // bytes
};

// The store could not do its work (disk full, I/O error): a sentence for people.
struct ArtifactError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One upload in progress. Destroyed without commit(): nothing remains, unless it is one to resume.
class ArtifactUpload {
 public:
  virtual ~ArtifactUpload() = default;
  // How much an earlier part of it has left: what is written goes behind that.
  virtual std::uint64_t held() const { return 0; }        // bytes
  virtual void write(std::string_view bytes) = 0;         // throws ArtifactError
  // Ends the stream: all three digests and the size of what was written. Call once, before commit().
  virtual const ArtifactDigests& finish() = 0;
  // Makes the artifact durable and visible under its SHA-256 (fsync, rename, fsync of the folder). Throws ArtifactError.
  virtual void commit() = 0;
  // Instead of commit(): nothing remains, also of one to resume.
  virtual void discard() {}
};

// An artifact opened for reading. Stays readable while it is held. read() may be called from any one thread at a time.
class Artifact {
 public:
  virtual ~Artifact() = default;
  virtual std::uint64_t size() const = 0;
  // Reads up to `length` bytes at `offset` into `out`; returns how many (0 at the end). Throws ArtifactError.
  virtual std::size_t read(std::uint64_t offset, char* out, std::size_t length) const = 0;
  // The descriptor for sendfile, or -1 if there is none.
  virtual int descriptor() const { return -1; }
};

struct SweepReport {
  std::uint64_t temporaries_removed = 0;  // uploads that a crash left behind
  std::uint64_t orphans_removed = 0;      // artifacts that no firmware refers to
  std::uint64_t bytes_freed = 0;
};

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  virtual std::unique_ptr<ArtifactUpload> begin_upload() = 0;                         // throws ArtifactError
  // The same, going on with what an upload of this name has left when it was destroyed without commit(), or when the
  // process ended. One at a time of a name, which is a file's name. A store that cannot keep parts begins anew.
  virtual std::unique_ptr<ArtifactUpload> resume_upload(std::string_view name) {  // throws ArtifactError
    (void)name;
    return begin_upload();
  }
  virtual std::unique_ptr<Artifact> open(const std::array<std::uint8_t, 32>& sha256) const = 0;  // null: not here
  virtual bool contains(const std::array<std::uint8_t, 32>& sha256) const = 0;
  // Removes temporaries and artifacts that `referenced` denies, both only if last modified before `older_than_s` seconds
  // ago (decision 34). Temporaries of uploads in progress of this process are left alone.
  virtual SweepReport sweep(std::uint64_t older_than_s,
                            const std::function<bool(const std::array<std::uint8_t, 32>&)>& referenced) = 0;
};

}  // namespace ota::actors
