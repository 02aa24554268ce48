// The artifact store on a filesystem: <directory>/<first 2 hex>/<64 hex>, named by the SHA-256 of
// the bytes.
//
// An upload is written to <directory>/incoming, fsynced, renamed, and the folders are fsynced: a
// name that can be seen is whole and durable. Only files with names of that form are ever touched.
// One process per directory. All calls are safe from any thread (an upload or an open artifact: one
// thread at a time) and may block on I/O.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/ports/artifact_store.hpp"

namespace ota::gateways {

// Creates what is missing of the directory. Throws ArtifactError if it cannot be written.
std::unique_ptr<actors::ArtifactStore> open_artifact_files(const std::filesystem::path& directory);

}  // namespace ota::gateways
