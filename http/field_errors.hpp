// The bad fields of one request: all of them, not the first (spec/api.md: ValidationError).
//
// Filled by the readers of the body and of the query; more than limits::kFieldErrors are counted,
// not listed.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/problem.hpp"

namespace ota::http {

class FieldErrors {
 public:
  // `location` is an array as in ["body", "name"]; `type` is pydantic's name of the error.
  void add(const nlohmann::json& location, std::string message, std::string_view type);
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  // Those that are listed: each as "tags.3", and what is wrong.
  std::vector<std::pair<std::string, std::string>> listed() const;
  // The 422 that names them all.
  Problem problem() const;

 private:
  nlohmann::json entries_ = nlohmann::json::array();
  std::size_t count_ = 0;
};

}  // namespace ota::http
