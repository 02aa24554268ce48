// One upload into the artifact folder: hashed and written as it comes, in memory that does not
// grow.
//
// Invariant: the temporary file exists from the constructor until commit(), discard() or the
// destructor, and its name stands in `folder.uploads` all that time, so that a sweep leaves it
// alone. One that can be resumed survives the destructor; the sweep takes it when it is old. Used by
// one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "gateways/artifact_digester.hpp"
#include "gateways/artifact_folder.hpp"

namespace ota::gateways {

class FileUpload final : public actors::ArtifactUpload {
 public:
  // Under a name that nobody else has.
  explicit FileUpload(ArtifactFolder& folder);
  // Under this one: goes on with the file that is there, and leaves it there unless it is committed or discarded.
  FileUpload(ArtifactFolder& folder, std::string_view name);
  ~FileUpload() override;
  FileUpload(const FileUpload&) = delete;
  FileUpload& operator=(const FileUpload&) = delete;

  void write(std::string_view bytes) override;
  const actors::ArtifactDigests& finish() override;
  void commit() override;
  std::uint64_t held() const override { return held_; }
  void discard() override { remove_temporary(); }

 private:
  void take_name();
  // Hashes what is there.
  void read_held();
  // Starts writing back what is full, and drops from the page cache what has been written back.
  void keep_page_cache_small();
  // The same bytes are here already: makes sure that they are durable, and young enough for the
  // sweep to spare.
  bool adopt_existing(const std::filesystem::path& target);
  void remove_temporary() noexcept;
  void leave_temporary() noexcept;

  ArtifactFolder& folder_;
  std::string name_;
  std::filesystem::path temporary_;
  std::optional<FileHandle> file_;
  ArtifactDigester digester_;
  std::optional<actors::ArtifactDigests> digests_;
  bool resumable_ = false;
  std::uint64_t held_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t started_ = 0;  // write-back has been asked for up to here
  std::uint64_t dropped_ = 0;  // and has ended, out of the page cache, up to here
};

}  // namespace ota::gateways
