// An engine's refusal, with the status that it answered.
#pragma once

#include "base/error.h"

#include <string>
#include <utility>

namespace drover::engine {

// What calls of the Engine API throw for a status of 300 and above. Its code tells the kind (404 not_found, a refused API version
// unsupported, else engine); the status is for those that act on one: 409, the object is in use or the name taken.
// Not in Error::http_status: that is a registry's word, and a missing container is no failure of the network.
class EngineFailure : public Error {
 public:
  EngineFailure(ErrorCode code, std::string message, int answered) : Error(code, std::move(message)), status(answered) {}

  bool is_conflict() const { return status == 409; }

  int status;
};

}  // namespace drover::engine
