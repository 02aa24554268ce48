// A PostgreSQL 15 of our own: Debian's programs, a new cluster in a directory of its own, a socket there and no port.
//
// Tuned as for a machine of its own: a gigabyte of shared buffers, rare checkpoints, the WAL's pages compressed; fsync and
// synchronous_commit stay on. It refuses to be root: then it runs as the package's user, or as nobody.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

namespace ota::bench {

class PostgresServer {
 public:
  // Makes the cluster in `directory`, which must be ours and is made reachable for that user, and starts it. Throws
  // std::runtime_error: it is not installed, or does not start.
  PostgresServer(const std::filesystem::path& directory, std::size_t connections_max);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // What libpq connects with.
  const std::string& connection_info() const { return connection_info_; }

 private:
  std::filesystem::path directory_;
  std::string connection_info_;
  pid_t pid_ = -1;
};

}  // namespace ota::bench
