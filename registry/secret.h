// A password or token: a value that no stream, message or log can show by accident.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace drover::registry {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  // Only where it is put into a request.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) { return out << (secret.empty() ? "(none)" : "(secret)"); }

 private:
  std::string value_;
};

}  // namespace drover::registry
